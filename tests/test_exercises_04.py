"""What is asked in notebook 04: each typical mistake named, and what cannot be judged."""

from functools import cache

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, precision_score, recall_score

import miaedu as mia

PRIVATE = dict(hidden=32, n_shadows=8, epochs=60, clip=1.0)


def experiment(**settings):
    return mia.Experiment(**PRIVATE | settings)


@cache
def rates():
    """What exercise 04.3 is about, worked out by scikit-learn from the scores alone: the advantage,
    and what typical mistakes give."""
    report = mia.run(experiment(noise_multiplier=8.0)).report
    members, scores = report.members, report.scores
    flagged = scores >= np.quantile(scores, 0.05)
    outsiders = np.flatnonzero(~members)
    kept = np.sort(np.concatenate([np.flatnonzero(members), outsiders[9::10]]))
    hits, alarms = (recall_score(members, flagged, pos_label=side) for side in (1, 0))
    few = recall_score(members[kept], flagged[kept], pos_label=0)
    learned = scores >= report.threshold
    return {
        "advantage": hits - (1 - alarms),
        "headline": accuracy_score(members[kept], flagged[kept]),
        "always": accuracy_score(members[kept], np.ones(len(kept))),
        "precision": precision_score(members[kept], flagged[kept]),
        "few": hits - (1 - few),
        "accuracy": accuracy_score(members, flagged),
        "learned": recall_score(members, learned)
        - (1 - recall_score(members, learned, pos_label=0)),
    }


WRONG = [
    ("04.1", (0.5, "a"), "an answer depends on the record alone"),
    ("04.1", (None, "c"), "in which of the ten do members differ most"),
    ("04.1", (0.5, "because"), "one of the letters a, b, c"),
    ("04.2", experiment(noise_multiplier=8.0), "more than 4"),
    ("04.2", experiment(noise_multiplier=8.5), "of 100 new records only"),
    ("04.2", experiment(noise_multiplier=8.5), "the number of records in the sum (n_members)"),
    ("04.2", experiment(noise_multiplier=8.0, epochs=40), "of 100 new records only"),
    ("04.2", experiment(noise_multiplier=8.0, n_members=2000), "more than 4"),
    ("04.2", experiment(noise_multiplier=8.5, n_classes=2), "n_classes has changed"),
    ("04.2", experiment(noise_multiplier=8.5, n_members=5000), "3,000 at most"),
    ("04.2", experiment(noise_multiplier=80.0, epochs=5000), "keep to 200"),
    ("04.2", mia.Experiment(hidden=32), "epsilon is infinite"),
    ("04.2", experiment(), "epsilon is infinite"),
    ("04.2", 8.5, "not float"),
    ("04.2", dict(PRIVATE, clip=None, noise_multiplier=8.5), "there is no such experiment"),
    ("04.2", dict(PRIVATE, noise=8.5), "there is no such experiment"),
    ("04.2", dict(PRIVATE, noise_multiplier=8.0), "more than 4"),
    ("04.3", lambda: rates()["headline"], "that is the headline"),
    ("04.3", lambda: round(float(rates()["headline"]), 2), "that is the headline"),
    ("04.3", lambda: rates()["always"], "flagging every record"),
    ("04.3", lambda: rates()["precision"], "that is the precision"),
    ("04.3", lambda: rates()["few"], "use all of them"),
    ("04.3", lambda: rates()["accuracy"], "The advantage is asked for"),
    ("04.3", lambda: rates()["learned"], "shadow models taught"),
    ("04.3", lambda: 100 * rates()["advantage"], "divide by 100"),
    ("04.3", float("nan"), "share of True in flagged among the members"),
    ("04.3", 0.3, "share of True in flagged among the members"),
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
    verdict = mia.check(key, answer() if callable(answer) else answer)
    assert verdict.state == "wrong" and fragment in verdict.message, verdict


@pytest.mark.parametrize("guess", [None, 0.05, 0.4, 50, "half"])
def test_a_guess_is_answered_and_not_judged(guess):
    top_1 = (("top_k", 1),)
    reports = [
        mia.run(mia.Experiment(hidden=32, n_shadows=8, hide=top_1, random_state=seed)).adaptive
        for seed in range(4)
    ]
    flagged = [report.scores >= report.threshold for report in reports]
    advantages = [f[r.members].mean() - f[~r.members].mean() for f, r in zip(flagged, reports)]
    verdict = mia.check("04.1", (guess, "b"))
    assert verdict.state == "right"
    start = "It is" if guess is None else f"You said {guess}, it is"
    assert verdict.message.startswith(f"{start} {np.mean(advantages):.2f}: ")


# An answer may be off by half of its second decimal, and a promise not at all.
@pytest.mark.parametrize(
    "part, state", [(-1.1, "wrong"), (-0.9, "right"), (0.9, "right"), (1.1, "wrong")]
)
def test_the_mended_advantage_is_right_up_to_its_tolerance(part, state):
    assert mia.check("04.3", rates()["advantage"] + part * 0.005).state == state


@pytest.mark.parametrize("epsilon, state", [(3.99, "right"), (4.0, "right"), (4.01, "wrong")])
def test_a_promise_is_kept_or_broken_at_epsilon_4(epsilon, state):
    noise = mia.noise_for(epsilon=epsilon, delta=1e-5, steps=60)
    assert mia.check("04.2", experiment(noise_multiplier=noise, n_members=2000)).state == state


def test_the_mistakes_of_the_diagnosis_can_be_told_apart():
    assert len({round(float(rate), 4) for rate in rates().values()}) == len(rates())
    others = [
        abs(rates()["advantage"] - rate) for name, rate in rates().items() if name != "advantage"
    ]
    assert min(others) > 0.0102, (
        "else a right answer with two decimals might be taken for a mistake"
    )


def test_the_broken_evaluation_is_broken_as_the_exercise_says():
    assert rates()["headline"] < rates()["always"], (
        "to flag every record must have the better headline"
    )


@pytest.mark.parametrize("key, answer", [("04.1", "b"), ("04.3", "a word")])
def test_an_answer_that_cannot_be_judged_is_an_error(key, answer):
    assert mia.check(key, answer).state == "error"
