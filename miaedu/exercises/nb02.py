"""Exercises of notebook 02: confidences and lines. What is true is computed anew, by the notebook's
own steps."""

from functools import cache

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from ..data import load_purchases
from ..dataset import split
from ..network import MLP
from . import Exercise, not_a_share, quiz


@cache
def shop():
    """The world and the target of notebooks 02 and 03."""
    world = split(
        load_purchases(n_classes=10, n_records=2000, random_state=0), n_members=500, random_state=0
    )
    return world, MLP(random_state=0).fit(*world.members)


def trust(X, y):
    """The target's confidence in the true class of each record."""
    return shop()[1].predict_proba(X)[np.arange(len(y)), y]


def rates(line):
    """Hits and false alarms, as shares, of a line on the confidence."""
    world, _ = shop()
    return np.mean(trust(*world.members) >= line), np.mean(trust(*world.nonmembers) >= line)


def advantage(line):
    hits, alarms = rates(line)
    return hits - alarms


REASON = quiz(
    "",
    "b",
    {
        "a": (
            "a model does not know what it has not seen: a basket like those it has learned gets a "
            "high confidence too. Look at the right end of the figure."
        ),
        "c": (
            "then the two histograms would look alike. Training made the model sure of the "
            "members; of the others, look how many stand at the left end."
        ),
    },
    "",
)


def judge_prediction(answer):
    guess, reason = answer
    complaint = not_a_share("my_guess", guess, 100) or REASON.judge(reason)
    if complaint:
        return complaint
    truth = 100 * rates(0.9)[1]
    if abs(guess - truth) <= 10:
        return None
    return (
        f"it is {truth:.0f} of 100, {'fewer' if guess > truth else 'more'} than you thought. Your "
        "reason holds: now look at the figure again."
    )


def judge_line(answer):
    if complaint := not_a_share("the line", answer):
        return complaint
    tried = {line / 100: advantage(line / 100) for line in range(101)}
    best = max(tried, key=tried.get)
    if advantage(answer) >= tried[best] - 0.01:
        return None
    if abs(answer - tried[best]) < 0.006:
        return "this is the largest advantage itself; asked for is the line that reaches it."
    hits, alarms = (100 * rate for rate in rates(answer))
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
        f"at {answer:.3g} {mistake}: advantage {advantage(answer):.2f}. Another line reaches "
        f"{tried[best]:.2f}."
    )


@cache
def season(late):
    """AUC of the line attack and of the blind baseline, on the shop's non-members or on those of
    the next season."""
    world, _ = shop()
    others = world.nonmembers[0].copy()
    if late:
        others[:, ::5] = 0
    X, y = (
        np.concatenate([world.members[0], others]),
        np.concatenate([world.members[1], world.nonmembers[1]]),
    )
    is_member = np.arange(len(y)) < len(world.members[1])
    blind = cross_val_predict(
        LogisticRegression(max_iter=1000), X, is_member, method="predict_proba"
    )[:, 1]
    return roc_auc_score(is_member, trust(X, y)), roc_auc_score(is_member, blind)


BROKEN = quiz(
    "",
    "b",
    {
        "a": (
            "a thousand records settle the AUC to within a few hundredths. The blind baseline "
            "shows something else: who never asks the target should not be able to tell members at "
            "all."
        ),
        "c": (
            "no line was chosen here: an AUC speaks of all lines. What does it mean that a "
            "classifier tells his members apart without asking the target?"
        ),
    },
    "",
)


def judge_diagnosis(answer):
    broken, attack, blind = answer
    complaint = (
        BROKEN.judge(broken) or not_a_share("attack_auc", attack) or not_a_share("blind_auc", blind)
    )
    if complaint:
        return complaint
    (sound, sound_blind), (claimed, claimed_blind) = season(late=False), season(late=True)
    if abs(attack - claimed) < 0.01:
        return (
            "this attack_auc is the colleague's own: a sound test has non-members drawn as the "
            "members were, world.nonmembers."
        )
    if abs(attack - sound) >= 0.01:
        return (
            f"attack_auc is not {attack:.3f} on members and world.nonmembers: take the confidence "
            "in the true class, and the AUC over all 1,000 records."
        )
    if abs(blind - claimed_blind) < 0.01:
        return (
            "this blind_auc is that of the colleague's records. Give the blind baseline "
            "world.members and world.nonmembers."
        )
    # another way of cross-validation moves it by a few hundredths
    if abs(blind - sound_blind) > 0.06:
        return (
            f"blind_auc is not {blind:.3f}: where both sides are drawn alike, there is nothing to "
            "learn from the baskets alone, and it comes near one half. Was each basket judged by a "
            "classifier fitted without it?"
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
    "02.1": Exercise(
        "Predict how sure a model is of records it has not seen, and say why.",
        judge_prediction,
        "The target is right on about two of three non-members. How sure will it be of those?",
        SHOP + 'answer = (100 * np.mean(sure[~is_member] >= 0.9), "b")\n',
        "And so a line that catches the members always catches some others too.",
    ),
    "02.2": Exercise(
        "Find the line with the largest advantage.",
        judge_line,
        "Compute the advantage for each line of np.linspace(0, 1, 101), and keep the line where it "
        "is largest: max(lines, key=...) or np.argmax.",
        SHOP
        + """lines = np.linspace(0, 1, 101)
hits = np.array([np.mean(sure[is_member] >= line) for line in lines])
alarms = np.array([np.mean(sure[~is_member] >= line) for line in lines])
answer = lines[np.argmax(hits - alarms)]
""",
        "You could do this because you knew who was in.",
    ),
    "02.3": Exercise(
        "Recognise non-members from another distribution by a blind baseline, and mend the test.",
        judge_diagnosis,
        "Look for what tells the colleague's two sides apart before any model comes in. Then put "
        "world.nonmembers in place of X_late.",
        SHOP
        + """from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict
rule = LogisticRegression(max_iter=1000)
blind = cross_val_predict(rule, X, is_member, method="predict_proba")[:, 1]
answer = ("b", roc_auc_score(is_member, sure), roc_auc_score(is_member, blind))
""",
        "A blind baseline near one half is what makes the other number worth reading.",
    ),
    "02.q1": quiz(
        "Read an AUC as an average over records.",
        "c",
        {
            "a": (
                "the AUC of one line is an average over all scans. Ten of them were recognised "
                "nearly every time."
            ),
            "b": (
                "an AUC of one half says that members and non-members are named equally often; "
                "that recognises nobody."
            ),
        },
        "Which scans did the section look at, and what was its AUC for them?",
        "An average is about the many.",
    ),
    "02.q2": quiz(
        "Name what the gap attack needs.",
        "a",
        {
            "b": "the gap attack needs no confidence: it asks whether the label is right.",
            "c": (
                "the gap attack counts nothing: it judges each record by whether the label is "
                "right."
            ),
        },
        "How did the owner who gave out labels alone fare?",
        "That is why hiding confidences cannot end every attack.",
    ),
    "02.q3": quiz(
        "Say what an attacker lacks.",
        "b",
        {
            "a": "one query for each record was enough for you, and would be for him.",
            "c": (
                "we granted him the true classes of the people he asks about; see the table at the "
                "start."
            ),
        },
        "What stood in is_member, and who has it?",
        "That is the gap which shadow models fill.",
    ),
}
