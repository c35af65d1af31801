"""BlackBox: the only door to a target. What the owner does to its answers is in ``hiding``."""

from math import inf
from numbers import Integral, Real

import numpy as np

from .checks import check_number
from .hiding import apply, check_hide
from .records import take

ROUNDING = 0.005  # what rounding to two decimals may add to a confidence


class BlackBox:
    """A fitted classifier behind a door that answers with confidences, counts the queries, and
    tells nothing else.

    >>> import miaedu as mia
    >>> digits = mia.load_digits()
    >>> api = mia.BlackBox(mia.MLP(epochs=5, random_state=0).fit(digits.X, digits.y), budget=100)
    >>> api.predict_proba(digits.X[:3]).shape, api.n_queries
    ((3, 10), 3)

    Parameters: `target`, any fitted classifier with ``predict_proba`` and ``classes_``, or with
    `classes` a function of records, such as a remote service; `hide`, functions from confidences
    (n, c) to confidences, applied in their order; `budget`, the largest number of records it will
    ever answer (None: no bound); `epsilon_budget`, the largest epsilon its answers may spend
    together, needed with ``noisy(epsilon=...)``; `classes`, the labels (c,) in the order of the
    columns; `batch`, the most records of one call of the target.

    A target answers with confidences (n, c). With two classes it may answer (n,) or (n, 1): the
    probability of the second. Given `classes`, it may answer with labels (n,), which become
    confidences of 1, and with rounded or cut confidences, whose sum may be lower than 1, or higher
    by 0.005 a class.

    Attributes: ``classes_``, the public labels in the order of the columns; ``n_queries``, records
    answered so far; ``epsilon_spent``; ``hide``. Raises TypeError for a target that gives no
    confidences, ValueError for one whose answers are not probabilities. Source: the threat model of
    Shokri et al. 2017, section III.
    """

    def __init__(
        self, target, hide=(), budget=None, epsilon_budget=None, *, classes=None, batch=None
    ):
        # no attribute leads to the target itself
        self._answer = _way_to_ask(target, classes)
        self._given, self.batch = classes is not None, batch
        for name, value in (("budget", budget), ("batch", batch)):
            if value is not None:
                check_number(name, value, Integral, 1)
        self.classes_ = np.array(target.classes_) if classes is None else _public(classes)
        self.hide, self.budget, self.n_queries = check_hide(hide), budget, 0
        self.epsilon_budget, self.epsilon_spent, self._price = (
            epsilon_budget,
            0.0,
            _price(self.hide, epsilon_budget),
        )

    @property
    def queries_left(self):
        """How many more records it will answer: infinite without a budget."""
        left = [] if self.budget is None else [self.budget - self.n_queries]
        if self._price:
            paid_for = self.epsilon_budget * (1 + 1e-12) // self._price
            left.append(int(paid_for) - self.n_queries)
        return min(left, default=inf)

    def predict_proba(self, X):
        """Confidences (n, c) for records X (n, d), after hiding; ValueError, and no answer, beyond
        the budget. If the target fails in the middle, the batches before count as answered."""
        n = len(X)
        if self.budget is not None and self.n_queries + n > self.budget:
            raise ValueError(
                f"the query budget of {self.budget} is too small: "
                f"{self.n_queries} used, {n} more asked for"
            )
        # each answer is a fresh release: the costs add up
        spent = (self.n_queries + n) * self._price
        if self._price and spent > self.epsilon_budget * (1 + 1e-12):
            raise ValueError(
                f"the epsilon budget of {self.epsilon_budget} is spent: "
                f"{self.epsilon_spent:g} used, {n * self._price:g} more asked for"
            )
        size, parts = self.batch or max(n, 1), []
        for start in range(0, max(n, 1), size):
            part = X if n <= size else take(X, slice(start, start + size))
            told = as_confidences(self._answer(part), len(part), self.classes_, self._given, start)
            self.n_queries += len(part)
            self.epsilon_spent = self.n_queries * self._price
            parts.append(told)
        return apply(self.hide, parts[0] if len(parts) == 1 else np.concatenate(parts))


def _way_to_ask(target, classes):
    if callable(getattr(target, "predict_proba", None)):
        if isinstance(target, type) or (classes is None and not hasattr(target, "classes_")):
            raise ValueError(
                f"target must be fitted before it can answer: "
                f"this {type(target).__name__} has no classes_"
            )
        return lambda X: target.predict_proba(X)
    if classes is None or isinstance(target, type) or not callable(target):
        raise TypeError(
            "target must be a fitted classifier with predict_proba, or a function of records "
            f"together with its classes=[...], got {type(target).__name__}"
        )
    return lambda X: target(X)


def _public(classes):
    classes = np.array(classes)
    if classes.ndim != 1 or len(classes) < 2 or len(np.unique(classes)) < len(classes):
        raise ValueError(
            "classes must list at least two different labels, in the order of the target's "
            f"columns, got {classes.tolist()!r}"
        )
    return classes


def _price(hide, epsilon_budget):
    """The epsilon that each answer spends; a ValueError where the promise could not be kept."""
    prices = [getattr(step, "epsilon", None) for step in hide]
    if epsilon_budget is not None:
        check_number(
            "epsilon_budget",
            epsilon_budget,
            Real,
            0,
            above=True,
            why="every answer must spend some of it",
        )
    if not any(prices):
        return 0.0
    if any(prices[1:]):
        raise ValueError(
            "noisy(epsilon=...) must come first in hide and only once: "
            "its sensitivity of 2 is proved for the target's own answer"
        )
    if epsilon_budget is None:
        raise ValueError(
            f"noisy(epsilon={prices[0]!r}) needs BlackBox(..., epsilon_budget=...): "
            f"every answer spends epsilon, and someone must stop"
        )
    return prices[0]


def as_confidences(answers, n, classes, given=False, start=0):
    """A target's `answers` about `n` records as confidences (n, c); a ValueError that says what is
    wrong with them otherwise.

    >>> as_confidences(["yes", "no"], 2, ["no", "yes"], given=True).tolist()
    [[0.0, 1.0], [1.0, 0.0]]

    Where `classes` are `given` by whoever asks, labels, rounded and cut confidences will do.
    `start` is the number of the first record, for the error.
    """
    answers, c = np.asarray(answers), len(classes)
    if answers.shape == (n, 1) and n:
        answers = answers[:, 0]
    if answers.shape == (n,) and answers.dtype.kind == "f" and c == 2:
        answers = _of_second(answers, classes)
    elif answers.shape == (n,) and given:
        answers = _of_labels(answers, classes, start)
    if answers.shape != (n, c):
        raise ValueError(
            f"the target's confidences must have shape {(n, c)} (records, classes), got "
            f"{answers.shape}"
        )
    if answers.dtype.kind not in "biuf":
        raise ValueError(
            f"the target's confidences must be numbers, got an array of dtype {answers.dtype}"
        )

    def refuse(allowed, wrong):
        worst = np.flatnonzero(wrong)[0]
        row = np.array2string(answers[worst], precision=4, threshold=6)
        raise ValueError(
            f"the target's confidences must {allowed}, but of {n} records {wrong.sum()} are not "
            f"so: row {start + worst} is {row}"
        )

    lost = ~np.isfinite(answers).all(axis=1)
    if lost.any():
        refuse("be finite numbers, never NaN", lost)
    sums = answers.sum(axis=1, dtype=float)
    negative = (answers < 0).any(axis=1)
    if given:
        wrong = negative | (sums > 1 + ROUNDING * c + 1e-6) | (sums <= 0)
        if wrong.any():
            refuse(f"be at least 0 and sum to at most {1 + ROUNDING * c:g}, but not to 0", wrong)
    else:
        wrong = negative | (np.abs(sums - 1) > 1e-3)
        if wrong.any():
            refuse("be at least 0 and sum to 1 in each row (within 0.001)", wrong)
    return answers


def _of_second(answers, classes):
    """Confidences (n, 2) from probabilities (n,) of the second class."""
    told = np.column_stack([1 - answers, answers])
    labels = np.asarray(classes).tolist()
    if set(answers.tolist()) <= set(labels):
        # floats that might be labels: then both readings must come to the same
        if not np.array_equal(_of_labels(answers, classes), told):
            raise ValueError(
                "the target's answers must tell labels from probabilities: "
                f"{answers[0]:g} may be the label, or the probability of {labels[1]!r}; "
                "answer with whole numbers for labels"
            )
    return told


def _of_labels(answers, classes, start=0):
    """Confidences (n, c) of 1 from labels (n,)."""
    column = {label: j for j, label in enumerate(np.asarray(classes).tolist())}
    labels = answers.tolist()
    for i, label in enumerate(labels):
        if label not in column:
            raise ValueError(
                f"the target's confidences must be numbers (n, {len(column)}), or labels among "
                f"{', '.join(map(repr, list(column)[:5]))}: got {label!r} for row {start + i}"
            )
    return np.eye(len(column))[[column[label] for label in labels]]
