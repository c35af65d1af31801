"""World: who is a member of the target's training set, who is not, and what the attacker has."""

import warnings
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from .checks import as_labels
from .records import as_table, is_frame, numbers_of, same_columns, take

PARTS = "X_train", "X_test", "pool"


class Groups(NamedTuple):
    """Which records of a World were dealt together, such as a household's: a number (n,) for each
    record of each part; None where every record was dealt by itself."""

    members: np.ndarray | None = None
    nonmembers: np.ndarray | None = None
    pool: np.ndarray | None = None

    @property
    def both_sides(self):
        """The numbers of the members, then those of the non-members; or None."""
        return None if self.members is None else np.concatenate([self.members, self.nonmembers])


@dataclass(frozen=True, eq=False, repr=False)
class World:
    """Who is who: the target's members, as many others, and the pool of records that the attacker
    has.

    >>> import miaedu as mia
    >>> mia.split(mia.load_digits(), n_members=500, random_state=0)
    World: 500 members, 500 non-members, 797 in the pool, 10 classes

    members, nonmembers, pool : pairs of X (n, d) and y (n,); from :func:`split` float32 and int64.
    classes : (c,), the public set of labels. An attacker is given the pool and the classes, never
    the members. groups : ``groups.pool`` and the like, int64 (n,): records with the same number
    were dealt together, and shadow models and folds should keep them together; None where each was
    dealt by itself. ids : None, or a pair of arrays (n,), by which members and non-members are
    known to their owner.
    """

    members: tuple
    nonmembers: tuple
    pool: tuple
    classes: np.ndarray
    groups: Groups = Groups()
    ids: tuple | None = None

    @classmethod
    def from_arrays(
        cls,
        X_train,
        y_train,
        X_test,
        y_test,
        pool=None,
        *,
        ids=None,
        groups=None,
        duplicates="error",
    ):
        """A World of your own: the records that a model was trained on, and others like them.

        >>> import miaedu as mia
        >>> mia.World.from_arrays([[1.5, 2], [3, 4]], ["no", "yes"], [[5, 6]], ["no"])
        World: 2 members, 1 non-members, 0 in the pool, 2 classes

        X_train, X_test : arrays of any dtype, DataFrames, or lists, (n, d): kept as they come.
            y_train, y_test : a label of any kind for each record.
        pool : a pair of X and y of the same kind, records that an attacker has; None for none.
        ids : a pair of arrays (n,), names of the members and of the non-members: by default the
            DataFrames' indices, or else the places from 0 on.
        groups : a pair of arrays (n,), or three with the pool's: records with the same value belong
            together, such as a household's.
        duplicates : "error", "warn" or "allow" records that stand, with the same features, in two
            of the three parts: where different people may well have the same, allow them.

        Raises ValueError for other columns in one part than in another, lengths that differ,
        missing labels, a single class, and duplicates where they are an error.
        """
        check_duplicates_choice(duplicates)
        tables = [as_table(X_train, "X_train"), as_table(X_test, "X_test")]
        labels = [
            as_labels("y_train", y_train, len(tables[0]), "X_train"),
            as_labels("y_test", y_test, len(tables[1]), "X_test"),
        ]
        if pool is None:
            tables.append(take(tables[0], slice(0)))
            labels.append(labels[0][:0])
        else:
            X, y = _several("pool", pool, 2, "X and y")
            tables.append(as_table(X, "the pool's X"))
            labels.append(as_labels("the pool's y", y, len(tables[2]), "the pool's X"))
        same_columns(tables, PARTS)
        classes = _classes_of(labels)
        _check_overlaps(tables, duplicates)
        return cls(
            *zip(tables, labels),
            classes=classes,
            groups=_numbered_groups(groups, tables),
            ids=_ids(ids, tables),
        )

    def __repr__(self):
        sizes = [f"{len(y):,}" for _, y in (self.members, self.nonmembers, self.pool)]
        return "World: {} members, {} non-members, {} in the pool, {} classes".format(
            *sizes, len(self.classes)
        )

    def with_pool_of(self, n):
        """The same World with the first `n` records of the pool, and the rest of their groups."""
        place, groups = np.arange(len(self.pool[1])), self.groups
        if groups.pool is not None:
            _, first, group = np.unique(groups.pool, return_index=True, return_inverse=True)
            place = first[group]
        kept = place <= np.sort(place)[:n].max(initial=-1)
        if groups.pool is not None:
            groups = groups._replace(pool=groups.pool[kept])
        return replace(self, pool=tuple(take(part, kept) for part in self.pool), groups=groups)


def check_duplicates_choice(duplicates):
    """Raise a ValueError unless `duplicates` is one of the three things to do about them."""
    if duplicates not in ("error", "warn", "allow"):
        raise ValueError(f'duplicates must be "error", "warn" or "allow", got {duplicates!r}')


def _several(name, given, counts, what):
    counts = np.atleast_1d(counts)
    if not isinstance(given, (tuple, list)) or len(given) not in counts:
        got = type(given).__name__
        if isinstance(given, (tuple, list)):
            got = f"{len(given)} of them"
        raise ValueError(f"{name} must hold {what}, got {got}")
    return given


def _classes_of(labels):
    """The labels of all parts, sorted: texts throughout, or numbers throughout."""
    kinds = {"texts" if y.dtype.kind in "US" else "numbers": y for y in labels if len(y)}
    if len(kinds) > 1:
        texts, numbers = (kinds[name].tolist()[0] for name in ("texts", "numbers"))
        raise ValueError(
            "y_train, y_test and the pool's y must hold labels of one kind, got the text "
            f"{texts!r} and the number {numbers!r}"
        )
    classes = np.unique(np.concatenate(labels))
    if len(classes) < 2:
        raise ValueError(
            f"y_train and y_test must hold at least two classes, got only {classes.tolist()[0]!r}"
        )
    return classes


def _check_overlaps(tables, action):
    if action == "allow":
        return
    numbers = numbers_of(*tables)
    found = []
    for first, second in ((0, 1), (1, 2), (0, 2)):
        n = int(np.isin(numbers[second], numbers[first]).sum())
        if n:
            found.append(
                f"{n} of the {len(tables[second])} records of {PARTS[second]} are in "
                f"{PARTS[first]} too"
            )
    if not found:
        return
    said = f"{'; '.join(found)} (the same features), so that nobody can tell who is a member"
    if action == "error":
        raise ValueError(
            f"{said}; remove these copies, or pass duplicates='allow' if they are other people "
            "who have the same features"
        )
    warnings.warn(said, UserWarning, stacklevel=3)


def _ids(ids, tables):
    if ids is None:
        return tuple(X.index.to_numpy() if is_frame(X) else np.arange(len(X)) for X in tables[:2])
    ids = _several("ids", ids, 2, "two arrays, the members' and the non-members'")
    return tuple(
        _one_each(f"ids of {part}", given, X) for part, given, X in zip(PARTS, ids, tables)
    )


def _one_each(name, given, X):
    given = np.asarray(given)
    if given.shape != (len(X),):
        raise ValueError(
            f"{name} must hold one value for each of the {len(X)} records, got shape {given.shape}"
        )
    return given


def _numbered_groups(groups, tables):
    """`groups` of any kind as numbers that mean the same in all parts."""
    if groups is None:
        return Groups()
    groups = _several("groups", groups, (2, 3), "two or three arrays, one for each part")
    labels = [
        as_labels(f"groups of {part}", given, len(X), part)
        for part, given, X in zip(PARTS, groups, tables)
    ]
    if len({y.dtype.kind in "US" for y in labels if len(y)}) > 1:
        raise ValueError("groups must hold texts in all parts, or numbers in all")
    number = np.unique(np.concatenate(labels), return_inverse=True)[1]
    return Groups(*np.split(number, np.cumsum([len(y) for y in labels])[:-1]))
