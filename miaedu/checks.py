"""Checks of arguments, seeds and labels, in one place: an error names the argument, what it got and
what is allowed."""

import warnings
from math import exp, inf
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


def check_known_labels(y, classes):
    """A ValueError unless some label of y (n,) is among the `classes` (c,) that a target answers
    about, and a warning unless all are: 1 is True, but "1" is not 1.

    >>> check_known_labels(np.array([0, 1]), np.array(["no", "yes"]))
    Traceback (most recent call last):
    ValueError: the records' labels are 0, 1, but the target answers about 'no', 'yes': it knows \
none of them; code both alike
    """
    found, known = np.unique(y).tolist(), np.asarray(classes).tolist()
    unknown = [label for label in found if label not in set(known)]
    if not unknown:
        return
    told = (
        f"the records' labels are {_listed(found)}, but the target answers about {_listed(known)}"
    )
    if unknown == found:
        raise ValueError(f"{told}: it knows none of them; code both alike")
    n = int(np.isin(y, unknown).sum())
    warnings.warn(
        f"{told}: {n} of the {len(y)} records have a label that it does not know "
        f"({_listed(unknown)}), and count as if its confidence in them were 0",
        UserWarning,
        stacklevel=4,
    )


def warn_if_hardly_right(said, y):
    """Warn where the labels that a target `said` (n,) are those of its members, y (n,), less than
    half as often as if they were shuffled (the chance agreement of Cohen 1960), and by more than
    bad luck, of 1 in 10,000 (Chernoff 1952): a target that always says one class is not meant."""
    n, k = len(y), int((said == y).sum())
    codes = np.unique(np.concatenate([said, y]), return_inverse=True)[1]
    shares = [np.bincount(part, minlength=codes.max() + 1) for part in np.split(codes, 2)]
    expected = float(shares[0] @ shares[1]) / n
    if k < expected / 2 and exp(-((expected - k) ** 2) / (2 * expected)) < 1e-4:
        warnings.warn(
            f"the target is right about {k} of its {n} members, and with its answers in any other "
            f"order it would be about {expected:.0f} times: do its labels mean what the records' "
            "labels mean?",
            UserWarning,
            stacklevel=3,
        )


def _listed(labels, most=5):
    more = f" and {len(labels) - most} more" if len(labels) > most else ""
    return ", ".join(map(repr, labels[:most])) + more
