import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

from miaedu import BlackBox, label_by_querying

X, Y = load_iris(return_X_y=True)
TREE = DecisionTreeClassifier(max_depth=2, random_state=0).fit(
    X, np.array(["setosa", "versicolor", "virginica"])[Y]
)


def test_records_from_anywhere_get_the_targets_own_labels():
    anywhere = np.random.default_rng(0).uniform(X.min(axis=0), X.max(axis=0), (50, 4))
    api = BlackBox(TREE)
    labels = label_by_querying(api, anywhere)
    assert labels.tolist() == TREE.predict(anywhere).tolist() and len(set(labels)) == 3
    assert api.n_queries == 50


def test_labels_are_those_that_the_owner_lets_out():
    always_the_last = BlackBox(TREE, hide=lambda confidences: np.sort(confidences, axis=1))
    assert set(label_by_querying(always_the_last, X)) == {"virginica"}


def test_a_budget_that_does_not_cover_all_records_labels_none():
    api = BlackBox(TREE, budget=100)
    with pytest.raises(ValueError, match="budget of 100 .*0 used, 150 more"):
        label_by_querying(api, X)
    assert len(label_by_querying(api, X[:100])) == 100
