"""What is asked in notebook 02: each typical mistake named, and what cannot be judged."""

import numpy as np
import pytest
from course import solved

import miaedu as mia
from miaedu.exercises.nb02 import EXERCISES

# Typical wrong answers, and what the feedback must name. The numbers are those that the notebook's
# cells print.
WRONG = [
    ("02.1", (47, "a"), "a model does not know what it has not seen"),
    ("02.1", (47, "C"), "then the two histograms would look alike"),
    ("02.1", (10, "b"), "more than you thought"),
    ("02.1", (90, "b"), "fewer than you thought"),
    ("02.1", (0.43, "b"), "for a share of 0.43, give 43"),
    ("02.1", (470, "b"), "from 0 to 100, got 470"),
    ("02.1", ("half", "b"), "must be one number"),
    ("02.1", (47, "x"), "one of the letters a, b, c"),
    ("02.2", 0.0, "so are the false alarms (100 of 100)"),
    ("02.2", 0.5, "the hits are many"),
    ("02.2", 1.0, "the false alarms are fewer"),
    ("02.2", 0.54, "this is the largest advantage itself"),
    ("02.2", 96, "must be a number from 0 to 1, got 96"),
    ("02.2", [0.1, 0.2], "must be one number"),
    ("02.2", True, "must be one number"),
    ("02.3", ("a", 0.75, 0.5), "a thousand records settle the AUC"),
    ("02.3", ("c", 0.75, 0.5), "no line was chosen here"),
    ("02.3", ("b", 0.6, 0.5), "attack_auc is not 0.600"),
    ("02.3", ("b", 75, 50), "must be a number from 0 to 1, got 75"),
    ("02.q1", "a", "an average over all scans"),
    ("02.q1", "b", "named equally often"),
    ("02.q2", "b", "needs no confidence"),
    ("02.q2", "c", "counts nothing"),
    ("02.q3", "a", "one query for each record"),
    ("02.q3", "c", "we granted him the true classes"),
]


@pytest.mark.parametrize("key, answer, named", WRONG)
def test_a_wrong_answer_is_told_its_mistake(key, answer, named):
    verdict = mia.check(key, answer)
    assert verdict.state == "wrong" and named in verdict.message, verdict


def test_every_exercise_has_two_wrong_answers_in_the_table():
    assert all(sum(key == tried for tried, _, _ in WRONG) >= 2 for key in EXERCISES)


def test_the_colleagues_own_numbers_are_recognised():
    names = {"mia": mia, "np": np}
    exec(
        EXERCISES["02.3"].solution.replace("is_member = ", "X[500:, ::5] = 0\nis_member = "), names
    )
    _, claimed, claimed_blind = names["answer"]
    _, sound, _ = solved("02.3")
    assert "the colleague's own" in mia.check("02.3", ("b", claimed, claimed_blind)).message
    assert (
        "that of the colleague's records" in mia.check("02.3", ("b", sound, claimed_blind)).message
    )
    assert "is not 0.900" in mia.check("02.3", ("b", sound, 0.9)).message


def test_an_answer_that_cannot_be_judged_is_an_error():
    assert mia.check("02.1", (47, "b", "and more")).state == "error"
    assert mia.check("02.3", "b").state == "error"
