"""Exercises of notebook 07: audit a model of your own."""

from ..auditing import AuditReport
from . import Exercise, quiz

HIGHEST_AUC, LEAST_ACCURACY, LEAST_RECORDS = 0.6, 0.8, 1000
CASES = (  # TPR, FPR, one in so many is a member
    (0.4, 0.01, 100),
    (0.4, 0.01, 2),
    (0.05, 0.02, 1000),
    (1.0, 0.0, 50),
    (0.9, 0.9, 4),
)


def less_leaky(report):
    """Complain about a report that is not of a forest that leaks little and predicts well."""
    if complaint := _no_report(report):
        return complaint
    if len(report.views) == 1:
        return "no shadow models were trained, so its strongest attack is weak: leave n_models out."
    if report.broken:
        return f"this report judges nothing: {report.broken[0]}"
    if report.headline.auc > HIGHEST_AUC:
        return (
            f"the AUC is {report.headline.auc:.3f}, above {HIGHEST_AUC}. Let more people share a "
            "leaf."
        )
    if report.headline.test_accuracy < LEAST_ACCURACY:
        return (
            f"the model is right on {report.headline.test_accuracy:.1%} of the non-members only. "
            "Smaller leaves would do."
        )
    return None


def what_is_left(report):
    """What the right model of 07.1 buys, and what it does not."""
    return (
        f"The AUC is {report.headline.auc:.2f} now, and the model is right on "
        f"{report.headline.test_accuracy:.0%} of the non-members. The verdict: {report.verdict[0]}"
    )


def sound(report):
    """Complain about a report on a split that is not sound."""
    if complaint := _no_report(report):
        return complaint
    members = report.headline.members
    n_in, n_out = int(members.sum()), int((~members).sum())
    if min(n_in, n_out) < LEAST_RECORDS:
        return (
            f"it has {n_in} members and {n_out} non-members; at least 1,000 of each are asked for."
        )
    if report.broken:
        return (
            f"{report.broken[0]} Shuffle the people of all ages first, and then deal them to the "
            "two sides."
        )
    return None


def precision(worth):
    """Complain about a function that is not the precision at a base rate."""
    if not callable(worth):
        return f"hand in the function itself, worth, not {worth!r}."
    found = [worth(*case) for case in CASES]
    if all(value is None or value is ... for value in found):
        return ...
    for case, value in zip(CASES, found):
        tpr, fpr, one_in = case
        right = tpr / (tpr + fpr * (one_in - 1))
        if value is not None and abs(float(value) - right) < 1e-6:
            continue
        told = f"for a TPR of {tpr}, an FPR of {fpr} and one in {one_in}, {value} is not right:"
        if value is not None and one_in > 2 and abs(value - tpr / (tpr + fpr)) < 1e-6:
            return f"{told} that is the share where half of the records are members."
        if value is not None and abs(value - tpr / (tpr + fpr * one_in)) < 1e-6:
            return f"{told} of {one_in} records, {one_in - 1} are not members."
        return f"{told} count the flagged members and the flagged others among {one_in} records."
    return None


def _no_report(report):
    if not isinstance(report, AuditReport):
        return f"hand in what mia.audit returns, got {type(report).__name__}."
    return None


CAREFUL = """careful = RandomForestClassifier(40, min_samples_leaf=20, random_state=0)
model = make_pipeline(encode, careful).fit(*members)
"""

EXERCISES = {
    "07.1": Exercise(
        "Change a model until an audit finds little, and say what is left.",
        less_leaky,
        "min_samples_leaf: at 1, each person may have a leaf of their own.",
        CAREFUL + "my_report = mia.audit(model, members, others, progress=False)\n",
        what_is_left,
    ),
    "07.2": Exercise(
        "Draw members and non-members alike.",
        sound,
        "rows is a random order of all people: the first sections of this notebook deal from it.",
        CAREFUL + "mended = mia.audit(model, members, others, n_models=0, progress=False)\n",
        "Both sides come from one shuffled list: now the blind baseline has nothing to find.",
    ),
    "07.3": Exercise(
        "Say what a flag is worth at a base rate.",
        precision,
        "Of one_in records, 1 is a member and one_in - 1 are not. How many of each are flagged?",
        """def worth(tpr, fpr, one_in):
    return tpr / (tpr + fpr * (one_in - 1))
""",
        "The rarer members are, the less a flag is worth, at the same TPR and FPR.",
        parameters=("tpr", "fpr", "one_in"),
    ),
    "07.q1": quiz(
        "Say what an audit without a finding shows.",
        "b",
        "that these attacks found nothing in this model, with so many shadow models",
        {
            "a": "an audit bounds what is leaked from below. From above, only a proof does.",
            "c": "whether data are anonymous depends on the data and on what else is known.",
        },
        "Which sentence would still be true if a stronger attack came out tomorrow?",
        "And a stronger attack may come tomorrow.",
    ),
    "07.q2": quiz(
        "Tell a leak from a difference between two groups of people.",
        "a",
        "nothing about the model: the two sides differ before it is asked",
        {
            "b": "the attack may see the same difference, through the answers of the model.",
            "c": "the attack does what it should. The two sides it was given differ.",
        },
        "The baseline never asked the model. What did it find?",
        "Mend the split, then audit again.",
    ),
}
