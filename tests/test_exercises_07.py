"""What is asked in notebook 07: each typical mistake named, and what cannot be judged."""

from functools import cache

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

import miaedu as mia


@cache
def audit(leaf=1, n=1000, n_models=0, shift=0.0):
    """An audit of a forest on n members and as many others."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2 * n, 5))
    y = (X[:, 0] + rng.normal(scale=0.3, size=2 * n) > 0).astype(int)
    X[n:, 1] += shift
    members, others = (X[:n], y[:n]), (X[n:], y[n:])
    forest = RandomForestClassifier(20, min_samples_leaf=leaf, random_state=0).fit(*members)
    return mia.audit(forest, members, others, n_models=n_models, progress=False)


def blunt():
    """An audit of a forest that is never sure of anything."""
    return audit(leaf=499, n_models=8)


WRONG = [
    ("07.1", lambda: "no leak", "hand in what mia.audit returns, got str"),
    ("07.1", lambda: audit(), "no shadow models were trained"),
    ("07.1", lambda: audit(n_models=8), "above 0.6. Let more people share"),
    ("07.1", lambda: audit(shift=2.0, n_models=8), "this report judges nothing"),
    ("07.1", blunt, "non-members only. Smaller leaves would do"),
    ("07.2", lambda: 0.5, "hand in what mia.audit returns, got float"),
    ("07.2", lambda: audit(n=100), "100 members and 100 non-members"),
    ("07.2", lambda: audit(shift=2.0), "Shuffle the people of all ages first"),
    ("07.3", lambda: lambda tpr, fpr, one_in: tpr / (tpr + fpr), "half of the records are members"),
    ("07.3", lambda: lambda tpr, fpr, one_in: tpr / (tpr + fpr * one_in), "99 are not members"),
    ("07.3", lambda: lambda tpr, fpr, one_in: tpr, "count the flagged members"),
    ("07.3", lambda: 0.5, "hand in the function itself"),
    ("07.q1", lambda: "a", "From above, only a proof does"),
    ("07.q1", lambda: "c", "on what else is known"),
    ("07.q2", lambda: "b", "may see the same difference"),
    ("07.q2", lambda: "c", "does what it should"),
]


@pytest.mark.parametrize(
    "key, answer, fragment", WRONG, ids=[f"{key}-{i}" for i, (key, *_) in enumerate(WRONG)]
)
def test_a_wrong_answer_is_told_what_is_wrong_with_it(key, answer, fragment):
    verdict = mia.check(key, answer())
    assert verdict.state == "wrong" and fragment.lower() in verdict.message.lower(), verdict


def test_a_careful_forest_is_right():
    verdict = mia.check("07.1", audit(leaf=50, n_models=8))
    assert verdict.state == "right" and verdict.message.startswith("The AUC is 0.5"), verdict
    assert mia.check("07.2", audit(leaf=50)).state == "right"


def test_the_precision_is_right_in_another_form():
    def by_bayes(tpr, fpr, one_in):
        prior = 1 / one_in
        return np.float64(prior * tpr / (prior * tpr + (1 - prior) * fpr))

    assert mia.check("07.3", by_bayes).state == "right"


def test_a_stub_is_not_attempted():
    assert mia.check("07.3", lambda tpr, fpr, one_in: ...).state == "not attempted"
    assert mia.check("07.3", lambda tpr, fpr, one_in: None).state == "not attempted"
