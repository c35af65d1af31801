"""Exercises of notebook 01: consequences. What is true is computed anew, by the notebook's own
steps."""

from functools import cache

import numpy as np

from ..attacks import ShadowAttack
from ..blackbox import BlackBox
from ..data import load_clinic
from ..dataset import Dataset, split
from ..metrics import evaluate
from ..network import MLP
from ..shadow import ShadowModels
from . import Exercise, not_a_share, quiz

# Hits, false alarms, and one member among how many people.
TOWNS = [(0.9, 0.3, 2), (0.9, 0.3, 500), (0.5, 0.02, 1000), (1.0, 0.1, 10), (0.25, 0.25, 8)]


def quarter(name, lowest=False):
    """Who (n,) is in the quarter with the highest (or lowest) values of a column, and all records
    without it."""
    clinic = load_clinic("health")
    column = clinic.feature_names.index(name)
    values = clinic.X[:, column]
    inside = values < np.quantile(values, 0.25) if lowest else values > np.quantile(values, 0.75)
    return inside, np.delete(clinic.X, column, axis=1)


@cache
def audit():
    """The notebook's Report, and how many of 100 people whom its attack names are in the ill
    quarter."""
    clinic, (ill, records) = load_clinic("health"), quarter("disea")
    cohort = Dataset.from_arrays(
        records[ill], clinic.y[ill], groups=clinic.groups[ill], class_names=clinic.class_names
    )
    world = split(cohort, n_members=300, random_state=1)
    api = BlackBox(MLP(epochs=50, random_state=1).fit(*world.members))
    attack = ShadowAttack().fit(
        ShadowModels(MLP(epochs=50), n_models=8, random_state=2).fit(*world.pool)
    )
    report = evaluate(attack, api, world)
    others = (attack.score(api, records[~ill], clinic.y[~ill]) >= attack.threshold_).sum()
    members = report.members.sum()
    named_ill = members * report.recall + (ill.sum() - members) * report.fpr
    return report, float(100 * named_ill / (named_ill + others))


REASON = quiz(
    "",
    "b",
    {
        "a": (
            "the attack does not name members alone: of the many people who are not members it "
            "names some by mistake."
        ),
        "c": (
            "the attack has never been shown who is ill: all its records are of the ill quarter. "
            "It looks for what the target has seen, not for illness."
        ),
    },
    "",
)


def judge_prediction(answer):
    guess, reason = answer
    if complaint := not_a_share("my_guess", guess, 100) or REASON.judge(reason):
        return complaint
    truth = audit()[1]
    if abs(guess - truth) <= 10:
        return None
    return (
        f"it is {truth:.0f} of 100. Your reason is right, but it weighs "
        f"{'more' if guess > truth else 'less'} than you thought: count how many people of each "
        "kind there are."
    )


def judge_cohort(answer):
    if not isinstance(answer, Dataset):
        return (
            "answer must be a Dataset, made with mia.Dataset.from_arrays, got "
            f"{type(answer).__name__}."
        )
    low, records = quarter("mhi", lowest=True)
    if answer.X.shape[1] > records.shape[1]:
        return (
            "the secret still stands in the records: take the column mhi out, or the attacker can "
            "read it there."
        )
    if same(answer.X, records[low]):
        return (
            None
            if answer.groups is not None
            else (
                "the households are lost: without groups, mia.split would deal relatives to "
                "different parts."
            )
        )
    for name, complaint in (
        (
            "mhi",
            "these are the people who feel best. A low mhi means to feel bad: turn the sign "
            "round, and take the lower edge, 0.25.",
        ),
        ("disea", "these are the chronically ill again: the column's name has to change."),
    ):
        inside, others = quarter(name)
        if same(answer.X, others[inside]):
            return complaint
    if len(answer) == low.sum():
        return (
            "these are the right people, it seems, but another column than mhi was taken out of "
            "their records."
        )
    return (
        f"there should be {low.sum()} people, all with an mhi below the lowest quarter's edge; got "
        f"{len(answer)}."
    )


def same(X, Y):
    return X.shape == Y.shape and bool((X == Y).all())


def judge_worth(worth):
    """Compare with people counted one by one, and with the mistakes that come easily."""
    if not callable(worth):
        return f"worth must be a function of hits, alarms and share, got {worth!r}."
    found = [worth(hits, alarms, 1 / n) for hits, alarms, n in TOWNS]
    if any(value is ... for value in found):
        return ...
    if any(value is None for value in found):
        return "your function returns nothing: end it with return and a number."
    counted = []
    for hits, alarms, n in TOWNS:
        # of 1000 n people, 1000 are members
        named_members, named_others = 1000 * hits, 1000 * (n - 1) * alarms
        counted.append(100 * named_members / (named_members + named_others))
    mistakes = {
        "the share of members is still not used: "
        "this holds only where every second one asked about is a member.": [
            100 * h / (h + a) for h, a, n in TOWNS
        ],
        "only the members are counted by their share. How common are the others, who cause the "
        "false alarms?": [100 * h / n / (h / n + a) for h, a, n in TOWNS],
        "below the line the share is missing: both the named members and the named others have to "
        "be counted there.": [100 * h / n / (h + a) for h, a, n in TOWNS],
        "this is how many of 100 people asked about are members and named. Divide by how many are "
        "named in all.": [100 * h / n for h, a, n in TOWNS],
        "this is a share from 0 to 1. Asked is how many of 100.": [each / 100 for each in counted],
    }
    if np.allclose(found, counted, atol=0.051):  # rounded to one decimal will do
        return None
    for complaint, values in mistakes.items():
        if np.allclose(found, values):
            return complaint
    return (
        f"with 90 hits and 30 false alarms of 100, and 1 member among 500, it gives {found[1]:.3g} "
        f"and should give {counted[1]:.3g}: of 500 people, 0.9 members and 149.7 others are named."
    )


EXERCISES = {
    "01.1": Exercise(
        "Foresee what being named says about somebody's health, and why.",
        judge_prediction,
        "Imagine all people of the survey. How many are members, how many are not, and how many of "
        "each are named?",
        'answer = (22, "b")',
        "To be named says far less than to be a member.",
    ),
    "01.2": Exercise(
        "Build the cohort of another secret.",
        judge_cohort,
        "Copy the cell that makes cohort. The column's name, the sign and the edge of the quarter "
        "change.",
        """clinic = mia.load_clinic("health")
mhi = clinic.feature_names.index("mhi")
low = clinic.X[:, mhi] < np.quantile(clinic.X[:, mhi], 0.25)
without = np.delete(clinic.X, mhi, axis=1)
answer = mia.Dataset.from_arrays(without[low], clinic.y[low], groups=clinic.groups[low],
                                 class_names=clinic.class_names)""",
        "Now membership would tell who felt worst.",
    ),
    "01.3": Exercise(
        "Find what is wrong with a calculation that takes no notice of how rare members are, and "
        "mend it.",
        judge_worth,
        "Of 500 people, 1 is a member and 499 are not. How many of each are named? Say it with "
        "share and 1 - share.",
        """def worth(hits, alarms, share):
    members, others = share * hits, (1 - share) * alarms
    return 100 * members / (members + others)
answer = worth""",
        "Where people are alike, hits and false alarms stay. What a positive is worth does not, if "
        "members are rarer.",
    ),
    "01.q1": quiz(
        "Know when membership hurts.",
        "b",
        {
            "a": (
                "to be in a sample of everybody tells next to nothing. Look at what the members "
                "have in common."
            ),
            "c": (
                "the attacker holds the record already, with a name or without. What he learns is "
                "what the cohort is."
            ),
        },
        "What would you learn about a member of a sample of everybody? And about a member of the "
        "cohort above?",
        "It is the cohort that speaks.",
    ),
    "01.q2": quiz(
        "Know why non-members are drawn from the same quarter.",
        "c",
        {
            "a": (
                "the other quarters have more people to choose from. Ask what the attack could "
                "tell apart by."
            ),
            "b": (
                "they would make it look better: to tell the ill from the healthy would count as "
                "success."
            ),
        },
        "If the members are ill and the non-members healthy, what does an attack have to find?",
        "Members and non-members then differ in one thing alone: what the target has seen.",
    ),
    "01.q3": quiz(
        "Know what a successful attack shows.",
        "b",
        {
            "a": (
                "it shows that the answers leak. Whether that is a breach is found by weighing all "
                "the circumstances."
            ),
            "c": (
                "without names they can still be personal data: people may be singled out by other "
                "means."
            ),
        },
        "It shows something, but it does not decide anything by itself.",
        "Evidence, to be weighed with everything else.",
    ),
}
