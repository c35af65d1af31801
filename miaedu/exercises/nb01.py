"""Exercises of notebook 01: consequences. The truth is computed by the notebook's own steps."""

from functools import cache

import numpy as np

from ..attacks import ShadowAttack
from ..blackbox import BlackBox
from ..data import load_clinic
from ..dataset import Dataset, split
from ..metrics import evaluate
from ..network import MLP
from ..shadow import ShadowModels
from . import Exercise, prediction, quiz
from .variant import number

# Hits, false alarms, and one member among how many people.
TOWNS = [(0.9, 0.3, 2), (0.9, 0.3, 500), (0.5, 0.02, 1000), (1.0, 0.1, 10), (0.25, 0.25, 8)]
TOLERANCE = 0.05 + 1e-9  # an answer rounded to one decimal will do


def lowest_share():
    """The quantile below which people are in the cohort of exercise 01.2."""
    return number(0.25, 0.15, 0.2, 0.3, 0.35)


def quarter(name, lowest=False):
    """Who (n,) is in the quarter with the highest (or, for a variant, the share with the lowest)
    values of a column, and all records without it."""
    clinic = load_clinic("health")
    position = clinic.feature_names.index(name)
    values = clinic.X[:, position]
    if lowest:
        inside = values < np.quantile(values, lowest_share())
    else:
        inside = values > np.quantile(values, 0.75)
    return inside, np.delete(clinic.X, position, axis=1)


@cache
def measured():
    """The notebook's Report, and how many of 100 people whom its attack flags are in the ill
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
    flagged_rest = (attack.score(api, records[~ill], clinic.y[~ill]) >= attack.threshold_).sum()
    members = report.members.sum()
    flagged_ill = members * report.recall + (ill.sum() - members) * report.fpr
    return report, float(100 * flagged_ill / (flagged_ill + flagged_rest))


def judge_cohort(answer):
    """Compare with the quarter whose mhi is lowest, and with the cohorts made by mistake; whether
    the value at its edge is in makes no difference."""
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
    if answer.X.shape[1] < records.shape[1]:
        return (
            f"its records have {answer.X.shape[1]} columns, and there should be "
            f"{records.shape[1]}: all but mhi. Start from clinic.X: in records, disea is already "
            "missing."
        )
    mhi = column("mhi")
    at_most = mhi <= np.quantile(mhi, lowest_share())
    if same(answer.X, records[low]) or same(answer.X, records[at_most]):
        if answer.groups is not None:
            return None
        return (
            "the households are lost: without groups=, mia.split would put relatives into "
            "different parts."
        )
    for name, complaint in (
        (
            "mhi",
            "these are the people who feel best. A low mhi means to feel bad: turn the comparison "
            f"round, and take the quantile {lowest_share()}.",
        ),
        ("disea", "these are the chronically ill again: the column's name has to change."),
    ):
        inside, others = quarter(name)
        if same(answer.X, others[inside]):
            return complaint
    if len(answer) in (low.sum(), at_most.sum()):
        return (
            "the number of people is right, but another column than mhi was taken out of their "
            "records."
        )
    return (
        f"there should be {low.sum()} people with an mhi below the quantile {lowest_share()}, or "
        f"{at_most.sum()} at or below it; got {len(answer)}."
    )


def column(name):
    clinic = load_clinic("health")
    return clinic.X[:, clinic.feature_names.index(name)]


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
        # of 1000 n people, 1000 are members; so many of each are flagged
        members, others = 1000 * hits, 1000 * (n - 1) * alarms
        counted.append(100 * members / (members + others))
    mistakes = {
        "the share of members is still not used: "
        "this holds only where every second one asked about is a member.": [
            100 * h / (h + a) for h, a, n in TOWNS
        ],
        "only the members are counted by their share. How common are the others, who cause the "
        "false alarms?": [100 * h / n / (h / n + a) for h, a, n in TOWNS],
        "below the division line the share is missing: both the flagged members and the flagged "
        "others have to be counted there.": [100 * h / n / (h + a) for h, a, n in TOWNS],
        "this is how many of 100 people asked about are members and flagged. Divide by how many "
        "are flagged in all.": [100 * h / n for h, a, n in TOWNS],
        "this is a share from 0 to 1. Asked is how many of 100.": [each / 100 for each in counted],
    }
    if np.allclose(found, counted, rtol=0, atol=TOLERANCE):
        return None
    for complaint, values in mistakes.items():
        if np.allclose(found, values):
            return complaint
    return (
        f"with 90 hits and 30 false alarms of 100, and 1 member among 500, it gives {found[1]:.3g} "
        f"and should give {counted[1]:.3g}: of 500 people it flags 0.9 members and 149.7 others."
    )


EXERCISES = {
    "01.1": prediction(
        "Predict what being flagged says about somebody's health, and why.",
        "b",
        "Most of the people asked about are not members, and many of these are flagged too.",
        {
            "a": (
                "then nearly all flagged people would be ill. The attack flags some non-members by "
                "mistake, and there are many non-members."
            ),
            "c": (
                "the attack has never been shown who is ill: all its records are of the ill "
                "quarter. It looks for what the target has seen, not for illness."
            ),
        },
        lambda: f"{measured()[1]:.0f} of 100",
        "Imagine all people of the survey. How many are members, how many are not, and how many of "
        "each are flagged?",
        "to be flagged says far less than to be a member.",
    ),
    "01.2": Exercise(
        "Build the cohort of another secret.",
        judge_cohort,
        "Copy the cell that makes cohort. The name of the column, the comparison and the quantile "
        "change.",
        """clinic = mia.load_clinic("health")
mhi = clinic.feature_names.index("mhi")
low = clinic.X[:, mhi] < np.quantile(clinic.X[:, mhi], 0.25)
without = np.delete(clinic.X, mhi, axis=1)
answer = mia.Dataset.from_arrays(without[low], clinic.y[low], groups=clinic.groups[low])""",
        "Now membership would tell who feels worst.",
        tolerance="the very records, in any of two readings: below the quantile, or at most it",
        mistakes=(
            "the people who feel best (the comparison the wrong way round)",
            "the column mhi left in the records: the secret can be read there",
            "the households lost (no groups=)",
        ),
        redrawn=lambda: [("0.25", f"{lowest_share()}")],
    ),
    "01.3": Exercise(
        "Find what is wrong with a calculation that ignores how rare members are, and mend it.",
        judge_worth,
        "Of 500 people, 1 is a member and 499 are not. How many of each are flagged? Say it with "
        "share and 1 - share.",
        """def worth(hits, alarms, share):
    members, others = share * hits, (1 - share) * alarms
    return 100 * members / (members + others)
""",
        "For people of the same kind, hits and false alarms stay as they are. What a positive is "
        "worth falls where members are rarer.",
        tolerance="0.05 of 100, in five towns",
        mistakes=(
            "share is not used at all",
            "only the members are weighted by their share",
            "a share from 0 to 1 in place of a number of 100",
        ),
        parameters=("hits", "alarms", "share"),
    ),
    "01.q1": quiz(
        "Know when membership hurts.",
        "b",
        "when the members have something in common that is nobody's business",
        {
            "a": (
                "to be in a sample of everybody tells next to nothing. Look at what the members "
                "have in common."
            ),
            "c": (
                "the attacker has the record already, with a name or without. What they learn is "
                "that its owner belongs to the cohort."
            ),
        },
        "What would you learn about a member of a sample of everybody? And about a member of the "
        "cohort above?",
        "The harm lies in what the members have in common.",
    ),
    "01.q2": quiz(
        "Know why non-members are drawn from the same quarter.",
        "c",
        "so that the attack cannot win by telling the ill from the healthy",
        {
            "a": (
                "the other quarters have more people to choose from. Ask by what else the attack "
                "could tell the two sides apart."
            ),
            "b": (
                "they would make it look better: to tell the ill from the healthy would count as "
                "success."
            ),
        },
        "If the members are ill and the non-members healthy, what does an attack have to find?",
        "Members and non-members then differ in one thing only: the target has seen the members.",
    ),
    "01.q3": quiz(
        "Know what a successful attack shows.",
        "b",
        "evidence, for an assessment of the whole case",
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
        "It shows something, but by itself it decides nothing.",
        "Evidence, to be weighed with everything else.",
    ),
}
