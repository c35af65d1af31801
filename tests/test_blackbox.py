from types import SimpleNamespace

import numpy as np
import pytest
import refusals
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from miaedu import MLP, BlackBox

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])
TREE = DecisionTreeClassifier(max_depth=2, random_state=0).fit(X, NAMES[Y])


def answering(*rows, classes=(0, 1, 2)):
    """A target that gives the same answers whatever it is asked."""
    return SimpleNamespace(classes_=np.array(classes), predict_proba=lambda X: np.array(rows))


@pytest.mark.parametrize(
    "target", [TREE, LogisticRegression(max_iter=500).fit(X, Y), MLP(epochs=2).fit(X, Y)]
)
def test_a_black_box_answers_as_its_target_and_counts_records(target):
    api = BlackBox(target)
    np.testing.assert_array_equal(api.predict_proba(X), target.predict_proba(X))
    np.testing.assert_array_equal(api.predict_proba(X[:7]), target.predict_proba(X[:7]))
    assert api.n_queries == 157
    np.testing.assert_array_equal(api.classes_, target.classes_)


def test_a_black_box_gives_no_way_to_its_target():
    api = BlackBox(TREE)
    assert not any(value is TREE for value in vars(api).values())
    assert not any(
        hasattr(api, name) for name in ("target", "tree_", "predict", "fit", "get_depth")
    )
    api.classes_[:] = "changed"
    assert TREE.classes_.tolist() == NAMES.tolist()


def test_answers_pass_through_the_hiding_functions_in_their_order():
    steps = [lambda p: p / 2, lambda p: p + 1]
    plain = TREE.predict_proba(X)
    np.testing.assert_array_equal(BlackBox(TREE, hide=steps).predict_proba(X), plain / 2 + 1)
    np.testing.assert_array_equal(
        BlackBox(TREE, hide=steps[::-1]).predict_proba(X), (plain + 1) / 2
    )
    np.testing.assert_array_equal(BlackBox(TREE, hide=steps[0]).predict_proba(X), plain / 2)


def test_a_budget_is_spent_to_the_last_record_and_no_further():
    api = BlackBox(TREE, budget=10)
    api.predict_proba(X[:6])
    for _ in range(2):
        with pytest.raises(ValueError, match=r"budget of 10 .*6 used, 5 more asked for"):
            api.predict_proba(X[:5])
    assert api.n_queries == 6, "what was refused was not answered, and costs nothing"
    np.testing.assert_array_equal(api.predict_proba(X[6:10]), TREE.predict_proba(X[6:10]))
    with pytest.raises(ValueError, match="10 used, 1 more"):
        api.predict_proba(X[:1])


def test_a_question_that_fails_costs_nothing():
    api = BlackBox(TREE, budget=5)
    with pytest.raises(ValueError, match="features"):
        api.predict_proba(X[:5, :2])
    sums_to_two = BlackBox(answering([1.0, 0.5, 0.5]), budget=5)
    with pytest.raises(ValueError, match="sum to 1"):
        sums_to_two.predict_proba(X[:1])
    assert api.n_queries == sums_to_two.n_queries == 0
    assert api.predict_proba(X[:5]).shape == (5, 3)


@pytest.mark.parametrize(
    "target, kind",
    [
        (SVC(), TypeError),
        (object(), TypeError),
        (lambda X: X, TypeError),
        (DecisionTreeClassifier, ValueError),
        (DecisionTreeClassifier(), ValueError),
        (MLP(), ValueError),
    ],
)
def test_a_target_that_cannot_answer_is_refused_at_the_door(target, kind):
    with pytest.raises(kind, match="^target must be .*fitted"):
        BlackBox(target)


@pytest.mark.parametrize(
    "answers",
    [
        [[0.5, 0.2, 0.2]],
        [[0.6, 0.6, -0.2]],
        [[np.nan, 0.5, 0.5]],
        [[np.inf, 0.0, 0.0]],
        [[0.5, 0.5]],
        [[0.5, 0.5, 0, 0]],
        [0.5, 0.3, 0.2],
        [[1, 0, 0]] * 2,
    ],
)
def test_answers_that_are_no_probabilities_are_refused(answers):
    with pytest.raises(ValueError, match=r"^the target's confidences must .*(got|row 0 is)"):
        BlackBox(answering(*answers)).predict_proba(X[:1])


def test_the_row_at_fault_is_named_and_float32_rounding_is_none():
    rows = [[1, 0, 0], [0.3334, 0.3333, 0.3334], [0.2, 0.2, 0.2]]
    with pytest.raises(ValueError, match=r"row 2 is \[0.2 0.2 0.2\]"):
        BlackBox(answering(*rows)).predict_proba(X[:3])
    np.testing.assert_array_equal(BlackBox(answering(*rows[:2])).predict_proba(X[:2]), rows[:2])


# What is refused

REFUSED = {
    "no budget": (lambda t: BlackBox(t.net, budget=0), ValueError, "budget", "at least 1", "got 0"),
    "hiding by a number": (
        lambda t: BlackBox(t.net, hide=[3]),
        TypeError,
        "hide",
        "functions",
        "got 3",
    ),
    "hiding by a number alone": (
        lambda t: BlackBox(t.net, hide=3),
        TypeError,
        "hide",
        "functions",
        "got 3",
    ),
}


@refusals.each(REFUSED)
def test_what_a_black_box_cannot_use_is_refused_in_words_and_changes_nothing(action, error, words):
    refusals.check(action, error, words)
