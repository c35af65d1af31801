"""What is asked in notebook 04: each typical mistake named, and what cannot be judged."""

import numpy as np
import pytest

import miaedu as mia
from miaedu.exercises.nb04 import PRIVATE, broken_evaluation

PRIVATE_SETTINGS = dict(hidden=32, n_shadows=8, epochs=60, clip=1.0)
RATES = broken_evaluation()


def experiment(**settings):
    return mia.Experiment(**PRIVATE_SETTINGS | settings)


WRONG = [
    ("04.1", (0.05, "b"), "nearer to what the naive attacker"),
    ("04.1", (0.9, "b"), "more than he was told without it"),
    ("04.1", (0.35, "B"), "more out of one confidence"),
    ("04.1", (50, "b"), "from 0 to 1, got 50"),
    ("04.1", ("half", "b"), "must be one number"),
    ("04.1", (0.5, "because"), "one of the letters a, b, c"),
    ("04.1", (0.5, "a"), "In which of the ten"),
    ("04.1", (0.5, "c"), "what is no longer in it"),
    ("04.2", experiment(noise_multiplier=8.0), "more than 4"),
    ("04.2", experiment(noise_multiplier=8.5), "of 100 new records only"),
    ("04.2", experiment(noise_multiplier=8.0, epochs=40), "of 100 new records only"),
    ("04.2", experiment(noise_multiplier=8.0, n_members=2000), "more than 4"),
    ("04.2", experiment(noise_multiplier=8.5, n_classes=2), "n_classes has changed"),
    ("04.2", experiment(noise_multiplier=8.5, n_members=5000), "3,000 at most"),
    ("04.2", experiment(noise_multiplier=80.0, epochs=5000), "keep to 200"),
    ("04.2", mia.Experiment(hidden=32), "epsilon is infinite"),
    ("04.2", experiment(), "epsilon is infinite"),
    ("04.2", 8.5, "not float"),
    ("04.3", RATES["headline"], "that is the headline"),
    ("04.3", round(float(RATES["headline"]), 2), "that is the headline"),
    ("04.3", RATES["always"], '"member" every time'),
    ("04.3", RATES["few"], "use all of them"),
    ("04.3", RATES["accuracy"], "The advantage is asked for"),
    ("04.3", RATES["learned"], "shadow models taught"),
    ("04.3", 100 * RATES["advantage"], "divide by 100"),
    ("04.3", float("nan"), "share of True in said among the members"),
    ("04.3", 0.3, "share of True in said among the members"),
    ("04.q1", "a", "And from the adaptive one"),
    ("04.q1", "c", "naive attacker lose"),
    ("04.q1", "x", "one of the letters a, b, c"),
    ("04.q2", "a", "need not be reached"),
    ("04.q2", "b", "average over members"),
    ("04.q3", "a", "three clipped gradients"),
    ("04.q3", "c", "show more, not less"),
]


@pytest.mark.parametrize(
    "key, answer, fragment", WRONG, ids=[f"{key}-{i}" for i, (key, *_) in enumerate(WRONG)]
)
def test_a_wrong_answer_is_told_what_is_wrong_with_it(key, answer, fragment):
    verdict = mia.check(key, answer)
    assert verdict.state == "wrong" and fragment in verdict.message, verdict


def test_the_mistakes_of_the_diagnosis_can_be_told_apart():
    assert len({round(float(rate), 4) for rate in RATES.values()}) == len(RATES)
    others = [abs(RATES["advantage"] - rate) for name, rate in RATES.items() if name != "advantage"]
    assert min(others) > 0.0102, (
        "else a right answer with two decimals might be taken for a mistake"
    )


def test_the_broken_evaluation_is_broken_as_the_exercise_says():
    assert RATES["headline"] < RATES["always"], (
        "to say member every time must have the better headline"
    )
    report = mia.run(PRIVATE).report
    called = report.scores >= np.sort(report.scores)[int(np.ceil(0.05 * (len(report.scores) - 1)))]
    sides = report.members, ~report.members
    hits, alarms = (np.count_nonzero(called & side) / np.count_nonzero(side) for side in sides)
    assert RATES["advantage"] == pytest.approx(hits - alarms)


@pytest.mark.parametrize("key, answer", [("04.1", "b"), ("04.3", "a word")])
def test_an_answer_that_cannot_be_judged_is_an_error(key, answer):
    assert mia.check(key, answer).state == "error"
