"""Exercises of notebook 02: confidences and thresholds. The truth is computed by the notebook's own
steps."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from ..data import load_purchases
from ..dataset import split
from ..network import MLP
from . import Exercise, not_a_share, prediction, quiz
from .variant import kept, moved, number


def epochs_asked():
    """How long the target of exercise 02.2 learns: the threshold to be found depends on it."""
    return number(20, 5, 6, 8)


@kept
def shop(epochs=20):
    """The world and the target of notebooks 02 and 03."""
    shoppers = load_purchases(n_classes=10, n_records=2000, random_state=moved(0))
    world = split(shoppers, n_members=500, random_state=moved(0))
    return world, MLP(epochs=epochs, random_state=moved(0)).fit(*world.members)


def confidence(X, y, epochs=20):
    """The target's confidence in the true class of each record."""
    return shop(epochs)[1].predict_proba(X)[np.arange(len(y)), y]


def rates(threshold, epochs=20):
    """Hits and false alarms, as shares, of a threshold on the confidence."""
    world, _ = shop(epochs)
    return tuple(
        np.mean(confidence(*side, epochs) >= threshold)
        for side in (world.members, world.nonmembers)
    )


def advantage(threshold):
    hits, alarms = rates(threshold, epochs_asked())
    return hits - alarms


def judge_threshold(answer):
    if complaint := not_a_share("the threshold", answer):
        return complaint
    tried = {percent / 100: advantage(percent / 100) for percent in range(101)}
    best = max(tried, key=tried.get)
    if advantage(answer) >= tried[best] - 0.01 - 1e-9:
        return None
    if abs(answer - tried[best]) < 0.006:
        return "this is the largest advantage itself; asked for is the threshold that reaches it."
    hits, alarms = (100 * rate for rate in rates(answer, epochs_asked()))
    if answer < best:
        mistake = (
            f"the hits are many ({hits:.0f} of 100), but so are the false alarms ({alarms:.0f} of "
            "100)"
        )
    else:
        mistake = (
            f"the false alarms are fewer ({alarms:.0f} of 100), but the hits have fallen more (to "
            f"{hits:.0f})"
        )
    return (
        f"at {answer:.3g} {mistake}: advantage {advantage(answer):.2f}. Another threshold reaches "
        f"{tried[best]:.2f}."
    )


@kept
def season(late):
    """AUC of the threshold attack and of the blind baseline, on the shop's non-members or on those
    of the next season."""
    world, _ = shop()
    others = world.nonmembers[0].copy()
    if late:
        others[:, ::5] = 0
    X = np.concatenate([world.members[0], others])
    y = np.concatenate([world.members[1], world.nonmembers[1]])
    is_member = np.arange(len(y)) < len(world.members[1])
    blind = cross_val_predict(
        LogisticRegression(max_iter=1000), X, is_member, method="predict_proba"
    )
    return roc_auc_score(is_member, confidence(X, y)), roc_auc_score(is_member, blind[:, 1])


BROKEN = quiz(
    "",
    "b",
    (
        "The non-members differ from the members in more than membership, and the AUC "
        "measures that too."
    ),
    {
        "a": (
            "a thousand records settle the AUC to within a few hundredths. The blind baseline "
            "shows something else: a classifier that never asks the target should not be able to "
            "tell members at all."
        ),
        "c": (
            "no threshold was chosen here: an AUC counts all of them. What does it mean that a "
            "classifier tells these members apart without asking the target?"
        ),
    },
    "",
)


def auc(scores):
    """The AUC of scores of 500 members, then 500 non-members."""
    return roc_auc_score(np.arange(1000) < 500, scores)


def praise_diagnosis(answer):
    _, attack, blind = answer
    return (
        f"The attack's AUC is {auc(attack):.2f}. The blind baseline's is {auc(blind):.2f}, near "
        "one half, and only that makes the other worth reading."
    )


def judge_diagnosis(answer):
    broken, attack, blind = answer
    if complaint := BROKEN.judge(broken):
        return complaint
    aucs = []
    for name, scores in (("attack_scores", attack), ("blind_scores", blind)):
        scores = np.asarray(scores)
        if scores.shape != (1000,):
            return (
                f"{name} must be an array of 1,000 numbers, one for each record, the 500 members "
                f"first; got the shape {scores.shape}."
            )
        aucs.append(auc(scores))
    attack, blind = aucs
    (sound, sound_blind), (claimed, claimed_blind) = season(late=False), season(late=True)
    if abs(attack - claimed) < 0.01:
        return (
            f"these attack_scores have the colleague's AUC, {attack:.2f}. In a sound test the "
            "non-members are drawn as the members were: world.nonmembers."
        )
    if abs(attack - sound) > 0.01:
        return (
            f"attack_scores have the AUC {attack:.3f}, which members and world.nonmembers do not "
            "give: take the target's confidence in the true class of all 1,000 records."
        )
    if abs(blind - claimed_blind) < 0.01:
        return (
            f"these blind_scores have the AUC of the colleague's records, {blind:.2f}. Fit the "
            "blind baseline to world.members and world.nonmembers."
        )
    # another way of cross-validation moves it by a few hundredths
    if abs(blind - sound_blind) > 0.06:
        return (
            f"blind_scores have the AUC {blind:.3f}. Where both sides are drawn alike, there is "
            "nothing to learn from the baskets alone, and it comes near one half. Was each basket "
            "judged by a classifier that was fitted without it?"
        )
    return None


SHOP = """shoppers = mia.load_purchases(n_classes=10, n_records=2000, random_state=0)
world = mia.split(shoppers, n_members=500, random_state=0)
api = mia.BlackBox(mia.MLP(random_state=0).fit(*world.members))
X, y = (np.concatenate(part) for part in zip(world.members, world.nonmembers))
is_member = np.arange(len(y)) < len(world.members[1])
sure = api.predict_proba(X)[np.arange(len(y)), y]
"""

EXERCISES = {
    "02.1": prediction(
        "Predict how sure a model is of records it has not seen, and say why.",
        "b",
        (
            "Many of them are like baskets that it has learned, and of those it has learned "
            "to be sure."
        ),
        {
            "a": (
                "then the two histograms would look alike. Training made the model sure of the "
                "members; look how many non-members stand at the left end."
            ),
            "c": (
                "a model does not know what it has not seen. If it did, no non-member would stand "
                "at the right end of the figure."
            ),
        },
        lambda: f"{100 * rates(0.9)[1]:.0f} of 100",
        "The target is right on about two of three non-members. How sure will it be of those?",
        "so a threshold that catches the members always catches some others too.",
    ),
    "02.2": Exercise(
        "Find the threshold with the largest advantage.",
        judge_threshold,
        "Compute the advantage for each threshold of np.linspace(0, 1, 101), and keep the one "
        "where it is largest: max(thresholds, key=...) or np.argmax.",
        SHOP
        + """thresholds = np.linspace(0, 1, 101)
hits = np.array([np.mean(sure[is_member] >= threshold) for threshold in thresholds])
alarms = np.array([np.mean(sure[~is_member] >= threshold) for threshold in thresholds])
answer = thresholds[np.argmax(hits - alarms)]
""",
        "You could do this because you knew who is a member.",
        tolerance="a threshold whose advantage is within 0.01 of the best of 101",
        mistakes=("the largest advantage itself, in place of the threshold that reaches it",),
        data=SHOP,
        redrawn=lambda: [("mia.MLP(random", f"mia.MLP(epochs={epochs_asked()}, random")],
    ),
    "02.3": Exercise(
        "Recognise non-members from another distribution by a blind baseline, and mend the test.",
        judge_diagnosis,
        "Look for what tells the colleague's two sides apart before any model comes in. Then put "
        "world.nonmembers[0] in place of X_late, in both cells.",
        SHOP
        + """from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
rule = LogisticRegression(max_iter=1000)
broken = "b"
attack_scores = sure
blind_scores = cross_val_predict(rule, X, is_member, method="predict_proba")[:, 1]
""",
        praise_diagnosis,
        BROKEN.option,
        tolerance="AUC of the attack within 0.01, of the blind baseline within 0.06",
        mistakes=(
            *BROKEN.mistakes,
            "the colleague's non-members still in one of the two scores",
            "each basket judged by a classifier that was fitted with it",
        ),
        letters=BROKEN.letters,
        data=SHOP,
    ),
    "02.q1": quiz(
        "Read an AUC as an average over records.",
        "c",
        "The same threshold for all scans does hardly better than guessing. Single scans may still "
        "be recognised.",
        {
            "a": (
                "this AUC is an average over all scans. Ten of them were recognised nearly every "
                "time."
            ),
            "b": (
                "an AUC of one half says that members and non-members are flagged equally often; "
                "that recognises nobody."
            ),
        },
        "Which scans did the section look at, and what was the AUC for each of them?",
        "An average is about the many.",
    ),
    "02.q2": quiz(
        "Say what the gap attack needs.",
        "a",
        "The label that the target gives, and the true class of the record.",
        {
            "b": "the gap attack needs no confidence: it asks whether the label is right.",
            "c": (
                "the gap attack counts nothing: it judges each record by whether the label is "
                "right."
            ),
        },
        "What was left to attack where the owner gave out labels alone?",
        "That is why hiding confidences cannot end every attack.",
    ),
    "02.q3": quiz(
        "Say what an attacker lacks.",
        "b",
        "They know neither a member nor a non-member of the target, so they cannot count hits and "
        "false alarms.",
        {
            "a": "one query for each record was enough for you, and would be for them.",
            "c": "an attacker who asks about somebody is taken to know that person's true class.",
        },
        "What stands in is_member, and who has it?",
        "That is the gap which shadow models fill.",
    ),
}
