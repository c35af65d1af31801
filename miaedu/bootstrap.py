"""The bootstrap behind every interval: how often each record counts in each draw, in blocks that
fit into memory; and what a ranking by score is worth then."""

from functools import cached_property, lru_cache

import numpy as np

REPLICATES = 400  # draws: the ends of a 95 % interval then rest on 10 draws each
BLOCK = 1_000_000  # weights that are made at a time: more would not be faster
KEPT = 5_000_000  # weights, of all draws together, that are kept for the next measure


def draws(members, groups=None):
    """Blocks of draws with replacement, REPLICATES in all, from `members` (n,) bool: how often each
    member (B, n_members) and each non-member (B, n_nonmembers) is in each of B draws.

    >>> [inside.sum(axis=1).tolist()[:2] for inside, _ in draws(np.array([True] * 3 + [False]))]
    [[3, 3]]

    Both sides are drawn apart. With `groups` (n,), whole groups are drawn, and then each side
    counts as much as it has records. The draws are the same however large a block is. Source: Efron
    1979.
    """
    sides, n = (members, ~members), len(members)
    if groups is None:
        yield from _drawn_apart(*(int(side.sum()) for side in sides), n)
        return
    units = [np.unique(groups[side], return_inverse=True)[1] for side in sides]
    for block in _drawn_apart(*(1 + int(unit.max()) for unit in units), n):
        records = [weights[:, unit].astype(float) for weights, unit in zip(block, units)]
        yield [part * (part.shape[1] / part.sum(axis=1, keepdims=True)) for part in records]


def _drawn_apart(n_members, n_nonmembers, n_records):
    rows = max(1, BLOCK // n_records)
    if REPLICATES * n_records > KEPT:
        yield from _in_blocks(n_members, n_nonmembers, rows)
        return
    kept = _at_once(n_members, n_nonmembers)
    for start in range(0, REPLICATES, rows):  # what is made of the weights takes more than they do
        yield tuple(weights[start : start + rows] for weights in kept)


@lru_cache(maxsize=1)  # every attack on a target, and every measure, is judged by the same draws
def _at_once(n_members, n_nonmembers):
    return next(_in_blocks(n_members, n_nonmembers, REPLICATES))


def _in_blocks(n_members, n_nonmembers, rows):
    members, nonmembers = np.random.default_rng(0), np.random.default_rng(0)
    sizes = [min(rows, REPLICATES - start) for start in range(0, REPLICATES, rows)]
    for size in sizes:
        # both sides are drawn from one stream, all draws of members first
        _places(nonmembers, size, n_members)
    for size in sizes:
        yield _drawn(members, size, n_members), _drawn(nonmembers, size, n_nonmembers)


def _places(rng, size, n):
    return rng.integers(n, size=(size, n), dtype=np.uint32)  # half the time of 64 bits


def _drawn(rng, size, n):
    places = _places(rng, size, n)
    counts = np.empty((size, n), np.int32)
    for row, drawn in zip(counts, places, strict=True):
        row[:] = np.bincount(drawn, minlength=n)
    return counts


def without_spread(value, n, low=0.0):
    """The interval of a rate that is the same in every draw, as where all of n records went alike:
    as far away as a rate may be of which that is seen once in forty times.

    >>> [round(end, 3) for end in without_spread(1.0, 12)]
    [0.735, 1.0]

    `low` is the least value that there is. Source: Clopper & Pearson 1934.
    """
    reach = 1 - 0.025 ** (1 / n)
    return max(value - reach, low), min(value + reach, 1.0)


class Ranking:
    """Members and non-members from the highest score down, and how many members are above each
    non-member: from scores (n_members,) and (n_nonmembers,).

    >>> ranking = Ranking(np.array([0.9, 0.2]), np.array([0.1, 0.2]))
    >>> ranking.above.tolist(), ranking.not_below.tolist()
    ([1, 2], [2, 2])
    """

    def __init__(self, members, nonmembers):
        self.members, self.nonmembers = (
            np.argsort(-scores, kind="stable") for scores in (members, nonmembers)
        )
        falling, of_nonmembers = -members[self.members], -nonmembers[self.nonmembers]
        self.above = np.searchsorted(falling, of_nonmembers, "left")
        self.not_below = np.searchsorted(falling, of_nonmembers, "right")


class Weighed:
    """A ranking under B rows of weights: of `members` (B, n_members) and of `nonmembers` (B,
    n_nonmembers), in the order of the scores that the :class:`Ranking` was made of. A row of ones
    is the sample itself.

    >>> ranking = Ranking(np.array([0.9, 0.2]), np.array([0.1, 0.2]))
    >>> Weighed(ranking, np.ones((1, 2)), np.ones((1, 2))).auc().tolist()
    [0.875]
    """

    def __init__(self, ranking, members, nonmembers):
        self.ranking, self.members, self.nonmembers = ranking, members, nonmembers

    @cached_property
    def _hits(self):
        """The weight of the first 0, 1, 2, ... members, (B, n_members + 1)."""
        return _cumulated(self.members, self.ranking.members)

    @cached_property
    def _alarms(self):
        """The weight of the first 0, 1, 2, ... non-members, (B, n_nonmembers + 1)."""
        return _cumulated(self.nonmembers, self.ranking.nonmembers)

    def first(self, members, nonmembers):
        """The weight (B,) of so many members of the highest scores, and that of so many
        non-members."""
        return self._hits[:, members], self._alarms[:, nonmembers]

    def auc(self):
        """The area (B,) under the ROC curve: how often a member is above a non-member, equal scores
        counting half."""
        ranking = self.ranking
        tied = np.flatnonzero(ranking.above < ranking.not_below)
        above, weights = self._hits_at(ranking.above), np.diff(self._alarms)
        wins = 2 * _products(weights, above)
        if len(tied):
            not_below = self._hits_at(ranking.not_below[tied])
            wins += _products(weights[:, tied], not_below - above[:, tied])
        return wins / (2 * self.members.shape[1] * self.nonmembers.shape[1])

    def tpr_at(self, fpr):
        """The largest TPR (B,) of a threshold whose FPR is at most `fpr`."""
        n = self.members.shape[1]
        # of the sums' own type, so that they are not converted
        limit = self._alarms.dtype.type((fpr + 1e-9) * self.nonmembers.shape[1])
        # the first non-member that may not be flagged, nor anybody of the same score or below
        spared = [np.searchsorted(row, limit, "right") - 1 for row in self._alarms]
        above = self.ranking.above
        found = [
            row[above[place] if place < len(above) else n]
            for row, place in zip(self._hits, spared, strict=True)
        ]
        return np.array(found) / n

    def _hits_at(self, places):
        return np.take(self._hits, places, axis=1)


def _cumulated(weights, order):
    sums = np.zeros((len(weights), 1 + len(order)), weights.dtype)
    ranked = np.take(weights, order, axis=1)
    np.cumsum(ranked, axis=1, dtype=weights.dtype, out=sums[:, 1:])
    return sums


def _products(weights, counts):
    # of whole numbers, which are exact as floats
    return np.einsum("bn,bn->b", weights, counts, dtype=float)


def roc_curve(scores, members):
    """Arrays (fpr, tpr) from (0, 0) to (1, 1), one point for each distinct score (n,).

    >>> fpr, tpr = roc_curve(np.array([0.9, 0.8, 0.8]), np.array([True, False, True]))
    >>> fpr.tolist(), tpr.tolist()
    ([0.0, 0.0, 1.0], [0.0, 0.5, 1.0])
    """
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    last = np.append(ranked[1:] != ranked[:-1], True)  # equal scores move together
    counts = (np.cumsum(side[order])[last] for side in (~members, members))
    return tuple(np.append(0, count / count[-1]) for count in counts)
