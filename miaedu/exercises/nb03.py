"""Exercises of notebook 03: the algorithm. What is true is computed again, by the
notebook's own steps."""

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score, roc_curve

from ..attacks import ShadowAttack, ThresholdAttack
from ..blackbox import BlackBox
from ..data import load_digits
from ..dataset import split
from ..experiment import Experiment, run
from ..metrics import evaluate
from ..network import MLP
from ..shadow import ShadowModels
from ..synthesis import label_by_querying
from . import Exercise, not_a_share, prediction, quiz
from .nb02 import SHOP, shop
from .own_attack import both_sides, judge_attack
from .variant import kept, moved, number


def auc_of_sixteen():
    """The mean AUC with sixteen shadow models over the notebook's three shops, as text."""
    shops = [Experiment(hidden=32, n_shadows=16, random_state=seed) for seed in range(3)]
    return f"{np.mean([run(shop).report.auc for shop in shops]):.2f}"


def epochs_guessed():
    """How many epochs the attacker of exercise 03.2 guesses."""
    return number(60, 90, 120, 180)


@kept
def mismatched(shadow_epochs, target_epochs=20, label_epochs=20):
    """The Report of the shadow attack on the notebook's target, with so many epochs of shadow
    models, target, and the target that was asked for labels."""
    world, _ = shop()
    X_pool, _ = world.pool
    asked, attacked = (
        BlackBox(MLP(epochs=epochs, random_state=moved(0)).fit(*world.members))
        for epochs in (label_epochs, target_epochs)
    )
    shadows = ShadowModels(MLP(epochs=shadow_epochs), n_models=8, random_state=moved(1))
    shadows.fit(X_pool, label_by_querying(asked, X_pool))
    return evaluate(ShadowAttack().fit(shadows), attacked, world)


def judge_mismatch(answer):
    if complaint := not_a_share("answer", answer):
        return complaint
    wrong_guess = epochs_guessed()
    report = mismatched(wrong_guess)
    # other seeds of the shadow models move it by about 0.02
    if abs(answer - report.advantage) <= 0.03:
        return None
    longer = (
        f"what comes out when the target learns for {wrong_guess} epochs too. Leave it as it is."
    )
    for value, mistake in (
        (mismatched(20).advantage, "the advantage with 20 epochs: nothing was changed yet."),
        (mismatched(wrong_guess, wrong_guess).advantage, longer),
        (mismatched(*3 * (wrong_guess,)).advantage, longer),
        (report.recall, "the recall. The advantage is the recall less the false alarms."),
        (report.precision, "the precision. Asked for is the advantage."),
        (report.auc, "the AUC. Asked for is the advantage."),
        (report.gap_advantage, "the gap attack's advantage, which asks no shadow model."),
    ):
        if abs(answer - value) <= 0.005:
            return f"this is {mistake}"
    side = "more" if answer > report.advantage else "less"
    return (
        f"{answer:.3f} is {side} than what comes out. Write epochs={wrong_guess} in the line that "
        "makes the shadow models, leave target and labels as they are, and run the cell again. If "
        "that does not help, a cell above has been changed: run the notebook afresh."
    )


MENU = {
    "a": "members and non-members were drawn alike here, by mia.split.",
    "b": (
        "no threshold was chosen here: an AUC speaks of all thresholds. Ask what the forest has "
        "learned from."
    ),
    "c": "no shadow model was trained at all. So on what were the thresholds chosen?",
    "d": "there are as many members as non-members here.",
}
OPTIONS = {
    "b": "the thresholds were chosen on the answers that they are judged by",
    "c": "the shadow models learned from the target's own records",
}


@kept
def digits_advantage():
    """The colleague's advantage, with a threshold a digit chosen on the answers; that of a
    threshold learned on shadow models."""
    world = split(load_digits(), n_members=200, random_state=moved(0))
    api = BlackBox(MLP(random_state=moved(0)).fit(*world.members))
    X, y, members = both_sides(world)
    sure, flagged = api.predict_proba(X)[np.arange(len(y)), y], np.zeros(len(y), bool)
    for digit in range(10):
        chosen = y == digit
        fpr, tpr, thresholds = roc_curve(members[chosen], sure[chosen])
        flagged[chosen] = sure[chosen] >= thresholds[np.argmax(tpr - fpr)]
    shadows = ShadowModels(MLP(), n_models=8, random_state=moved(1)).fit(*world.pool)
    sound = evaluate(ThresholdAttack().fit(shadows), api, world)
    return flagged[members].mean() - flagged[~members].mean(), sound.advantage


@kept
def forest_auc():
    """The forest's AUC with shadow models on the target's own members and non-members; and on the
    pool."""
    world, target = shop()
    X, y, members = both_sides(world)
    leaky = MLP(random_state=moved(1)).fit_many(X, y, np.tile(members, (4, 1))).predict_proba(X)
    shadows = ShadowModels(MLP(), n_models=4, random_state=moved(1)).fit(*world.pool)
    found = []
    for answers, inside in (
        (leaky, np.tile(members, 4)),
        (shadows.confidences, shadows.members.ravel()),
    ):
        forest = RandomForestClassifier(30, random_state=moved(0))
        forest.fit(answers.reshape(-1, 10), inside)
        found.append(roc_auc_score(members, forest.predict_proba(target.predict_proba(X))[:, 1]))
    return found


def judge_shadows_of_the_pool(answer):
    """A judge of (letter, number, records): the number cannot tell fresh halves of the target's own
    records from the pool's, so the records are looked at."""
    broken, mended, learned_from = answer
    if complaint := about_the_forest((broken, mended)):
        return complaint
    world, _ = shop()
    X, _, _ = both_sides(world)
    learned_from = np.asarray(getattr(learned_from, "X", learned_from), np.float32)
    if learned_from.ndim != 2 or learned_from.shape[1] != X.shape[1]:
        return (
            "learned_from must be the records that your shadow models learned from, an array (n, "
            f"{X.shape[1]}), got shape {learned_from.shape}."
        )
    targets = {record.tobytes() for record in np.asarray(X, np.float32)}
    shared = sum(record.tobytes() in targets for record in learned_from)
    if shared:
        return (
            f"{shared} of the {len(learned_from)} records are the target's own members or the "
            "non-members in question. If each shadow model has a half of its own, the forest "
            "cannot learn the target's half by heart, and the number looks right. But whoever has "
            "these records is an auditor: an attacker has world.pool alone."
        )
    return None


def diagnosis(right, measured, tolerance, remedy):
    """A judge of (letter, number): `right` is the letter, `measured()` gives the broken number and
    the mended one."""
    feedback = {key: text for key, text in MENU.items() if key != right}
    letter = quiz("", right, OPTIONS[right], feedback, "")

    def judge(answer):
        broken, mended = answer
        if complaint := letter.judge(broken) or not_a_share("mended", mended):
            return complaint
        claimed, sound = measured()
        if abs(mended - sound) <= tolerance:
            return None
        if abs(mended - claimed) <= 0.01:
            return f"this is still the colleague's own number. {remedy}"
        return f"a sound test does not give {mended:.3f}. {remedy}"

    return judge


LABELS = """X_pool, true_labels = world.pool
labels = mia.label_by_querying(api, X_pool)
"""
DIGITS = """small = mia.split(mia.load_digits(), n_members=200, random_state=0)
digit_api = mia.BlackBox(mia.MLP(random_state=0).fit(*small.members))
"""

about_the_forest = diagnosis(
    "c",
    forest_auc,
    0.03,
    "Train the shadow models on world.pool, with mia.ShadowModels, and give the forest their "
    "confidences and members.",
)


EXERCISES = {
    "03.1": prediction(
        "Predict what further shadow models buy, and say why.",
        "b",
        "More rows for the attack models to learn from, of the same kind as before.",
        {
            "a": (
                "no shadow model is better for having others beside it: each learns from its own "
                "half of the pool, as the first did."
            ),
            "c": (
                "no shadow model has seen a member of the target: they learn from the attacker's "
                "pool alone."
            ),
        },
        auc_of_sixteen,
        "What does each shadow model learn from, and what do the attack models learn from?",
        "the halves overlap, so a second shadow model shows the attack models much the same "
        "picture again. Compute is cheap, but it does not buy everything.",
    ),
    "03.2": Exercise(
        "See what it costs the attacker when their shadow models overfit more than the target.",
        judge_mismatch,
        "Only the line that makes the shadow models changes: its mia.MLP(epochs=...).",
        SHOP
        + """labels = mia.label_by_querying(api, world.pool[0])
guessed = mia.ShadowModels(mia.MLP(epochs=60), n_models=8, random_state=1)
guessed.fit(world.pool[0], labels)
answer = mia.evaluate(mia.ShadowAttack().fit(guessed), api, world).advantage
""",
        "Shadow models that are surer than the target teach a threshold that is too high: fewer "
        "members are flagged. The attack now does worse than the gap attack, which needs no shadow "
        "model at all.",
        tolerance="0.03, more than what other seeds of the shadow models change",
        mistakes=(
            "the target trained for 60 epochs as well",
            "recall, precision or AUC in place of the advantage",
        ),
        data=SHOP + LABELS,
        redrawn=lambda: [
            ("60 epochs", f"{epochs_guessed()} epochs"),
            ("epochs=60", f"epochs={epochs_guessed()}"),
        ],
    ),
    "03.3": Exercise(
        "Write the shadow attack: an attack model for each class.",
        judge_attack,
        "Two lines are missing: model = LogisticRegression().fit(rows, was_in), then "
        "scores[y == label] = model.predict_proba(answers[y == label])[:, 1]. And return scores.",
        """from sklearn.linear_model import LogisticRegression
def my_attack(shadows, black_box, X, y):
    answers, scores = black_box.predict_proba(X), np.zeros(len(y))
    for label in np.unique(y):
        here = shadows.y == label
        rows = shadows.confidences[:, here].reshape(-1, answers.shape[1])
        was_in = shadows.members[:, here].ravel()
        model = LogisticRegression().fit(rows, was_in)
        scores[y == label] = model.predict_proba(answers[y == label])[:, 1]
    return scores
""",
        "This is the attack of the paper, in ten lines of your own.",
        tolerance="AUC at most 0.06 below the module's on a small world; any classifier",
        mistakes=(
            "upside down: the column of False in place of that of True",
            "one attack model for all classes",
            "the target's most confident class in place of the true one",
            "one shadow model's rows only",
        ),
        parameters=("shadows", "black_box", "X", "y"),
    ),
    "03.4": Exercise(
        "Recognise thresholds that were chosen on the answers, and mend the test.",
        diagnosis(
            "b",
            digits_advantage,
            0.02,
            "Fit mia.ThresholdAttack() on shadow models trained on small.pool, and "
            "give the advantage of mia.evaluate(...).",
        ),
        "Shuffle was_member, so that there is nothing to find, and run the colleague's cell: what "
        "does it report now?",
        DIGITS
        + """digit_shadows = mia.ShadowModels(mia.MLP(), n_models=8, random_state=1)
digit_shadows.fit(*small.pool)
broken = "b"
mended = mia.evaluate(mia.ThresholdAttack().fit(digit_shadows), digit_api, small).advantage
""",
        "With ten thresholds to choose and forty records for each, there is always something to "
        "find.",
        OPTIONS["b"],
        tolerance="advantage within 0.02",
        mistakes=("the colleague's own number", *(f"{k}: {MENU[k]}" for k in "acd")),
        letters="abcd",
        data=DIGITS,
    ),
    "03.5": Exercise(
        "Recognise shadow models that saw the target's records, and mend the test.",
        judge_shadows_of_the_pool,
        "Which records did their shadow models learn from? And what can a forest learn by heart?",
        SHOP
        + """from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
pool_shadows = mia.ShadowModels(mia.MLP(), n_models=4, random_state=1).fit(*world.pool)
rows, was_in = pool_shadows.confidences.reshape(-1, 10), pool_shadows.members.ravel()
forest = RandomForestClassifier(30, random_state=0).fit(rows, was_in)
broken = "c"
mended = roc_auc_score(is_member, forest.predict_proba(api.predict_proba(X))[:, 1])
learned_from = pool_shadows.X
""",
        "Their forest knew each record's in or out by heart: the shadow models answer about it as "
        "the target does.",
        tolerance="AUC within 0.03, and none of the target's records among those learned from",
        mistakes=(
            "fresh halves of the target's own records: the number looks right",
            *(f"{k}: {MENU[k]}" for k in "abd"),
        ),
        letters="abcd",
        menu="03.4",
        data=SHOP,
    ),
    "03.q1": quiz(
        "What a shadow model should be like.",
        "b",
        "Like the target: it should be sure of what it has seen, and err on what it has not, as "
        "the target does.",
        {
            "a": (
                "a better model than the target overfits less: it behaves differently on what it "
                "has seen, and teaches the wrong threshold."
            ),
            "c": (
                "the attacker must know who is in the shadow model's training set; of the target's "
                "they know nobody."
            ),
        },
        "What is carried over from the shadow model to the target?",
        "It should err, and be sure of itself, where the target does.",
    ),
    "03.q2": quiz(
        "Say how precision depends on how common members are.",
        "b",
        "It is far lower: nearly all people asked about are non-members, and some of them raise a "
        "false alarm.",
        {
            "a": (
                "hits and false alarms stay the same shares. But of a thousand people 999 can now "
                "raise a false alarm, and one can be a hit."
            ),
            "c": "the attack looks at one record at a time: it does not see that members are rare.",
        },
        "Imagine 1,000 people, one of them a member. How many are flagged, and how many of those "
        "are members?",
        "That is why a positive is evidence, not proof.",
    ),
    "03.q3": quiz(
        "Say what an attacker without records can do.",
        "b",
        "Records can be made by asking the model; the attack of 2017 works with them, though less "
        "well.",
        {
            "a": (
                "shadow models can learn from any records that the target labels, and an attacker "
                "can make these up: even a coin for each item carried the attack past the gap "
                "attack."
            ),
            "c": (
                "the calibrated attack asks what is usual for a record, and shadow models of made "
                "records do not know it. Look at its AUC for the pools without real records."
            ),
        },
        "Compare the rows of the table above with the gap attack.",
        "Whoever may ask can make records: what protects a model must work without counting on "
        "that.",
    ),
}
