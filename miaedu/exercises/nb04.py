"""Exercises of notebook 04: countermeasures. What is right is measured again, by the notebook's own
experiments."""

from dataclasses import replace

import numpy as np

from ..experiment import Experiment, run
from ..privacy import epsilon
from . import Exercise, prediction, quiz
from .variant import moved, number

PRIVATE = Experiment(hidden=32, n_shadows=8, epochs=60, clip=1.0, noise_multiplier=8.0)


def promised_epsilon():
    """The most that exercise 04.2 may promise."""
    return number(4, 3, 3.25, 3.5, 3.75)


def unflagged_share():
    """The share of records that the decisions of exercise 04.3 leave unflagged."""
    return number(0.05, 0.15, 0.2, 0.3)


def adaptive_against_top_1():
    """The adaptive attacker's mean advantage against the top 1 over the notebook's four targets, as
    text."""
    shop = Experiment(hidden=32, n_shadows=8, hide=(("top_k", 1),))
    results = [run(replace(shop, random_state=seed)) for seed in range(4)]
    return f"{np.mean([result.adaptive.advantage for result in results]):.2f}"


def change(answer):
    """Complain about the settings of an experiment that breaks the promise, changes the task or is
    too often wrong, or return None."""
    if isinstance(answer, dict):
        try:
            answer = Experiment(**answer)
        except (TypeError, ValueError) as refusal:
            return f"there is no such experiment: {refusal}"
    if not isinstance(answer, Experiment):
        return (
            "the answer is the settings of an experiment, dict(...) or mia.Experiment(...), not "
            f"{type(answer).__name__}."
        )
    for name in ("data", "n_classes", "n_items"):
        if getattr(answer, name) != getattr(PRIVATE, name):
            return (
                f"{name} has changed: an easier task is another task. Keep "
                f"{name}={getattr(PRIVATE, name)!r}."
            )
    if answer.epochs > 200:
        return f"{answer.epochs} steps take long to check, and each costs privacy: keep to 200."
    if answer.n_members > 3000:
        return f"the shop cannot bring together {answer.n_members:,} members; 3,000 at most."
    if not answer.clip or not answer.noise_multiplier:
        return "without a clip and noise nothing is promised: epsilon is infinite."
    promised = epsilon(noise_multiplier=answer.noise_multiplier, steps=answer.epochs, delta=1e-5)
    if promised > promised_epsilon() + 1e-6:
        return (
            f"noise {answer.noise_multiplier:g} over {answer.epochs} steps promises epsilon "
            f"{promised:.2f}, more than {promised_epsilon()}. mia.noise_for knows the noise."
        )
    quick = replace(answer, attack="gap", n_shadows=1)  # only the target's accuracy is wanted
    right = np.mean(
        [run(replace(quick, random_state=seed)).report.test_accuracy for seed in range(3)]
    )
    if right < 0.65:
        return (
            f"the promise holds, with epsilon {promised:.2f}, but the target is right on "
            f"{100 * right:.0f} of 100 new records only. The noise does not depend on the number "
            "of records in the sum (n_members); what it drowns does."
        )
    return None


def broken_evaluation():
    """The rates in exercise 04.3: what was reported, what other mistakes give, and the advantage on
    all records."""
    report = run(replace(PRIVATE, random_state=moved(0))).report
    members, flagged = (
        report.members,
        report.scores >= np.quantile(report.scores, unflagged_share()),
    )
    kept = members | (np.cumsum(~members) % 10 == 0)
    hits, alarms = flagged[members].mean(), flagged[~members].mean()
    return {
        "advantage": hits - alarms,
        "headline": np.mean(flagged[kept] == members[kept]),
        "always": members[kept].mean(),
        "precision": members[kept & flagged].mean(),
        "few": hits - flagged[kept & ~members].mean(),
        "accuracy": np.mean(flagged == members),
        "learned": report.advantage,
    }


TOLERANCE = 0.005 + 1e-9  # two decimals are enough


def diagnose(answer):
    """Complain about a number that is not the mended advantage, naming the mistake that gives it,
    or return None."""
    value, rates = float(answer), broken_evaluation()
    nearest = min(rates, key=lambda name: abs(value - rates[name]))
    if not abs(value - rates[nearest]) <= TOLERANCE:
        if abs(value / 100 - rates["advantage"]) <= TOLERANCE:
            return "right in per cent, but an advantage is a difference of shares: divide by 100."
        return (
            "the advantage is the share of True in flagged among the members, less that among "
            "non-members."
        )
    mistakes = {
        "always": (
            "that is what flagging every record would reach: more than the attack! So the headline "
            "means nothing. Now mend the evaluation."
        ),
        "headline": "that is the headline itself. To flag every record is right for "
        f"{rates['always']:.0%} of these records.",
        "precision": (
            "that is the precision: it is high, as the accuracy is, because nearly all records are "
            "members."
        ),
        "few": (
            "that is the advantage on every tenth non-member, a handful of records: use all of "
            "them."
        ),
        "accuracy": (
            "that is the accuracy on all records, half of them members. The advantage is asked "
            "for: TPR - FPR."
        ),
        "learned": (
            "that is the advantage at the threshold that the shadow models taught. Judge the "
            "decisions in flagged."
        ),
    }
    return mistakes.get(nearest)


DECISIONS = """private = dict(hidden=32, n_shadows=8, epochs=60, clip=1.0)
report = mia.run(mia.Experiment(**private, noise_multiplier=8.0, random_state=0)).report
flagged = report.scores >= np.quantile(report.scores, q=0.05)
"""

EXERCISES = {
    "04.1": prediction(
        "Predict what an attacker gets back by adapting.",
        "b",
        "Members differ most in the highest confidence, and that one is still sent.",
        {
            "a": (
                "nobody asks for a class: an answer depends on the record alone, and it holds the "
                "highest confidence and nine zeros each time."
            ),
            "c": (
                "nobody can compute how what is left divides among nine classes. Without hiding, "
                "in which of the ten do members differ most from others?"
            ),
        },
        adaptive_against_top_1,
        "Which of the ten confidences differs most between members and non-members? Is it still "
        "there?",
        "the shadow models show the attacker what the highest confidence of a member looks like "
        "when it comes alone.",
    ),
    "04.2": Exercise(
        "Keep a promise and buy back accuracy.",
        change,
        "The noise is added to a sum over all members. How could the sum become larger while the "
        "noise stays the same?",
        """noise = mia.noise_for(epsilon=4, delta=1e-5, steps=60)
answer = dict(
    hidden=32, n_shadows=8, epochs=60, clip=1.0, noise_multiplier=noise, n_members=2000
)
""",
        tolerance="epsilon at most as asked; right on 65 of 100 new records, mean of three targets",
        mistakes=(
            "less noise: the promise is broken",
            "fewer steps alone: the target is too often wrong",
            "an easier task (other data, fewer classes)",
        ),
        redrawn=lambda: [
            ("epsilon=4", f"epsilon={promised_epsilon()}"),
            ("epsilon of at most 4", f"epsilon of at most {promised_epsilon()}"),
        ],
        praise="The same promise costs less accuracy with more records: the sum grows with "
        "them, the noise does not.",
    ),
    "04.3": Exercise(
        "See through an accuracy on an unbalanced test set.",
        diagnose,
        "How many of the records tested are members? The advantage does not depend on that.",
        DECISIONS
        + """answer = flagged[report.members].mean() - flagged[~report.members].mean()
""",
        tolerance="0.005: two decimals",
        mistakes=(
            "the headline itself, or what flagging every record reaches",
            "precision or accuracy in place of the advantage",
            "only every tenth non-member",
        ),
        data=DECISIONS,
        redrawn=lambda: [("q=0.05", f"q={unflagged_share()}")],
        praise="Nine of ten records tested were members, so to flag every record would have had "
        "the better headline. The advantage does not depend on the mix.",
    ),
    "04.q1": quiz(
        "What the failure of a naive attack shows.",
        "b",
        "that this attack no longer fits the answers; whether the members are protected is open "
        "until the attacker adapts",
        {
            "a": (
                "it protects from an attacker who has not noticed the rounding. And from the "
                "adaptive one?"
            ),
            "c": (
                "rounding does change what an attack finds: you saw the naive attacker lose by it."
            ),
        },
        "Whom did the owner let attack?",
        "The fall may be due to the attack alone.",
    ),
    "04.q2": quiz(
        "What follows from a low measurement under a high ceiling.",
        "c",
        "this attack, on these records, did not reach it; another attack or an odder record may "
        "come closer",
        {
            "a": "the ceiling is proven for every attack; it need not be reached by this one.",
            "b": (
                "the curve is an average over members, and of one attack. The promise covers the "
                "worst case, and there somebody may be closer to it."
            ),
        },
        "What does the ceiling hold for, and what was measured?",
        "A measurement speaks of an attack, a promise of all of them.",
    ),
    "04.q3": quiz(
        "Know which ceiling belongs to records that enter together.",
        "b",
        "1.5",
        {
            "a": (
                "0.5 is the promise for one record. With the family three records come or go, and "
                "three clipped gradients can point the same way."
            ),
            "c": "more records that enter together show more, not less.",
        },
        "By how much can three clipped gradients move the sum?",
        "The unit of a promise matters: a record, a person, a family.",
    ),
}
