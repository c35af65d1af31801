"""Exercise 03.3: the attack that a reader has written is judged on worlds with known answers, and
on a small real one."""

from types import SimpleNamespace

import numpy as np
from sklearn.metrics import roc_auc_score

from ..attacks import ShadowAttack
from ..blackbox import BlackBox
from ..data import load_purchases
from ..dataset import split
from ..network import MLP
from ..shadow import ShadowModels
from .variant import kept, moved


def both_sides(world):
    """X and y of members, then non-members, and who is a member."""
    X, y = (np.concatenate(part) for part in zip(world.members, world.nonmembers))
    return X, y, np.arange(len(y)) < len(world.members[1])


def by_hand(liar=None):
    """A world with known answers: about 0.9 when in and 0.6 when out in class 0, 0.6 and 0.3 in
    class 1. The other eight of the notebook's ten classes do not occur. The shadow model with the
    number `liar` answers the wrong way round, beside nine others in place of two."""
    rng, usual = np.random.default_rng(moved(0)), np.array([[0.6, 0.9], [0.3, 0.6]])

    def answers(y, members):
        sure = usual[y, members.astype(int)] + rng.uniform(-0.05, 0.05, members.shape)
        both = np.stack([np.where(y == 0, sure, 1 - sure), np.where(y == 0, 1 - sure, sure)], -1)
        return np.concatenate([both, np.zeros((*members.shape, 8))], axis=-1)

    n_shadows = 3 if liar is None else 10
    y_pool, inside = np.arange(60) % 2, rng.random((n_shadows, 60)) < 0.5
    answered_as = inside.copy()
    if liar is not None:
        answered_as[liar] = ~inside[liar]
    shadows = SimpleNamespace(
        confidences=answers(y_pool, answered_as), members=inside, y=y_pool, classes_=np.arange(10)
    )
    y, members = np.repeat([0, 1], 12), np.arange(24) % 3 == 0
    told = answers(y, members)
    target = SimpleNamespace(
        classes_=np.arange(10), predict_proba=lambda X: told[X[:, 0].astype(int)]
    )
    return shadows, BlackBox(target), np.arange(24.0)[:, None], y, members


@kept
def small_real_world():
    shoppers = load_purchases(n_classes=10, n_records=800, random_state=0)
    world = split(shoppers, n_members=200, random_state=0)
    shadows = ShadowModels(MLP(hidden=32), n_models=4, random_state=1).fit(*world.pool)
    return world, MLP(hidden=32, random_state=0).fit(*world.members), shadows


def judge_attack(attack):
    if not callable(attack):
        return f"answer must be your function my_attack, got {attack!r}."
    shadows, black_box, X, y, members = by_hand()
    try:
        scores = attack(shadows, black_box, X, y)
    except ValueError as refusal:
        if complaint := not_fitted(str(refusal)):
            return complaint
        raise
    if scores is ...:
        return ...
    if scores is None:
        return "your function returns nothing: end it with return scores."
    scores = np.asarray(scores, float)
    if scores.shape != y.shape or not np.isfinite(scores).all():
        return (
            f"for {len(y)} records it must return {len(y)} finite scores, got shape {scores.shape}."
        )
    if black_box.n_queries > len(y):
        return (
            f"it asked {black_box.n_queries} queries about {len(y)} records: ask once, and keep "
            "the answers."
        )
    return (
        judge_order(scores, y, members)
        or judge_what_it_uses(attack)
        or judge_on_real_records(attack)
    )


def not_fitted(refusal):
    """What is behind scikit-learn's refusal to fit an attack model; None where it is not known."""
    if "0 sample" in refusal:
        return (
            "an attack model was to learn from, or to judge, no record at all: not every class "
            "occurs here. Loop over np.unique(y), as the scaffold does."
        )
    if "inconsistent numbers of samples" in refusal:
        return (
            "an attack model was to learn from answers and from an in or out that differ in "
            "number. Fit it on rows and was_in, the shadow models'. The target's answers are only "
            "judged: nobody tells the attacker who was in there."
        )
    return None


def judge_what_it_uses(attack):
    """Complain about an attack that leaves out shadow models or the true classes, or return
    None."""
    for liar in (0, 9):
        shadows, black_box, X, y, members = by_hand(liar)
        scores = np.asarray(attack(shadows, black_box, X, y), float)
        if min(roc_auc_score(members[y == c], scores[y == c]) for c in (0, 1)) < 0.5:
            return (
                f"it follows shadow model {liar}, which was made to answer the wrong way round for "
                "a test, though all others contradict it. Learn from the rows of all shadow "
                "models: one alone gives few rows, and may be an odd one."
            )
    as_told, turned = (np.asarray(attack(*by_hand()[:3], classes), float) for classes in (y, 1 - y))
    if np.allclose(as_told, turned):
        return (
            "the scores stay as they are when the classes in y change. Choose each record's model "
            "by y, its true class: the target's most confident class is often wrong about "
            "non-members, and to be wrong is what gives them away."
        )
    return None


def judge_order(scores, y, members):
    each = [roc_auc_score(members[y == label], scores[y == label]) for label in (0, 1)]
    if max(each) < 0.1:
        return (
            "the scores are upside down: non-members come out higher. Of predict_proba, take the "
            "second column, that of True. If you do, the rows and their in or out stand in another "
            "order."
        )
    if max(each) > 0.9 > 0.1 > min(each):
        return (
            "one class is judged the wrong way round. Either there is one model for all classes: "
            "train one for each class, on that class's rows alone. Or the rows and their in or out "
            "stand in another order."
        )
    if min(each) < 0.99:
        return (
            "members and non-members of a class are mixed up, where the target's answers keep them "
            "well apart. Are the rows and their in or out in the same order, and is each record "
            "judged by its own class's model?"
        )
    if roc_auc_score(members, scores) < 0.99:
        return (
            "within each class members come first, but the members of one class score like the "
            "non-members of another: what the shadow models show about each class is not used. "
            "Score by the attack model's probability of in."
        )
    return None


def judge_on_real_records(attack):
    world, target, shadows = small_real_world()
    X, y, members = both_sides(world)
    scores = np.asarray(attack(shadows, BlackBox(target), X, y), float)
    if len(np.unique(scores)) <= 2:
        return (
            "it gives only two different scores: a probability (predict_proba) says more than a "
            "verdict (predict), and its ROC curve has more than one point."
        )
    reached = roc_auc_score(members, scores)
    usual = roc_auc_score(members, ShadowAttack().fit(shadows).score(BlackBox(target), X, y))
    # a plain logistic regression on the vector comes within 0.04 of the module's attack
    if reached >= usual - 0.06:
        return None
    return (
        f"on a small real world it reaches an AUC of {reached:.2f}, the module's attack "
        f"{usual:.2f}. Does it use the shadows' answers about all records of a class?"
    )
