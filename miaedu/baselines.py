"""What an evaluation finds where there is nothing to find: a model untouched by the target, and a
classifier that never asks one. Both should be at chance; otherwise the evaluation is broken."""

import copy
import weakref

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from threadpoolctl import threadpool_limits

from .records import numeric, stack, take

FOLDS = 5
LARGEST = 5_000  # records that the blind baseline looks at
_blind = weakref.WeakKeyDictionary()  # by World: it is the same under every attack

BASELINES_FOOTNOTE = (
    "Untouched run: a shadow model answers in the target's place, one that "
    "the attack has not learned from. Blind baseline: a classifier that sees the records and asks "
    "no target. Neither has anything to find, but by chance its interval misses 0.5, below as well "
    "as above: the untouched run's once in about twenty times, the blind baseline's, which is "
    "fitted to the same records, once in about seven. Only an AUC that is far from 0.5, or off "
    "with other random states too, means that the evaluation is broken."
)


def both_sides(world):
    """The members of a World, then the non-members: X (n, d), y (n,), and who is a member (n,)."""
    X, y = zip(world.members, world.nonmembers)
    y = np.concatenate(y)
    return (
        stack(X, ["the members", "the non-members"]),
        y,
        np.arange(len(y)) < len(world.members[1]),
    )


def untouched_scores(attack, world):
    """The scores (n,) that a fitted attack gives the records of `world` when a shadow model answers
    in the target's place: one that the attack was fitted without. None where no shadow is to spare.

    >>> import miaedu as mia
    >>> world = mia.split(mia.load_digits(), n_members=100, random_state=0)
    >>> shadows = mia.ShadowModels(mia.MLP(epochs=2), 3, random_state=0).fit(*world.pool)
    >>> untouched_scores(mia.ThresholdAttack().fit(shadows), world).shape
    (200,)

    That model knows nothing of who is a member of the target. Whether its own training records are
    other ones, or a random half of these very records drawn apart from the target's, its AUC is 1/2
    on average. It is not where members and non-members differ by more than chance, or where the
    shadow models were fitted with the target's membership.
    """
    shadows = getattr(attack, "shadows_", None)
    if shadows is None or len(shadows.members) < 2:
        return None
    last = len(shadows.members) - 1
    hide = copy.deepcopy(attack.hide)  # with streams of its own: a look changes nothing
    again = copy.copy(attack).fit(shadows.without(last), hide)
    X, y, _ = both_sides(world)
    return again.score(shadows.door(last, hide), X, y)


def blind_scores(world):
    """Scores of a classifier that is shown the records and their labels, and asks no target; and
    who is a member. None for fewer than ten records on either side, or ten groups.

    >>> import miaedu as mia
    >>> world = mia.split(mia.load_digits(), n_members=100, random_state=0)
    >>> scores, members = blind_scores(world)
    >>> scores.shape, int(members.sum())
    ((200,), 100)

    Each record is judged by gradient boosting on the others, in five folds, of at most 5,000
    records, and those of a group in the same fold; with a fixed number of members this leans a
    little below 1/2. An AUC well away from 1/2 means that the two sides were not drawn alike.
    Source: Das, Zhang & Tramèr 2024.
    """
    if world not in _blind:
        _blind[world] = _blind_scores(*both_sides(world), world.groups.both_sides)
    return _blind[world]


def looked_at(n, rng=None):
    """The places of the records, of n, that the blind baseline looks at: all, if they are few."""
    return np.sort((rng or np.random.default_rng(0)).permutation(n)[:LARGEST])


def _blind_scores(X, y, members, groups):
    rng = np.random.default_rng(0)
    few = looked_at(len(y), rng)
    codes = np.unique(y, return_inverse=True)[1]
    table, members = np.column_stack([numeric(take(X, few)), codes[few]]), members[few]
    # Records that were dealt together share a fold: a relative would tell on which side one is.
    groups = few if groups is None else groups[few]
    _, first, unit, size = np.unique(
        groups, return_index=True, return_inverse=True, return_counts=True
    )
    if min(members[first].sum(), (~members[first]).sum()) < 10:
        return None
    rule = HistGradientBoostingClassifier(max_iter=50, random_state=0)
    # Each fold has its share of members and non-members of each class, and of large groups: a rule
    # fitted without some members of a class would take those that are left for rarer than they are.
    order = np.lexsort((rng.random(len(first)), table[first, -1], size, members[first]))
    fold = np.empty(len(first), int)
    fold[order] = np.arange(len(first)) % FOLDS
    with threadpool_limits(1):  # threads of so small a task wait for each other
        guesses = cross_val_predict(
            rule, table, members, cv=PredefinedSplit(fold[unit]), method="predict_proba"
        )
    return guesses[:, 1], members
