"""What an audit is given: checked, as a World; and remarks on what a reader of the report should
know of it."""

import warnings
from dataclasses import replace

import numpy as np

from ..checks import check_known_labels
from ..records import is_frame, numbers_of, stack, take
from ..world import World

LEAST = 20  # records on a side: fewer show nothing
NAMES = {"X_train": "members' X", "X_test": "non-members' X"}
NAMES |= {"y_train": "members' y", "y_test": "non-members' y"}
DIGITS = 5  # to which numbers are compared, where a copy may have been rounded


def world_of(members, nonmembers, pool, ids, together, duplicates, notes):
    """The records of an audit as a :class:`World`, none of them cast."""
    sides = [pair("members", members), pair("nonmembers", nonmembers)]
    pool = None if pool is None else pair("pool", pool)
    try:
        world = World.from_arrays(
            *sides[0], *sides[1], pool, ids=ids, groups=together, duplicates=duplicates
        )
    except ValueError as error:
        text = str(error)
        for name, ours in NAMES.items():
            text = text.replace(name, ours)
        if together is not None:
            text = text.replace("groups", "together")
        raise ValueError(text) from None
    for side, (_, y) in (("members", world.members), ("nonmembers", world.nonmembers)):
        if len(y) < LEAST:
            raise ValueError(f"{side} must hold at least {LEAST} records, got {len(y)}")
    world = _with_ids(world, ids, notes)
    of_members, of_nonmembers = world.groups.members, world.groups.nonmembers
    if of_members is not None and (shared := np.intersect1d(of_members, of_nonmembers)).size:
        notes.append(
            f"{len(shared):,} values of `together` have records on both sides. The model learned "
            "from a part of these groups, and shadow models learn from whole ones: what is found "
            "of them is not the model's doing alone."
        )
    return world


def pair(name, given):
    """`given` as a pair of records and labels whose order agrees."""
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        what = f"{len(given)} parts" if isinstance(given, (tuple, list)) else type(given).__name__
        raise ValueError(f"{name} must be a pair (X, y) of records and labels, got {what}")
    X, y = given
    if is_frame(X) and hasattr(y, "index") and not X.index.equals(y.index):
        raise ValueError(
            f"{name} must have X and y in the same order, but their indexes differ: sort one like "
            "the other, or pass y.to_numpy() if the order is right"
        )
    return X, y


def _with_ids(world, ids, notes):
    """The World with ids that name one record each on its side."""
    if all(len(np.unique(part.astype(str))) == len(part) for part in world.ids):
        return world
    if ids is not None:
        raise ValueError("ids must name each record of a side once, but some are repeated")
    notes.append("The DataFrames' indexes repeat, so records are named by their row numbers.")
    return replace(world, ids=tuple(np.arange(len(part)) for part in world.ids))


def near_copies(world):
    """A sentence where non-members are members but for rounding, or for blanks around words; an
    empty list where none is."""
    X, others = (_blunt(part[0]) for part in (world.members, world.nonmembers))
    alike, exact = (
        np.isin(second, first).sum()
        for first, second in (
            numbers_of(X, others),
            numbers_of(world.members[0], world.nonmembers[0]),
        )
    )
    if alike - exact < max(1, len(others) / 100):
        return []
    return [
        f"At least {alike - exact:,} of the {len(others):,} non-members are members, but for "
        "rounding or blanks around words: an audit that takes members for others finds too little. "
        "Remove them."
    ]


def _blunt(X):
    """Records with numbers rounded to a few digits and words stripped: an array, of objects where
    there are words."""
    columns = [X[name].to_numpy() for name in X.columns] if is_frame(X) else list(X.T)
    for j, column in enumerate(columns):
        try:
            numbers = np.asarray(column, float)
        except (TypeError, ValueError):
            columns[j] = np.array([str(value).strip() for value in column], object)
            continue
        size = np.abs(numbers[np.isfinite(numbers)]).max(initial=0)
        digits = DIGITS - int(np.floor(np.log10(size))) if size else 0
        columns[j] = np.round(numbers, digits) + 0.0
    return np.column_stack(columns)


def pool_remarks(world, classes, n_models, notes):
    """Refuse a pool of which the model knows no label; remark on one that can teach little."""
    X, y = world.pool
    if not len(y):
        return
    known = set(classes.tolist())
    if not any(label in known for label in np.unique(y).tolist()):
        raise ValueError(
            f"pool must hold labels that the model knows, {_some(classes)}, got "
            f"{_some(np.unique(y))}"
        )
    if not n_models:
        notes.append("The pool was not used: no shadow models were asked for.")
    elif len(y) < len(world.members[1]):
        notes.append(
            f"The pool holds {len(y):,} records, fewer than the model learned from: shadow models "
            "learn from half of it, and an attacker with more records may find more."
        )
    missing = [label for label in np.unique(world.members[1]) if label not in set(y.tolist())]
    if missing:
        notes.append(f"The pool has no record of {_some(np.array(missing))}.")


def label_remarks(y, classes, notes):
    """Refuse labels of which the model knows none, and remark on some."""
    with warnings.catch_warnings(record=True) as remarks:
        warnings.simplefilter("always")
        check_known_labels(y, classes)
    for remark in remarks:
        text = str(remark.message)
        notes.append(f"{text[0].upper()}{text[1:]}.")


def groups_of(groups, world):
    """One value of `groups`, as text, for each member and then for each non-member; None where no
    groups were given."""
    if groups is None:
        return None
    sizes = len(world.members[1]), len(world.nonmembers[1])
    parts = [np.atleast_1d(np.asarray(part, object)) for part in groups]
    if tuple(map(len, parts)) != sizes:
        raise ValueError(
            f"groups must be a pair of sequences, of {sizes[0]} members and {sizes[1]} "
            f"non-members, got {len(parts)} of length {', '.join(str(len(p)) for p in parts[:3])}"
        )
    return np.concatenate(parts).astype(str)


def within(budget, world, notes):
    """The places, among members and non-members together, of the records that are asked about: all
    that a budget covers, of each side its share."""
    sizes = len(world.members[1]), len(world.nonmembers[1])
    if budget is None or sum(sizes) <= budget:
        return np.arange(sum(sizes))
    kept = [budget * size // sum(sizes) for size in sizes]
    if min(kept) < LEAST:
        raise ValueError(
            f"budget must cover at least {LEAST} records on each side, got {budget} for "
            f"{sizes[0]} members and {sizes[1]} non-members"
        )
    notes.append(
        f"The budget of {budget:,} queries covers a random part of the records: {kept[0]:,} of "
        f"{sizes[0]:,} members, {kept[1]:,} of {sizes[1]:,} non-members."
    )
    rng = np.random.default_rng(0)
    rows = [np.sort(rng.permutation(size)[:few]) for size, few in zip(sizes, kept)]
    return np.concatenate([rows[0], sizes[0] + rows[1]])


def part_of(world, rows):
    """The World of the members and non-members at these places."""
    n = len(world.members[1])
    rows = [rows[rows < n], rows[rows >= n] - n]
    sides = zip((world.members, world.nonmembers), rows)
    members, nonmembers = ((take(X, few), y[few]) for (X, y), few in sides)
    groups = world.groups
    if groups.members is not None:
        parts = (groups.members[rows[0]], groups.nonmembers[rows[1]])
        groups = groups._replace(members=parts[0], nonmembers=parts[1])
    ids = tuple(part[few] for part, few in zip(world.ids, rows))
    return replace(world, members=members, nonmembers=nonmembers, groups=groups, ids=ids)


def both(world):
    """The records and labels of members and non-members together."""
    X = stack([world.members[0], world.nonmembers[0]])
    return X, np.concatenate([world.members[1], world.nonmembers[1]])


def _some(labels):
    shown = ", ".join(map(repr, labels.tolist()[:5]))
    return shown + ", ..." if len(labels) > 5 else shown
