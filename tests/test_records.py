"""Tables of records of any kind: taken, put together, told apart."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from miaedu import records
from miaedu.records import as_table, numbers_of, numeric, same_columns, stack, take


def frame(**columns):
    return pd.DataFrame(columns)


PEOPLE = frame(
    job=["cook", None, "nurse", "cook"],
    age=[31.5, np.nan, 40, 31.5],
    town=pd.Categorical(["Rome", "Oslo", None, "Rome"]),
    children=pd.array([1, None, 0, 1], dtype="Int64"),
    born=pd.to_datetime(["1990-01-01", None, "1985-05-05", "1990-01-01"]),
)


@pytest.mark.parametrize(
    "X",
    [
        np.array([[1.5, 2]]),
        np.array([[2**60 + 1]]),
        np.array([["a", None]], dtype=object),
        np.array([[True]]),
        PEOPLE,
    ],
)
def test_a_table_is_handed_back_as_it_came(X):
    assert as_table(X) is X


def test_a_list_of_lists_becomes_an_array_and_its_numbers_stay_numbers():
    assert as_table([[1, 2], [3, 4]]).dtype.kind == "i"
    assert as_table([["cook", 31.5], ["nurse", 40]]).tolist() == [["cook", 31.5], ["nurse", 40]]


@pytest.mark.parametrize(
    "X, said",
    [
        ([1, 2], "got shape (2,)"),
        (PEOPLE["age"], "got shape (4,)"),
        (np.zeros((2, 2, 2)), "got shape (2, 2, 2)"),
        (5, "got shape ()"),
        (np.zeros((0, 3)), "got shape (0, 3)"),
        (PEOPLE[:0], "got shape (0, 5)"),
        (np.zeros((3, 0)), "got shape (3, 0)"),
        ([[1, 2], [3]], "same number of features in every record"),
        (csr_array(np.eye(2)), ".toarray()), got csr_array"),
        (np.ma.masked_equal(np.eye(2), 0), ".filled(...)"),
        (pd.DataFrame(np.eye(2), columns=["a", "a"]), "a different name for each column, got 'a'"),
    ],
)
def test_what_is_no_table_is_refused_by_the_name_of_the_argument(X, said):
    with pytest.raises(ValueError) as error:
        as_table(X, "X_test")
    assert str(error.value).startswith("X_test must ") and said in str(error.value)


def test_rows_are_taken_by_mask_by_place_and_by_slice():
    mask = np.array([True, False, False, True])
    for rows in (mask, [0, 3], slice(0, None, 3)):
        assert take(np.arange(8).reshape(4, 2), rows).tolist() == [[0, 1], [6, 7]]
        taken = take(PEOPLE, rows)
        assert taken.index.tolist() == [0, 3] and taken.dtypes.equals(PEOPLE.dtypes)


def test_frames_are_put_together_by_the_names_of_their_columns():
    whole = stack([PEOPLE, PEOPLE[PEOPLE.columns[::-1]]])
    assert whole.dtypes.equals(PEOPLE.dtypes) and whole.index.tolist() == list(range(8))
    for half in (whole[:4], whole[4:].reset_index(drop=True)):
        pd.testing.assert_frame_equal(half, PEOPLE)


def test_categories_that_one_table_lacks_stay_categories():
    first, second = (
        frame(town=pd.Categorical(towns)) for towns in (["Rome", "Oslo"], ["Bonn", "Rome"])
    )
    whole = stack([first, second]).town
    assert whole.tolist() == ["Rome", "Oslo", "Bonn", "Rome"]
    assert whole.dtype == pd.CategoricalDtype(["Oslo", "Rome", "Bonn"])
    first["town"] = first.town.cat.as_ordered()
    with pytest.raises(ValueError, match="column 'town' must have the same categories"):
        stack([first, second])


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool", "U3"])
def test_arrays_are_put_together_in_their_own_dtype(dtype):
    X = np.array([[1, 0], [0, 1]]).astype(dtype)
    whole = stack([X, X[:1]])
    assert whole.dtype == X.dtype and whole.tolist() == [*X.tolist(), *X[:1].tolist()]


def test_numbers_beside_texts_stay_numbers():
    assert stack([np.array([["a"]]), np.array([[1]])]).tolist() == [["a"], [1]]


@pytest.mark.parametrize("kind", [np.asarray, lambda X: pd.DataFrame(X, columns=["id"])])
def test_large_whole_numbers_are_not_rounded_beside_fractions(kind):
    large, fraction = kind(np.array([[2**53 + 1]])), kind(np.array([[0.5]]))
    with pytest.raises(ValueError, match=r"above 2\*\*53 beside fractions"):
        stack([large, fraction])
    assert np.asarray(stack([large, large - 1])).ravel().tolist() == [2**53 + 1, 2**53]
    assert np.asarray(stack([kind(np.array([[2**53]])), fraction]))[0, 0] == 2**53


@pytest.mark.parametrize(
    "first, second, said",
    [
        (np.eye(2), np.eye(3), "X_train and X_test must have the same number .* got 2 and 3"),
        (PEOPLE, np.eye(5), "tables of one kind, got a DataFrame and an array"),
        (frame(a=[1], b=[2]), frame(a=[1], c=[2]), "X_test .*of X_train, .*no 'b' and 'c' besides"),
        (frame(a=[1]), frame(a=[1], c=[2]), "X_test must have .* but has 'c' besides$"),
    ],
)
def test_other_columns_are_named(first, second, said):
    with pytest.raises(ValueError, match=said):
        same_columns([first, second], ["X_train", "X_test"])
    for together in (lambda *tables: stack(tables), numbers_of):
        with pytest.raises(ValueError, match="table 1"):
            together(first, second)


def equal(a, b):
    """The definition, a value at a time: equal, or both missing."""
    return all(
        v == w or (v is None or v != v) and (w is None or w != w) for v, w in zip(a, b, strict=True)
    )


values = st.sampled_from([0, -0.0, 1, 1.0, True, 2**53, 2**53 + 1, -1, 0.1, np.nan, None, "1", ""])


@given(st.lists(st.tuples(values, values), min_size=2, max_size=12), st.integers(1, 5))
def test_equal_numbers_are_equal_records(rows, cut):
    table = np.empty((len(rows), 2), dtype=object)
    table[:] = rows
    for tables in ([table], [table[:cut], table[cut:]], [table, table[:0]]):
        number = np.concatenate(numbers_of(*tables))
        same = number[:, None] == number
        assert same.tolist() == [[equal(a, b) for b in rows] for a in rows]


@pytest.mark.parametrize(
    "first, second, same",
    [
        (np.float32([[1, -0.0]]), np.array([[1, 0]]), True),
        (np.array([[True, False]]), np.array([[1.0, 0.0]]), True),
        (np.float32([[0.1, 0]]), np.array([[0.1, 0]]), False),
        (np.array([[2**53 + 1, 0]]), np.array([[2.0**53, 0]]), False),
        (np.array([[2**53 + 1, 0]]), np.array([[2**53, 0]]), False),
        (np.array([[2**64 - 1, 0]], np.uint64), np.array([[-1, 0]]), False),
        (np.array([["1", "0"]]), np.array([[1, 0]]), False),
        (np.array([["1", "0"]]), np.array([["1", "0"]], dtype=object), True),
        (np.array([[np.nan, np.inf]]), np.float32([[-np.nan, np.inf]]), True),
        (np.array([[1, 0]]), np.array([[0, 1]]), False),
        (
            np.array([["2001-01-01", "NaT"]], "M8[D]"),
            np.array([["2001-01-01", "NaT"]], "M8[D]"),
            True,
        ),
    ],
)
def test_the_kind_of_number_does_not_matter_and_no_digit_is_lost(first, second, same):
    (a,), (b,) = numbers_of(first, second)
    assert (a == b) == same


def test_records_of_frames_are_compared_by_name_with_missing_values():
    first, second = numbers_of(PEOPLE, PEOPLE[PEOPLE.columns[::-1]])
    assert first.tolist() == second.tolist() and first[0] == first[3]
    assert len(set(first)) == 3


def test_two_thousand_ids_are_two_thousand_records():
    ids = 2**30 + np.arange(2000)[:, None]
    assert len(np.unique(ids.astype(np.float32))) < 40, "these ids do not test what they should"
    assert len(np.unique(numbers_of(ids)[0])) == 2000
    assert len(np.unique(numbers_of(pd.DataFrame(ids))[0])) == 2000


def test_records_are_told_apart_even_where_their_hashes_agree(monkeypatch):
    mixed, calls = records._mixed, []

    def colliding(hashes, keys):
        calls.append(hashes)
        return mixed(hashes, keys) if len(calls) > 2 else np.zeros_like(hashes)

    monkeypatch.setattr(records, "_mixed", colliding)
    X = np.array([[1, 2], [3, 4], [1, 2]])
    (number,) = numbers_of(X)
    assert len(calls) == 4 and number[0] == number[2] != number[1]


def test_a_cell_that_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="such as a list"):
        numbers_of(frame(basket=[["milk"], ["bread"]]))


def test_trees_see_numbers_as_they_are_and_texts_by_their_order():
    assert numeric(np.float32([[0.1, 2]])).tolist() == [[float(np.float32(0.1)), 2]]
    day = 24 * 3600 * 1e6 if PEOPLE.born.dtype == "M8[us]" else 24 * 3600 * 1e9
    np.testing.assert_array_equal(
        numeric(PEOPLE.drop(columns="born")),
        [[0, 31.5, 1, 1], [np.nan] * 2 + [0, np.nan], [1, 40, np.nan, 0], [0, 31.5, 1, 1]],
    )
    born = numeric(PEOPLE[["born"]]).ravel()
    assert np.isnan(born[1]) and born[0] - born[2] == day * 1702  # days between the two
    mixed = np.array([["b", True], ["a", None], [3, 2]], dtype=object)
    np.testing.assert_array_equal(numeric(mixed), [[2, 1], [1, np.nan], [0, 2]])
