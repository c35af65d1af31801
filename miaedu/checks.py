"""Checks of arguments, seeds and labels, in one place: an error names the argument, what it got and
what is allowed."""

from math import inf
from numbers import Integral, Real

import numpy as np

# what stands for a value that is missing, or is none
MISSING = ("None", "nan", "inf", "-inf", "<NA>", "NaT")


def draw_seeds(random_state, n):
    """`n` seeds from `random_state` (None, int or RandomState); the first seeds are the same
    whatever `n` is.

    >>> [int(s) for s in draw_seeds(0, 2)] == [int(s) for s in draw_seeds(0, 5)[:2]]
    True
    """
    if isinstance(random_state, np.random.RandomState):
        random_state = int(random_state.randint(2**31))
    elif random_state is not None:
        check_number("random_state", random_state, Integral, 0)
    return np.random.SeedSequence(random_state).generate_state(n)


def check_number(name, value, kind=Real, low=0, high=inf, *, above=False, below=False, why=""):
    """Raise a ValueError that names the argument unless `value` is a finite number of this `kind`
    from `low` to `high`; with `above` or `below` that end itself is not allowed.

    >>> check_number("delta", 1.5, high=1, above=True, below=True)
    Traceback (most recent call last):
    ValueError: delta must be a number above 0 and below 1, got 1.5
    """
    if isinstance(value, kind) and not isinstance(value, bool) and np.isfinite(value):
        if (value > low or value == low and not above) and (
            value < high or value == high and not below
        ):
            return
    what = "a whole number" if kind is Integral else "a number"
    allowed = f"{'above' if above else 'of at least'} {low}"
    if high < inf:
        allowed += f" and {'below' if below else 'at most'} {high}"
    reason = f" ({why})" if why else ""
    raise ValueError(f"{name} must be {what} {allowed}, got {value!r}{reason}")


def as_labels(name, values, n, of="X"):
    """A label for each of the `n` records of a table that is called `of`, as an array (n,) of
    texts, whole numbers or truth values; a ValueError for anything else.

    >>> as_labels("y", ["no", "yes"], 2).tolist()
    ['no', 'yes']
    """
    values = values if hasattr(values, "dtype") else np.array(values, dtype=object)
    values = np.asarray(values)
    if values.shape != (n,):
        raise ValueError(
            f"{name} must hold one value for each of the {n} records of {of}, "
            f"got shape {values.shape}"
        )
    if values.dtype.kind in "biuU":
        return values
    for i, value in enumerate(values.tolist()):
        if not isinstance(value, str) and str(value) in MISSING:
            raise ValueError(
                f"{name} must hold a value for every record, got {value} for record {i}"
            )
    if values.dtype.kind == "O":
        given = values.tolist()
        values = np.array(given)  # an array of objects becomes one of numbers or texts
        others = [value for value in given if not isinstance(value, str)]
        if values.dtype.kind == "U" and others:
            raise ValueError(f"{name} must hold values of one kind, got texts and {others[0]!r}")
    if values.dtype.kind == "f":
        amounts = values[values != np.round(values)]
        if len(amounts):
            raise ValueError(
                f"{name} must hold labels, not amounts (cut amounts into ranges first), got "
                f"{amounts[0]}"
            )
    return values


def public_classes(y, classes=None):
    """The public labels (c,), sorted: `classes`, or else what is in y (n,); a ValueError where that
    will not do."""
    found = np.unique(y)
    if classes is None and len(found) < 2:
        one = found.tolist()[0]
        raise ValueError(
            f"y must hold at least two classes (or pass classes=...), got one class: {one!r}"
        )
    classes = found if classes is None else np.unique(classes)
    unknown = np.setdiff1d(found, classes).tolist()
    if unknown:
        raise ValueError(f"classes must contain every label of y; {unknown[0]!r} is not in it")
    return classes
