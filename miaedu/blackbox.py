"""BlackBox: the only door to a target. What the owner does to its answers is in ``hiding``."""

from math import inf
from numbers import Integral, Real

import numpy as np

from .checks import check_number
from .hiding import apply, check_hide


class BlackBox:
    """A fitted classifier behind a door that answers with confidences, counts the queries, and
    tells nothing else.

    >>> import miaedu as mia
    >>> digits = mia.load_digits()
    >>> api = mia.BlackBox(mia.MLP(epochs=5, random_state=0).fit(digits.X, digits.y), budget=100)
    >>> api.predict_proba(digits.X[:3]).shape, api.n_queries
    ((3, 10), 3)

    Parameters: `target`, any fitted classifier with ``predict_proba`` and ``classes_``; `hide`,
    functions from confidences (n, c) to confidences, applied in their order; `budget`, the largest
    number of records it will ever answer (None: no bound); `epsilon_budget`, the largest epsilon
    its answers may spend together, needed with ``noisy(epsilon=...)``.

    Attributes: ``classes_``, the public labels in the order of the columns; ``n_queries``, records
    answered so far; ``epsilon_spent``; ``hide``. Raises TypeError for a target that gives no
    confidences, ValueError for one whose answers are not probabilities. Source: the threat model of
    Shokri et al. 2017, section III.
    """

    def __init__(self, target, hide=(), budget=None, epsilon_budget=None):
        if not callable(getattr(target, "predict_proba", None)):
            raise TypeError(
                "target must be a fitted classifier with predict_proba, got "
                f"{type(target).__name__}"
            )
        if not hasattr(target, "classes_"):
            raise ValueError(
                f"target must be fitted before it can answer: "
                f"this {type(target).__name__} has no classes_"
            )
        if budget is not None:
            check_number("budget", budget, Integral, 1)
        self.classes_ = np.array(target.classes_)
        self.hide, self.budget, self.n_queries = check_hide(hide), budget, 0
        self.epsilon_budget, self.epsilon_spent, self._price = (
            epsilon_budget,
            0.0,
            _price(self.hide, epsilon_budget),
        )
        self._answer = lambda X: target.predict_proba(X)  # no attribute leads to the target itself

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
        the budget."""
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
        answers = check_confidences(self._answer(X), n, len(self.classes_))
        self.n_queries += n
        self.epsilon_spent = spent
        return apply(self.hide, answers)


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


def check_confidences(answers, n, c):
    """`answers` as an array (n, c) of probabilities; a ValueError that says what is wrong with it
    otherwise."""
    answers = np.asarray(answers)
    if answers.shape != (n, c):
        raise ValueError(
            f"the target's confidences must have shape {(n, c)} (records, classes), got "
            f"{answers.shape}"
        )
    off = np.abs(answers.sum(axis=1, dtype=float) - 1)
    if n and not (np.isfinite(answers).all() and answers.min() >= 0 and off.max() <= 1e-3):
        worst = int(np.argmax(np.where(np.isfinite(off), off, np.inf)))
        raise ValueError(
            "the target's confidences must be at least 0 and sum to 1 in each row (within 0.001), "
            f"but row {worst} is {np.array2string(answers[worst], precision=4, threshold=6)}"
        )
    return answers
