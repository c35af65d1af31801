"""A table of records of any kind that has rows: an array of any dtype, or a DataFrame with texts
and missing values. Taken from, put together and told apart without changing a value."""

from collections import Counter
from numbers import Real

import numpy as np
from scipy.sparse import issparse

EXACT = 2**53  # up to here float64 has every whole number
# odd numbers that spread what differs over all 64 bits (Steele, Lea & Flood 2014, SplitMix64)
SPREAD = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], np.uint64)
MISSING = ("nan", "None", "<NA>", "NaT")


def is_frame(X):
    """Whether X is a DataFrame: it has named columns, and rows by their place."""
    return hasattr(X, "columns") and hasattr(X, "iloc")


def as_table(X, name="X"):
    """X itself if it is an array (n, d) or a DataFrame, a list of lists as an array; nothing is
    cast.

    >>> as_table([[1, 2], [3, 4]]).shape
    (2, 2)
    >>> as_table([1, 2], "X_test")
    Traceback (most recent call last):
    ValueError: X_test must be a table of shape (records, features), got shape (2,)

    Raises ValueError for anything else: one dimension, no rows, rows of different lengths, a sparse
    matrix, a masked array, two columns of one name.
    """
    if issparse(X):
        raise ValueError(
            f"{name} must not be a sparse matrix (make it dense with .toarray()), "
            f"got {type(X).__name__}"
        )
    if isinstance(X, np.ma.MaskedArray):
        raise ValueError(
            f"{name} must not be a masked array (write missing values into it with .filled(...))"
        )
    if not is_frame(X) and not isinstance(X, np.ndarray):
        X = _array_of(X, name)
    if len(X.shape) != 2 or 0 in X.shape:
        raise ValueError(
            f"{name} must be a table of shape (records, features), got shape {tuple(X.shape)}"
        )
    if is_frame(X):
        repeated = [column for column, times in Counter(X.columns).items() if times > 1]
        if repeated:
            raise ValueError(
                f"{name} must have a different name for each column, got {repeated[0]!r} twice"
            )
    return X


def _array_of(X, name):
    try:
        array = np.asarray(X)
    except ValueError:  # numpy's word for rows of different lengths
        raise ValueError(
            f"{name} must have the same number of features in every record, got different numbers"
        ) from None
    if array.ndim == 2 and array.dtype.kind in "US":
        return np.array(X, dtype=object)  # numbers beside texts stay numbers
    return array


def take(X, rows):
    """The `rows` of a table: a mask, places or a slice.

    >>> take(np.array([[1, 2], [3, 4], [5, 6]]), [0, 2]).tolist()
    [[1, 2], [5, 6]]
    """
    return X.iloc[rows] if is_frame(X) else X[rows]


def stack(tables, names=None):
    """The rows of several tables in one, each value as it was.

    >>> stack([np.array([[1, 2]]), np.array([[3, 4]])]).tolist()
    [[1, 2], [3, 4]]

    Arrays need as many columns, DataFrames columns of the same names, in any order: the first table
    decides. `names` of the tables are for the errors. Raises ValueError for other columns, for
    arrays beside DataFrames, and where large whole numbers would be rounded beside fractions.
    """
    tables = list(tables)
    same_columns(tables, names)
    if is_frame(tables[0]):
        return _stack_frames(tables)
    if _common_kind(tables).kind == "O":
        return np.concatenate([table.astype(object) for table in tables])
    _check_rounding(tables, "the tables")
    return np.concatenate(tables)


def same_columns(tables, names=None):
    """Raise a ValueError unless all tables have the columns of the first."""
    names = names or [f"table {i}" for i in range(len(tables))]
    first = tables[0]
    for name, table in zip(names[1:], tables[1:]):
        if is_frame(table) != is_frame(first):
            kinds = ["a DataFrame" if is_frame(t) else "an array" for t in (first, table)]
            raise ValueError(
                f"{names[0]} and {name} must be tables of one kind, got {kinds[0]} and {kinds[1]}"
            )
        if not is_frame(first):
            if table.shape[1] != first.shape[1]:
                raise ValueError(
                    f"{names[0]} and {name} must have the same number of features, "
                    f"got {first.shape[1]} and {table.shape[1]}"
                )
            continue
        missing = [column for column in first.columns if column not in table.columns]
        extra = [column for column in table.columns if column not in first.columns]
        if missing or extra:
            found = [f"no {_listed(missing)}"] * bool(missing)
            found += [f"{_listed(extra)} besides"] * bool(extra)
            raise ValueError(
                f"{name} must have the columns of {names[0]}, but has {' and '.join(found)}"
            )


def _listed(columns, most=5):
    listed = ", ".join(repr(column) for column in columns[:most])
    return f"{listed} and {len(columns) - most} more" if len(columns) > most else listed


def _stack_frames(tables):
    import pandas  # whoever brings a DataFrame has it

    columns = list(tables[0].columns)
    tables, joined = [table[columns] for table in tables], {}
    for column in columns:
        parts = [table[column] for table in tables]
        if all(isinstance(part.dtype, pandas.CategoricalDtype) for part in parts):
            joined[column] = _join_categories(column, [part.dtype for part in parts], pandas)
        else:
            _check_rounding([part.to_numpy() for part in parts], f"column {column!r} of the tables")
    return pandas.concat([table.astype(joined) for table in tables], ignore_index=True)


def _join_categories(column, kinds, pandas):
    """One kind for categories of which each table may know some only."""
    if all(kind == kinds[0] for kind in kinds):
        return kinds[0]
    if any(kind.ordered for kind in kinds):
        raise ValueError(
            f"column {column!r} must have the same categories in all tables, as they have an order"
        )
    return pandas.CategoricalDtype(
        list(dict.fromkeys(c for kind in kinds for c in kind.categories))
    )


def _common_kind(parts):
    """The dtype that can hold the values of all parts: that of any object, where numpy would turn
    numbers into texts or knows no common one."""
    kinds = {part.dtype.kind for part in parts}
    if kinds & set("US") and len(kinds) > 1:
        return np.dtype(object)
    try:
        return np.result_type(*(part.dtype for part in parts))
    except TypeError:
        return np.dtype(object)


def _check_rounding(parts, where):
    """Raise a ValueError where whole numbers beyond float64's would stand beside fractions."""
    whole = [part for part in parts if part.dtype.kind in "iu"]
    if _common_kind(parts).kind == "f" and any(_largest(part) > EXACT for part in whole):
        raise ValueError(
            f"{where} must be of one kind of number, got whole numbers above 2**53 beside "
            f"fractions, which would round them"
        )


def _largest(whole):
    """The largest size of whole numbers, as an int of any length."""
    return max(int(whole.max()), -int(whole.min())) if whole.size else 0


def numbers_of(*tables):
    """For each table a number (n,) for each record: equal numbers where whole records are equal, in
    any of the tables, and nowhere else.

    >>> first, second = numbers_of(np.array([[0.0, 1], [2, 3]]), np.array([[4, 5], [0, 1]]))
    >>> bool(first[0] == second[1]), len({*first, *second})
    (True, 3)

    Content counts, not the kind of number: 1 is 1.0, and -0 is 0, but 0.1 as float32 is another
    number than as float64. A missing value (nan, None, NaT, NA) equals a missing value. Raises
    ValueError for tables with other columns than the first, or with lists in their cells.
    """
    same_columns(tables)
    n = sum(map(len, tables))
    for attempt in range(n + 1):  # the first will do, but for a chance of about n**2 / 2**65
        mixed = np.full(n, attempt, np.uint64)
        for parts in _columns(tables):
            mixed = _mixed(mixed, _keys(parts))
        _, first, number = np.unique(mixed, return_index=True, return_inverse=True)
        twin = first[number]
        later = np.flatnonzero(twin != np.arange(n))
        if len(later) == 0 or all(
            np.array_equal(keys[later], keys[twin[later]]) for keys in map(_keys, _columns(tables))
        ):
            break
    return np.split(number, np.cumsum([len(table) for table in tables])[:-1])


def _columns(tables):
    """The columns of tables, one after another: a list of a table's part each."""
    if not is_frame(tables[0]):
        for j in range(tables[0].shape[1]):
            yield [table[:, j] for table in tables]
        return
    for column in tables[0].columns:
        yield [table[column].to_numpy() for table in tables]


def _mixed(mixed, keys):
    """The hashes (n,) of records so far, with one value more of each."""
    mixed = (mixed ^ keys) * SPREAD[0]
    for shift, factor in zip((30, 27), SPREAD[1:]):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * factor
    return mixed ^ (mixed >> np.uint64(31))


def _keys(parts):
    """A uint64 (n,) for each value of a column, in its parts: equal where the values are."""
    kinds = {part.dtype.kind for part in parts}
    widest = max(part.dtype.itemsize for part in parts)
    largest = max([_largest(part) for part in parts if part.dtype.kind in "iu"], default=0)
    if kinds <= set("biu") and largest < 2**63:
        return np.concatenate([part.astype(np.int64) for part in parts]).view(np.uint64)
    if kinds <= set("biuf") and widest <= 8 and largest <= EXACT:
        values = np.concatenate([part.astype(float) for part in parts]) + 0.0  # -0 becomes 0
        values[np.isnan(values)] = np.nan  # there are many
        return values.view(np.uint64)
    return _codes([value for part in parts for value in part.tolist()])


def _codes(values):
    """A uint64 (n,) for each of a list of values of any kind: equal where the values are."""
    number = {}
    try:
        codes = np.array([number.setdefault(value, len(number)) for value in values], np.uint64)
    except TypeError:
        raise ValueError(
            "a record must hold numbers, texts and the like, got a value that cannot be compared "
            "with others, such as a list"
        ) from None
    missing = [code for value, code in number.items() if is_missing(value)]
    if len(missing) > 1:
        codes[np.isin(codes, np.array(missing, np.uint64))] = missing[0]
    return codes


def is_missing(value):
    """Whether one value stands for none: None, nan, NaT, NA."""
    return not isinstance(value, str) and str(value) in MISSING


def numeric(X):
    """A float64 matrix (n, d) of a table, for a model of trees that is to see the records: numbers
    as they are, nan where one is missing, and texts or categories by their place in their order.

    >>> numeric(np.array([["red", 3], ["blue", None]], dtype=object))
    array([[ 1.,  3.],
           [ 0., nan]])
    """
    if not is_frame(X):
        if X.dtype.kind in "biuf":
            return X.astype(float)
        return np.column_stack([_as_numbers(X[:, j]) for j in range(X.shape[1])])
    return np.column_stack([_as_numbers(X[column]) for column in X.columns])


def _as_numbers(values):
    if hasattr(values, "cat"):  # a column of categories
        codes = values.cat.codes.to_numpy().astype(float)
        return np.where(codes < 0, np.nan, codes)
    values = np.asarray(values)
    if values.dtype.kind in "biuf":
        return values.astype(float)
    if values.dtype.kind in "mM":
        return np.where(np.isnat(values), np.nan, values.astype(np.int64).astype(float))
    values = values.tolist()
    present = dict.fromkeys(value for value in values if not is_missing(value))
    if not all(isinstance(value, Real) for value in present):
        present = {value: place for place, value in enumerate(sorted(present, key=str))}
    else:
        present = {value: float(value) for value in present}
    return np.array([present.get(value, np.nan) for value in values])
