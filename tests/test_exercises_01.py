"""What is asked in notebook 01: each typical mistake named, what is untouched, and what cannot be
judged."""

import matplotlib
import numpy as np
import pytest
from course import cells

import miaedu
from miaedu.exercises import check
from miaedu.exercises.nb01 import audit, quarter

CLINIC = miaedu.load_clinic("health")


def people(name, lowest=False, drop=None, groups=CLINIC.groups):
    """A Dataset of one quarter, as a reader might make it."""
    inside = quarter(name, lowest)[0]
    X = CLINIC.X if drop is None else np.delete(CLINIC.X, CLINIC.feature_names.index(drop), axis=1)
    groups = None if groups is None else groups[inside]
    return miaedu.Dataset.from_arrays(
        X[inside], CLINIC.y[inside], groups=groups, class_names=CLINIC.class_names
    )


def test_the_judge_judges_by_what_the_notebook_measured():
    matplotlib.use("Agg")
    namespace = {"my_guess": None}
    for cell in cells("01"):  # up to the figure that answers 01.1
        if cell.cell_type == "code" and "exercise" not in cell.metadata:
            exec(cell.source, namespace)
        if "mark_guess" in cell.source:
            break
    report, named = audit()
    assert (report.scores == namespace["report"].scores).all() and report.threshold == namespace[
        "report"
    ].threshold
    assert named == pytest.approx(namespace["named"])


WRONG = [
    ("01.1", (24, "a"), "does not name members alone"),
    ("01.1", (24, "c"), "never been shown who is ill"),
    ("01.1", (90, "b"), "weighs more than you thought"),
    ("01.1", (2, "B"), "weighs less than you thought"),
    ("01.1", (24, "because"), "one of the letters a, b, c, not"),
    ("01.1", (240, "b"), "from 0 to 100, got 240"),
    ("01.1", ("many", "b"), "must be one number"),
    ("01.1", (0.24, "b"), "for a share of 0.24, give 24"),
    ("01.3", lambda hits, alarms, share: None, "returns nothing"),
    ("01.2", np.zeros((3, 2)), "must be a Dataset"),
    ("01.2", people("mhi", lowest=True), "the secret still stands in the records"),
    ("01.2", people("mhi", drop="mhi"), "people who feel best"),
    ("01.2", people("disea", drop="disea"), "chronically ill again"),
    ("01.2", people("mhi", lowest=True, drop="disea"), "another column than mhi was taken out"),
    ("01.2", people("mhi", lowest=True, drop="mhi", groups=None), "households are lost"),
    ("01.2", people("ghindx", lowest=True, drop="mhi"), "below the lowest quarter's edge"),
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
        "below the line the share is missing",
    ),
    ("01.3", lambda hits, alarms, share: 100 * share * hits, "Divide by how many are named in all"),
    ("01.3", lambda h, a, s: s * h / (s * h + (1 - s) * a), "a share from 0 to 1"),
    # 0.9 of 150.6, worked out by hand
    ("01.3", lambda hits, alarms, share: 50.0, "should give 0.598"),
    ("01.q1", "a", "a sample of everybody"),
    ("01.q1", "c", "holds the record already"),
    ("01.q2", "a", "tell apart by"),
    ("01.q2", "b", "would make it look better"),
    ("01.q3", "a", "weighing all the circumstances"),
    ("01.q3", "c", "still be personal data"),
]


@pytest.mark.parametrize(
    "key, answer, said", WRONG, ids=[f"{key}-{i}" for i, (key, _, _) in enumerate(WRONG)]
)
def test_a_wrong_answer_is_told_its_mistake(key, answer, said):
    verdict = check(key, answer)
    assert verdict.state == "wrong" and said in verdict.message, verdict


def test_an_untouched_function_is_not_attempted():
    assert check("01.3", lambda hits, alarms, share: ...).state == "not attempted"


@pytest.mark.parametrize(
    "key, answer", [("01.1", "b"), ("01.3", lambda hits, alarms, share: 1 / 0)]
)
def test_an_answer_that_raises_is_an_error(key, answer):
    assert check(key, answer).state == "error"


def test_another_way_to_write_the_mended_function_is_right():
    assert (
        check("01.3", lambda hits, alarms, share: 100 / (1 + (1 / share - 1) * alarms / hits)).state
        == "right"
    )
