"""A Dataset of records and labels, and its split into members, non-members and the attacker's
pool."""

import warnings
from dataclasses import dataclass
from itertools import cycle
from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

from .checks import as_labels
from .records import numbers_of
from .world import Groups, World, check_duplicates_choice


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Records with one class label each, and what a reader should know about them.

    >>> import miaedu as mia
    >>> weighed, kinds = [[150, 1], [160, 0], [9, 1]], ["apple", "apple", "cherry"]
    >>> fruit = mia.Dataset.from_arrays(weighed, kinds, name="fruit")
    >>> fruit
    Dataset 'fruit': 3 records, 2 features, 2 classes
    >>> fruit.class_names, fruit.y.tolist()
    (('apple', 'cherry'), [0, 0, 1])

    name : str. story : str, one paragraph: who is in the data and why membership could matter.
    X : float32 (n, d), read-only. y : int64 (n,), read-only: codes from 0 to ``n_classes - 1``.
    feature_names, class_names : tuples of d and c texts; ``class_names[code]`` names a class.
    groups : None, or int64 (n,): records with the same number belong together, such as a household.
    repeats : bool, whether two people may well have exactly the same features, as in coarse tables.
    """

    name: str
    X: np.ndarray
    y: np.ndarray
    feature_names: tuple
    class_names: tuple
    story: str = ""
    groups: np.ndarray | None = None
    repeats: bool = False

    def __post_init__(self):
        # Loaders hand the same arrays to everybody, so nobody may write to them.
        for field, dtype in (("X", np.float32), ("y", np.int64), ("groups", np.int64)):
            if getattr(self, field) is not None:
                view = np.ascontiguousarray(getattr(self, field), dtype).view()
                view.flags.writeable = False
                object.__setattr__(self, field, view)

    @classmethod
    def from_arrays(
        cls,
        X,
        y,
        *,
        name="your data",
        feature_names=None,
        class_names=None,
        groups=None,
        story="",
        repeats=None,
    ):
        """A Dataset of your own: a table of numbers, and a label (text or whole number) for each of
        its rows.

        >>> import miaedu as mia
        >>> mia.Dataset.from_arrays([[0.5, 1], [2, 3]], ["no", "yes"], groups=["north", "south"])
        Dataset 'your data': 2 records, 2 features, 2 classes, 2 groups

        X (n, d) and y (n,) may be lists, arrays or DataFrames; they are copied. `feature_names`
        defaults to the columns of a DataFrame. `class_names` lists all classes in the order of
        their codes; with it, whole numbers in y are codes. By default it is the values of y,
        sorted. `groups` (n,) says which records belong together. `repeats` defaults to whether X
        holds whole numbers only.

        Raises ValueError for missing or infinite values, text in X, amounts in y, a single class,
        lengths that differ.
        """
        columns = getattr(X, "columns", None) if feature_names is None else feature_names
        X = _numbers(X)
        columns = (
            [f"feature {j}" for j in range(X.shape[1])]
            if columns is None
            else [str(name) for name in columns]
        )
        if len(columns) != X.shape[1]:
            raise ValueError(
                f"feature_names must name the {X.shape[1]} features of X, got {len(columns)} names"
            )
        found, codes = _encode("y", y, len(X))
        if len(found) < 2:
            raise ValueError(f"y must hold at least two classes, got only {found[0]!r}")
        if class_names is not None:
            found, codes = list(class_names), _codes_among(class_names, found, codes)
        if groups is not None:
            groups = _encode("groups", groups, len(X))[1]
        if repeats is None:
            repeats = bool((np.round(X) == X).all())
        return cls(name, X, codes, tuple(columns), tuple(map(str, found)), story, groups, repeats)

    @property
    def n_classes(self):
        """The number of classes, those without a record included."""
        return len(self.class_names)

    def __len__(self):
        return len(self.X)

    def __repr__(self):
        groups = "" if self.groups is None else f", {len(np.unique(self.groups)):,} groups"
        size = f"{len(self):,} records, {self.X.shape[1]:,} features, {self.n_classes} classes"
        return f"Dataset {self.name!r}: {size}{groups}"


def split(
    data,
    n_members,
    n_nonmembers=None,
    *,
    coin=False,
    by_group=None,
    duplicates=None,
    random_state=None,
):
    """Deal the records of a Dataset to members, non-members and the attacker's pool, every record
    to one of them.

    >>> import miaedu as mia
    >>> mia.split(mia.load_purchases(), n_members=1000, random_state=0)
    World: 1,000 members, 1,000 non-members, 2,000 in the pool, 10 classes

    `n_nonmembers` defaults to `n_members`; the rest is the pool. Each part is shuffled and has the
    classes in the data's proportions, to within a record a class where that is possible. Equal
    integers as `random_state` give equal Worlds.

    coin : draw ``n_members + n_nonmembers`` candidates in this way, then toss a fair coin for each:
        heads is a member.
    by_group : keep the records of a group in one part (and, with `coin`, under one coin); by
        default whenever the data have groups. Whole groups in random order fill the members, then
        the non-members, until the number is reached: a part has up to one group more than asked
        for, the non-members less if no group is left. Proportions of classes are then left to
        chance.
    duplicates : "error", "warn" or "allow" records with exactly the same features in two parts. By
        default they are a warning with their count where the Dataset says that repeats are natural,
        and an error elsewhere.

    Raises ValueError for numbers below 1 or beyond what there is, and for duplicates where they are
    an error.
    """
    n_nonmembers = n_members if n_nonmembers is None else n_nonmembers
    for name, value in (("n_members", n_members), ("n_nonmembers", n_nonmembers)):
        if not isinstance(value, Integral) or value < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
    if n_members + n_nonmembers > len(data):
        raise ValueError(
            f"n_members + n_nonmembers must be at most {len(data)}, the number of records, "
            f"got {n_members} + {n_nonmembers}"
        )
    by_group = data.groups is not None if by_group is None else by_group
    if by_group and data.groups is None:
        raise ValueError(f"by_group needs groups, but Dataset {data.name!r} has none")
    if duplicates is not None:
        check_duplicates_choice(duplicates)
    random = check_random_state(random_state)
    if coin:
        candidates, pool = _deal(data, by_group, [n_members + n_nonmembers], random)
        heads = _toss(data, by_group, random)[candidates]
        members, nonmembers = candidates[heads], candidates[~heads]
    else:
        members, nonmembers, pool = _deal(data, by_group, [n_members, n_nonmembers], random)
        if len(nonmembers) == 0:
            raise ValueError(
                f"n_members must leave a group of records for the non-members, got {n_members}"
            )
    _check_duplicates(
        data, (members, nonmembers, pool), duplicates or ("warn" if data.repeats else "error")
    )
    parts = members, nonmembers, pool
    groups = Groups(*(data.groups[rows] for rows in parts)) if by_group else Groups()
    pairs = ((data.X[rows], data.y[rows]) for rows in parts)
    return World(*pairs, classes=np.arange(data.n_classes), groups=groups)


def _deal(data, by_group, sizes, random):
    """Shuffled row numbers: so many for each of `sizes`, and the rest."""
    rows = random.permutation(len(data))
    part = (
        _parts_of_groups(data.groups, sizes, random)
        if by_group
        else _parts_of_classes(data.y, rows, sizes, random)
    )
    return [rows[part[rows] == k] for k in range(len(sizes) + 1)]


def _parts_of_groups(groups, sizes, random):
    """The part (n,) of each record when whole groups, in random order, fill part after part."""
    found, unit = np.unique(groups, return_inverse=True)
    order = random.permutation(len(found))
    filled = np.bincount(unit)[order].cumsum()
    part, start = np.full(len(found), len(sizes)), 0
    for k, size in enumerate(sizes):
        stop = 1 + np.searchsorted(filled, size + (filled[start - 1] if start else 0))
        part[order[start:stop]] = k
        start = min(stop, len(found))
    return part[unit]


def _parts_of_classes(y, rows, sizes, random):
    """The part (n,) of each record when each part takes its share of every class, in the order of
    `rows`."""
    counts = np.bincount(y)
    part, taken = np.full(len(y), len(sizes)), np.zeros_like(counts)
    for k, size in enumerate(sizes):
        share = _shares(size, counts, counts - taken, random)
        for label in range(len(counts)):
            of_class = rows[y[rows] == label]
            part[of_class[taken[label] : taken[label] + share[label]]] = k
        taken += share
    return part


def _shares(size, counts, room, random):
    """How many of each class make up `size` records: largest remainders, no class beyond its
    `room`.

    Ties go to the class that has given less so far, then by lot.
    """
    share, remainder = np.divmod(size * counts, counts.sum())
    order = np.lexsort(
        (random.random_sample(len(counts)), -room / np.maximum(counts, 1), -remainder)
    )
    for label in cycle(order):
        if share.sum() == size:
            return share
        share[label] += share[label] < room[label]


def _toss(data, by_group, random):
    """A fair coin (n,) for each record, or one for each group."""
    if not by_group:
        return random.random_sample(len(data)) < 0.5
    found, unit = np.unique(data.groups, return_inverse=True)
    return (random.random_sample(len(found)) < 0.5)[unit]


def _check_duplicates(data, parts, action):
    if action == "allow":
        return
    (content,) = numbers_of(data.X)
    homes = sum(np.isin(np.arange(len(data)), content[rows]) for rows in parts)
    n = int((homes[content] > 1).sum())
    if n:
        said = (
            f"{n} of the {len(data)} records of {data.name!r} have exactly the same features as a "
            "record in another part, so that a non-member may pass for its double among the members"
        )
        if action == "error":
            raise ValueError(f'{said}; remove repeated records, or pass duplicates="allow"')
        warnings.warn(said, UserWarning, stacklevel=3)


def _numbers(X):
    """X as a float32 array (n, d) of finite numbers, always a copy."""
    try:
        X = np.asarray(X)
    except ValueError:  # numpy's word for rows of different lengths
        raise ValueError(
            "X must have the same number of features in every record, got different numbers"
        ) from None
    if X.ndim != 2 or 0 in X.shape:
        raise ValueError(f"X must be a table of shape (records, features), got shape {X.shape}")
    if X.dtype.kind not in "biuf":
        for i, record in enumerate(X.tolist()):
            for j, value in enumerate(record):
                if not isinstance(value, Real):
                    raise ValueError(
                        f"X must hold numbers (encode text, fill in missing values first), "
                        f"got {value!r} in record {i}, feature {j}"
                    )
    with np.errstate(over="ignore"):
        numbers = X.astype(np.float32)
    bad = np.argwhere(~np.isfinite(numbers))
    if len(bad):
        i, j = bad[0]
        raise ValueError(
            f"X must hold finite float32 numbers (fill in or drop missing values first), "
            f"got {X[i, j]} in record {i}, feature {j}"
        )
    return numbers


def _encode(name, values, n):
    """The distinct values, sorted, and the code (n,) of each record's value."""
    values = as_labels(name, values, n)
    if values.dtype.kind == "f":
        values = values.astype(np.int64)
    found, codes = np.unique(values, return_inverse=True)
    return found.tolist(), codes


def _codes_among(class_names, found, codes):
    """Codes within `class_names` of records that have `codes` within `found`, the values of y."""
    order = (
        list(range(len(class_names)))
        if isinstance(found[0], Integral)
        else [str(name) for name in class_names]
    )
    for value in found:
        if value not in order:
            raise ValueError(
                f"class_names must list every class of y, got {list(class_names)}, but y has "
                f"{value!r}"
            )
    return np.array([order.index(value) for value in found])[codes]
