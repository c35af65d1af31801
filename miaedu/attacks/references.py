"""What other models say of the same record: mean and spread of a statistic over reference models,
so that a record of which every model is sure is not taken for a member."""

from typing import NamedTuple

import numpy as np

PRIOR = 4  # pseudo-counts that draw the spread of a record towards that of all records
SMALL = 1e-4  # the least variance, so that nothing is divided by 0 where all references agree


class Reference(NamedTuple):
    """Mean and spread of a statistic over so many reference models, arrays of one shape."""

    mean: np.ndarray
    spread: np.ndarray
    count: np.ndarray


class Pooled(NamedTuple):
    """The mean over all records, and the variance within one: they stand in where a record has no
    or few references."""

    mean: np.ndarray
    variance: np.ndarray


def of_the_others(values, use):
    """For each of K models the :class:`Reference` (K, n) of the others that `use` (K, n) marks, and
    the :class:`Pooled` numbers that these were drawn towards, on average.

    >>> values = np.array([[1.0], [2.0], [6.0]])
    >>> reference, _ = of_the_others(values, np.array([[True], [True], [False]]))
    >>> reference.mean.ravel().tolist()
    [2.0, 1.0, 1.5]

    No model is part of its own reference: neither its `values` (K, n) nor its row of `use` matter.
    A model that stands alone is compared with the mean and the spread of all its values.
    """
    sums = [part.sum(axis=0) - part for part in _sums(values, use)]
    pooled = _pooled(*sums)
    if len(values) == 1:
        pooled = Pooled(values.mean(keepdims=True), values.var(keepdims=True) + SMALL)
    return _reference(*sums, pooled), Pooled(pooled.mean.mean(), pooled.variance.mean())


def of_all(values, use, pooled):
    """The :class:`Reference` (n,) of those of K models that `use` (K, n) marks, few of them drawn
    towards `pooled`."""
    return _reference(*(part.sum(axis=0) for part in _sums(values, use)), pooled)


def _sums(values, use):
    marked = np.where(use, values, 0.0)
    return use.astype(float), marked, marked * marked


def _scatter(count, total, squares):
    return np.maximum(squares - total * total / np.maximum(count, 1), 0)


def _pooled(count, total, squares):
    """:class:`Pooled` (B, 1) from sums (B, n): of the variance within records, where a record has
    two references; of that of all values together elsewhere."""
    n, degrees = (np.sum(part, axis=1, keepdims=True) for part in (count, np.maximum(count - 1, 0)))
    mean = total.sum(axis=1, keepdims=True) / np.maximum(n, 1)
    within = _scatter(count, total, squares).sum(axis=1, keepdims=True) / np.maximum(degrees, 1)
    around = squares.sum(axis=1, keepdims=True) / np.maximum(n, 1) - mean**2
    return Pooled(mean, np.maximum(np.where(degrees > 0, within, around), SMALL))


def _reference(count, total, squares, pooled):
    mean = np.where(count > 0, total / np.maximum(count, 1), pooled.mean)
    scatter = _scatter(count, total, squares) + PRIOR * pooled.variance
    return Reference(mean, np.sqrt(scatter / (np.maximum(count - 1, 0) + PRIOR)), count)
