"""What is asked in notebook 01: each typical mistake told apart, what is untouched, and what cannot
be judged."""

import matplotlib
import numpy as np
import pytest
from course import cells

import miaedu
from miaedu.exercises import check
from miaedu.exercises.nb01 import measured

CLINIC = miaedu.load_clinic("health")


def people(name, inside, drop=None, groups=CLINIC.groups):
    """A Dataset of those people whose values of a column are `inside`, as a reader might make
    it."""
    rows = inside(CLINIC.X[:, CLINIC.feature_names.index(name)])
    left = ~np.isin(CLINIC.feature_names, [] if drop is None else drop)
    X = CLINIC.X[:, left]
    return miaedu.Dataset.from_arrays(
        X[rows], CLINIC.y[rows], groups=None if groups is None else groups[rows]
    )


def lowest(values):
    return values < np.quantile(values, 0.25)


def highest(values):
    return values > np.quantile(values, 0.75)


def test_the_judge_judges_by_what_the_notebook_measured():
    matplotlib.use("Agg")
    namespace = {}
    for cell in cells("01"):  # up to the exercise 01.1
        if cell.metadata.get("exercise") == "01.1":
            break
        if cell.cell_type == "code":
            exec(cell.source, namespace)
    report, flagged = measured()
    shown = namespace["report"]
    assert (report.scores == shown.scores).all() and report.threshold == shown.threshold
    assert flagged == pytest.approx(namespace["flagged"])


@pytest.mark.parametrize("guess", [None, 2, 40, 90.5, "many"])
def test_a_guess_is_answered_and_never_judged(guess):
    verdict = check("01.1", (guess, "b"))
    assert verdict.state == "right"
    told = "It is 25 of 100:" if guess is None else f"You said {guess}, it is 25 of 100:"
    assert verdict.message.startswith(told)
    assert check("01.1", (guess, "a")).state == "wrong"


@pytest.mark.parametrize("guess", [300, 100.5, -1, 0.3])
def test_a_guess_that_cannot_be_of_100_is_told_so(guess):
    verdict = check("01.1", (guess, "b"))
    assert verdict.state == "right"
    told = f"You said {guess} (a guess is a number from 0 to 100), it is 25 of 100:"
    assert verdict.message.startswith(told)


WRONG = [
    ("01.1", (24, "a"), "there are many non-members"),
    ("01.1", (24, "c"), "never been shown who is ill"),
    ("01.1", (24, "because"), "one of the letters a, b, c, not"),
    ("01.2", np.zeros((3, 2)), "must be a Dataset"),
    ("01.2", people("mhi", lowest), "the secret still stands in the records"),
    ("01.2", people("mhi", highest, drop="mhi"), "people who feel best"),
    ("01.2", people("disea", highest, drop="disea"), "chronically ill again"),
    ("01.2", people("mhi", lowest, drop="disea"), "another column than mhi was taken out"),
    ("01.2", people("mhi", lowest, drop="mhi", groups=None), "without groups=, mia.split would"),
    (
        "01.2",
        people("mhi", lowest, drop=["disea", "mhi"]),
        "its records have 41 columns, and there should be 42",
    ),
    ("01.2", people("ghindx", lowest, drop="mhi"), "with an mhi below the quantile 0.25"),
    ("01.3", lambda hits, alarms, share: None, "returns nothing"),
    ("01.3", 0.6, "must be a function"),
    (
        "01.3",
        lambda hits, alarms, share: 100 * hits / (hits + alarms),
        "share of members is still not used",
    ),
    (
        "01.3",
        lambda hits, alarms, share: 100 * share * hits / (share * hits + alarms),
        "How common are the others",
    ),
    (
        "01.3",
        lambda hits, alarms, share: 100 * share * hits / (hits + alarms),
        "below the division line the share is missing",
    ),
    ("01.3", lambda hits, alarms, share: 100 * share * hits, "Divide by how many are flagged"),
    ("01.3", lambda h, a, s: s * h / (s * h + (1 - s) * a), "a share from 0 to 1"),
    # 0.9 of 150.6, worked out by hand
    ("01.3", lambda hits, alarms, share: 50.0, "should give 0.598"),
    ("01.q1", "a", "a sample of everybody"),
    ("01.q1", "c", "has the record already"),
    ("01.q2", "a", "tell the two sides apart"),
    ("01.q2", "b", "would make it look better"),
    ("01.q3", "a", "weighing all the circumstances"),
    ("01.q3", "c", "still be personal data"),
]


@pytest.mark.parametrize(
    "key, answer, told", WRONG, ids=[f"{key}-{i}" for i, (key, _, _) in enumerate(WRONG)]
)
def test_a_wrong_answer_is_told_its_mistake(key, answer, told):
    verdict = check(key, answer)
    assert verdict.state == "wrong" and told in verdict.message, verdict


def at_most(values):
    return values <= np.quantile(values, 0.25)


@pytest.mark.parametrize("inside", [lowest, at_most])
def test_the_cohort_may_hold_the_people_at_the_quantile_or_not(inside):
    assert people("mhi", lowest).X.shape != people("mhi", at_most).X.shape, "it makes a difference"
    assert check("01.2", people("mhi", inside, drop="mhi")).state == "right"


def bayes(hits, alarms, share):
    """By Bayes' rule, in odds: another way than the judge's counting of people."""
    odds = share / (1 - share) * hits / alarms
    return 100 * odds / (1 + odds)


@pytest.mark.parametrize(
    "off, state", [(0.9, "right"), (-0.9, "right"), (1.1, "wrong"), (-1.1, "wrong")]
)
def test_one_decimal_is_enough(off, state):
    assert check("01.3", lambda *rates: bayes(*rates) + off * 0.05).state == state


def test_an_untouched_function_is_not_attempted():
    assert check("01.3", lambda hits, alarms, share: ...).state == "not attempted"


@pytest.mark.parametrize(
    "key, answer", [("01.1", "b"), ("01.3", lambda hits, alarms, share: 1 / 0)]
)
def test_an_answer_that_raises_is_an_error(key, answer):
    assert check(key, answer).state == "error"


@pytest.mark.parametrize("answer", ["b", "ab", ("b",), (24, "b", "b")])
def test_an_answer_without_its_two_parts_is_told_what_they_are(answer):
    verdict = check("01.1", answer)
    assert verdict.state == "error"
    assert "two parts, your guess and the letter of a reason, such as (50, 'a')" in verdict.message
