from types import SimpleNamespace

import numpy as np
import pandas as pd
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


# Targets of other kinds: functions, remote services, models that answer shortly

NO_YES = ["no", "yes"]


def service(told, **given):
    """A function that answers `told` whatever it is asked, as a black box."""
    return BlackBox(lambda X: told, **{"classes": [0, 1, 2]} | given)


def test_a_plain_function_is_a_target_when_its_classes_are_given():
    api = BlackBox(TREE.predict_proba, classes=NAMES, budget=157)
    np.testing.assert_array_equal(api.predict_proba(X), TREE.predict_proba(X))
    np.testing.assert_array_equal(api.classes_, NAMES)
    assert api.n_queries == 150
    with pytest.raises(
        TypeError, match=r"or a function .* together with its classes=\[...\], got func"
    ):
        BlackBox(lambda X: X)
    with pytest.raises(TypeError, match="^target must be a fitted .*got SVC"):
        BlackBox(SVC(), classes=NAMES)


@pytest.mark.parametrize("size, calls", [(1, [1] * 7), (3, [3, 3, 1]), (7, [7]), (99, [7])])
@pytest.mark.parametrize("kind", [np.asarray, np.ndarray.tolist, pd.DataFrame])
def test_a_target_is_asked_in_batches(size, calls, kind):
    asked = []

    def answer(X):
        asked.append(X)
        return TREE.predict_proba(np.asarray(X))

    records = kind(X[:7])
    for target in (answer, SimpleNamespace(predict_proba=answer, classes_=NAMES)):
        asked.clear()
        given = {"classes": NAMES} if target is answer else {}
        api = BlackBox(target, batch=size, budget=7, **given)
        np.testing.assert_array_equal(api.predict_proba(records), TREE.predict_proba(X[:7]))
        assert list(map(len, asked)) == calls and api.n_queries == 7
        assert all(type(part) is type(records) for part in asked)


def test_hiding_is_done_once_for_all_batches():
    seen = []
    hide = [lambda p: seen.append(p.shape) or p]
    BlackBox(TREE.predict_proba, hide, classes=NAMES, batch=40).predict_proba(X)
    assert seen == [(150, 3)]


def test_a_service_that_fails_in_the_middle_has_answered_the_batches_before():
    def answer(X):
        if 6 in X:
            raise ConnectionError("the service is down")
        return np.full(len(X), 0.5)

    api = BlackBox(answer, classes=NO_YES, batch=2)
    with pytest.raises(ConnectionError):
        api.predict_proba(np.arange(8)[:, None])
    assert api.n_queries == 6


@pytest.mark.parametrize("target", ["function", "model"])
@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_with_two_classes_the_probability_of_the_second_will_do(target, shape):
    told = np.float32([0.25, 1, 0]).reshape(shape)
    api = service(told, classes=NO_YES)
    if target == "model":
        api = BlackBox(SimpleNamespace(predict_proba=lambda X: told, classes_=np.array(NO_YES)))
    assert api.predict_proba(X[:3]).tolist() == [[0.75, 0.25], [0, 1], [1, 0]]


@pytest.mark.parametrize(
    "told, classes",
    [
        (["yes", "no", "yes"], NO_YES),
        (np.array(["yes", "no", "yes"], dtype=object), NO_YES),
        ([True, False, True], [0, 1]),
        ([2, 1, 2], [1, 2]),
        ([[2], [1], [2]], [1, 2]),
        ([1.0, 0.0, 1.0], [0, 1]),
    ],
)
def test_labels_alone_become_confidences_of_one(told, classes):
    api = service(told, classes=classes)
    assert api.predict_proba(X[:3]).tolist() == [[0, 1], [1, 0], [0, 1]]


def test_labels_of_many_classes_are_found_in_the_order_of_the_classes():
    told = BlackBox(TREE.predict, classes=NAMES[::-1]).predict_proba(X)
    np.testing.assert_array_equal(NAMES[::-1][told.argmax(axis=1)], TREE.predict(X))
    assert (told.sum(axis=1) == 1).all()


def test_floats_that_may_be_labels_or_probabilities_are_refused():
    with pytest.raises(ValueError, match="1 may be the label, or the probability of 2"):
        service(np.ones(3), classes=[1, 2]).predict_proba(X[:3])


def test_rounded_and_cut_confidences_of_a_service_are_taken_as_they_come():
    sums = np.random.default_rng(0).dirichlet(np.ones(7), size=500)
    rounded = np.round(sums, 2)
    assert np.abs(rounded.sum(axis=1) - 1).max() > 0.01, "nothing that a course model may do"
    cut = np.where(sums >= np.sort(sums)[:, -3:-2], sums, 0)
    for told in (rounded, cut):
        api = service(told, classes=range(7))
        np.testing.assert_array_equal(api.predict_proba(np.zeros((500, 1))), told)
        model = SimpleNamespace(predict_proba=lambda X, told=told: told, classes_=np.arange(7))
        with pytest.raises(ValueError, match="sum to 1 in each row"):
            BlackBox(model).predict_proba(np.zeros((500, 1)))
        given = BlackBox(model, classes=list("abcdefg"))
        np.testing.assert_array_equal(given.predict_proba(np.zeros((500, 1))), told)


@pytest.mark.parametrize(
    "told, said",
    [
        (
            [[0.5, 0.3, 0.2], [0.9, 0.1, 0.1], [1, 0, 0]],
            "at most 1.015.* of 3 records 1 .*row 1 is",
        ),
        ([[0.5, 0.3, 0.2], [1, 0, 0], [0, 0, 0]], "but not to 0, .* row 2 is .0. 0. 0."),
        ([[0.5, 0.3, 0.2], [1.2, -0.2, 0], [1, 0, 0]], "at least 0 .* row 1 is .* -0.2"),
        (
            [[np.nan] * 3, [1, 0, 0], [np.nan, 1, 0]],
            "never NaN, but of 3 records 2 .* row 0 is .nan",
        ),
        ([[0.5, 0.5], [1, 0], [1, 0]], r"must have shape \(3, 3\) .* got \(3, 2\)"),
        ([0, 1, 5], "or labels among 0, 1, 2: got 5 for row 2"),
        ([0.2, 0.1, 0.5], "or labels among 0, 1, 2: got 0.2 for row 0"),
        (["a", "b", "c"], "got 'a' for row 0"),
        ([["a", "b", "c"]] * 3, "must be numbers, got an array of dtype <U1"),
        (None, r"must have shape \(3, 3\) .* got \(\)"),
    ],
)
def test_answers_of_a_service_that_are_none_are_refused_with_their_row(told, said):
    api = service(told)
    with pytest.raises(ValueError, match=f"^the target's confidences .*{said}"):
        api.predict_proba(X[:3])
    assert api.n_queries == 0


def test_the_row_at_fault_is_counted_over_all_batches():
    lost = np.full((2, 3), np.nan)
    api = BlackBox(lambda X: lost if len(X) < 4 else np.eye(3)[[0] * 4], classes=NAMES, batch=4)
    with pytest.raises(ValueError, match="of 2 records 2 are not so: row 4 is"):
        api.predict_proba(X[:6])


@pytest.mark.parametrize("classes", [[0], [0, 0], [], [[0, 1]], "ab"])
def test_classes_that_are_none_are_refused(classes):
    with pytest.raises(ValueError, match="classes must list at least two different labels"):
        BlackBox(lambda X: X, classes=classes)


# What is refused

REFUSED = {
    "no budget": (lambda t: BlackBox(t.net, budget=0), ValueError, "budget", "at least 1", "got 0"),
    "no batch": (lambda t: BlackBox(t.net, batch=0), ValueError, "batch", "at least 1", "got 0"),
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
