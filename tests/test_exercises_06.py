"""What is asked in notebook 06: each typical mistake named, and what cannot be judged."""

import json

import numpy as np
import pytest

import miaedu as mia
from miaedu.places import course

ROWS = json.loads(course("data", "reproduced.json").read_text(encoding="utf-8"))["rows"]


def of(row, key="precision"):
    """One number a draw, straight from the file."""
    return {r["seed"]: r[key] for r in ROWS if r["part"] == "table-2" and r["row"].startswith(row)}


def smaller(key="precision"):
    adult, two = of("adult", key), of("purchases, 2 ", key)
    return sum(adult[seed] < two[seed] for seed in adult)


WRONG = [
    ("06.1", (9, "a"), "the gap attack, which looks at the label alone"),
    ("06.1", (None, "c"), "makes an attack weaker"),
    ("06.1", (9, "because"), "one of the letters a, b, c"),
    ("06.2", lambda: 10 - smaller(), "in which Adult leaks more"),
    ("06.2", lambda: smaller("calibrated_precision"), "by the calibrated attack"),
    ("06.2", lambda: smaller("auc"), "The paper's column is a precision"),
    ("06.2", 4.5, "draw by draw"),
    ("06.2", float("nan"), "draw by draw"),
    ("06.q1", "a", "until the accuracy was about right"),
    ("06.q1", "b", "is the target's alone"),
    ("06.q2", "a", "far from the paper's number"),
    ("06.q2", "c", "The order came back on other data"),
]


@pytest.mark.parametrize(
    "key, answer, fragment", WRONG, ids=[f"{key}-{i}" for i, (key, *_) in enumerate(WRONG)]
)
def test_a_wrong_answer_is_told_what_is_wrong_with_it(key, answer, fragment):
    verdict = mia.check(key, answer() if callable(answer) else answer)
    assert verdict.state == "wrong" and fragment.lower() in verdict.message.lower(), verdict


@pytest.mark.parametrize("guess", [None, 0, 9, "all"])
def test_a_guess_is_answered_and_not_judged(guess):
    columns = [of(f"purchases, {c} ") for c in (2, 10, 20, 50, 100)]
    kept = [all(a[seed] < b[seed] for a, b in zip(columns, columns[1:])) for seed in columns[0]]
    verdict = mia.check("06.1", (guess, "b"))
    start = "It is" if guess is None else f"You said {guess}, it is"
    assert verdict.state == "right"
    assert verdict.message.startswith(f"{start} {sum(kept)} of {len(kept)}: ")


@pytest.mark.parametrize("answer", [int, np.int64, float, str])
def test_the_count_is_right_in_any_dress(answer):
    verdict = mia.check("06.2", answer(smaller()))
    assert verdict.state == "right" and verdict.message.startswith(f"{smaller()} of 10")


def test_the_mistakes_of_the_count_can_be_told_apart():
    found = [smaller(), 10 - smaller(), smaller("calibrated_precision"), smaller("auc")]
    assert len(set(found)) == len(found), found


@pytest.mark.parametrize("key, answer", [("06.1", "b"), ("06.2", "a word"), ("06.2", [1, 2])])
def test_an_answer_that_cannot_be_judged_is_an_error(key, answer):
    assert mia.check(key, answer).state == "error"
