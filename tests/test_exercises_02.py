"""What is asked in notebook 02: each typical mistake told apart, the tolerances, and what cannot be
judged."""

from functools import cache

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

import miaedu as mia
from miaedu.exercises.nb02 import EXERCISES

# The notebook's shop and target, made here once more.
WORLD = mia.split(
    mia.load_purchases(n_classes=10, n_records=2000, random_state=0), n_members=500, random_state=0
)
X, Y = (np.concatenate(part) for part in zip(WORLD.members, WORLD.nonmembers))
IS_MEMBER = np.arange(1000) < 500
X_LATE = X.copy()
X_LATE[500:, ::5] = 0  # the colleague's records


@cache
def target():
    return mia.MLP(random_state=0).fit(*WORLD.members)


def confidence(X):
    return target().predict_proba(X)[np.arange(1000), Y]


def blind_rule(X):
    rule = LogisticRegression(max_iter=1000)
    return cross_val_predict(rule, X, IS_MEMBER, method="predict_proba")[:, 1]


@cache
def sure():
    return confidence(X)


@cache
def blind():
    return blind_rule(X)


def scores(auc):
    """1,000 scores with this AUC, to 0.001: some members, or some non-members, are flagged and
    nobody else."""
    flagged, values = round(1000 * (auc - 0.5)), np.zeros(1000)
    values[: max(flagged, 0)] = 1
    values[500 : 500 - min(flagged, 0)] = 1
    return values


WRONG = [
    ("02.1", (47, "a"), "then the two histograms would look alike"),
    ("02.1", (47, "C"), "a model does not know what it has not seen"),
    ("02.1", (47, "x"), "one of the letters a, b, c"),
    ("02.2", 0.0, "so are the false alarms (100 of 100)"),
    ("02.2", 0.5, "the hits are many"),
    ("02.2", 1.0, "the false alarms are fewer"),
    ("02.2", 0.54, "this is the largest advantage itself"),
    ("02.2", 96, "must be a number from 0 to 1, got 96"),
    ("02.2", [0.1, 0.2], "must be one number"),
    ("02.2", True, "must be one number"),
    ("02.3", lambda: ("a", sure(), blind()), "a thousand records settle the AUC"),
    ("02.3", lambda: ("c", sure(), blind()), "no threshold was chosen here"),
    ("02.3", ("b", 0.747, 0.479), "attack_scores must be an array of 1,000 numbers"),
    ("02.3", lambda: ("b", sure(), 0.5), "blind_scores must be an array of 1,000 numbers"),
    ("02.3", lambda: ("b", sure()[:500], blind()), "got the shape (500,)"),
    (
        "02.3",
        lambda: ("b", confidence(X_LATE), blind_rule(X_LATE)),
        "have the colleague's AUC, 0.85",
    ),
    ("02.3", lambda: ("b", sure(), blind_rule(X_LATE)), "the AUC of the colleague's records, 0.97"),
    ("02.3", lambda: ("b", scores(0.6), blind()), "have the AUC 0.600"),
    ("02.3", lambda: ("b", sure(), scores(0.9)), "have the AUC 0.900"),
    ("02.q1", "a", "an average over all scans"),
    ("02.q1", "b", "flagged equally often"),
    ("02.q2", "b", "needs no confidence"),
    ("02.q2", "c", "counts nothing"),
    ("02.q3", "a", "one query for each record"),
    ("02.q3", "c", "is taken to know"),
]


@pytest.mark.parametrize(
    "key, answer, told", WRONG, ids=[f"{key}-{i}" for i, (key, _, _) in enumerate(WRONG)]
)
def test_a_wrong_answer_is_told_its_mistake(key, answer, told):
    verdict = mia.check(key, answer() if callable(answer) else answer)
    assert verdict.state == "wrong" and told in verdict.message, verdict


def test_every_exercise_has_two_wrong_answers_in_the_table():
    assert all(sum(key == tried for tried, _, _ in WRONG) >= 2 for key in EXERCISES)


@pytest.mark.parametrize("guess", [None, 10, 47, 90.5, "half"])
def test_a_guess_is_answered_and_never_judged(guess):
    verdict = mia.check("02.1", (guess, "b"))
    truth = f"{100 * np.mean(sure()[500:] >= 0.9):.0f} of 100"
    told = f"It is {truth}:" if guess is None else f"You said {guess}, it is {truth}:"
    assert verdict.state == "right" and verdict.message.startswith(told)


def advantage(threshold):
    flagged = threshold <= sure()
    return flagged[IS_MEMBER].mean() - flagged[~IS_MEMBER].mean()


@pytest.mark.parametrize("off, state", [(0.8, "right"), (1.2, "wrong")])
def test_an_advantage_within_a_hundredth_of_the_best_is_enough(off, state):
    # each record moves the advantage by 0.002, so that is how near 0.9 and 1.1 one can come
    best = max(advantage(threshold) for threshold in np.linspace(0, 1, 101))
    wanted = best - off * 0.01
    thresholds = np.unique(sure())
    missed = [abs(advantage(threshold) - wanted) for threshold in thresholds]
    assert min(missed) < 1e-9
    assert mia.check("02.2", thresholds[np.argmin(missed)]).state == state


def test_the_best_threshold_of_a_finer_grid_is_right_too():
    assert mia.check("02.2", max(np.unique(sure()), key=advantage)).state == "right"


@pytest.mark.parametrize(
    "off, state", [(0.9, "right"), (-0.9, "right"), (1.1, "wrong"), (-1.1, "wrong")]
)
@pytest.mark.parametrize("which, tolerance", [(0, 0.01), (1, 0.06)])
def test_the_aucs_of_the_mended_test_have_these_tolerances(which, tolerance, off, state):
    answer = [sure(), blind()]
    answer[which] = scores(roc_auc_score(IS_MEMBER, answer[which]) + off * tolerance)
    assert mia.check("02.3", ("b", *answer)).state == state


def test_a_mended_test_is_told_its_two_aucs():
    told = mia.check("02.3", ("b", sure(), blind())).message
    for name, values in (("attack's AUC is", sure()), ("blind baseline's is", blind())):
        assert f"{name} {roc_auc_score(IS_MEMBER, values):.2f}" in told


@pytest.mark.parametrize("folds", [3, 10])
def test_another_way_of_cross_validation_is_right_too(folds):
    rule = LogisticRegression(max_iter=1000)
    other = cross_val_predict(rule, X, IS_MEMBER, method="decision_function", cv=folds)
    assert mia.check("02.3", ("b", sure(), other)).state == "right"


def test_an_answer_that_cannot_be_judged_is_an_error():
    assert mia.check("02.1", (47, "b", "and more")).state == "error"
    assert mia.check("02.3", "b").state == "error"
    assert mia.check("02.3", ("b", sure(), np.full(1000, np.nan))).state == "error"
