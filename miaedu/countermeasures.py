"""BlackBox: the only door to a target. What the owner does to confidences before they leave lives here too."""
from numbers import Integral

import numpy as np

from .network import check_number


def apply(hide, confidences):
    """Send `confidences` (n, c) through the functions of `hide`, first to last."""
    for step in hide:
        confidences = step(confidences)
    return confidences


def check_hide(hide):
    """`hide` as a tuple of functions; a TypeError if it is anything else."""
    hide = (hide,) if callable(hide) else tuple(hide)
    for step in hide:
        if not callable(step):
            raise TypeError(f"hide must be functions from confidences to confidences, such as top_k(3), got {step!r}")
    return hide


class BlackBox:
    """A fitted classifier behind an interface that answers with confidences, counts the queries, and tells nothing else.

    >>> import miaedu as mia
    >>> digits = mia.load_digits()
    >>> api = mia.BlackBox(mia.MLP(epochs=5, random_state=0).fit(digits.X, digits.y), budget=100)
    >>> api.predict_proba(digits.X[:3]).shape, api.n_queries
    ((3, 10), 3)

    Parameters: `target`, any fitted classifier with ``predict_proba`` and ``classes_``; `hide`, functions from confidences
    (n, c) to confidences, applied in their order; `budget`, the largest number of records it will ever answer (None: no bound).

    Attributes: ``classes_``, the public labels in the order of the columns; ``n_queries``, records answered so far; ``hide``; ``budget``.
    Raises TypeError for a target that gives no confidences, ValueError for one whose answers are not probabilities.
    Source: the threat model of Shokri et al. 2017, section III.
    """

    def __init__(self, target, hide=(), budget=None):
        if not callable(getattr(target, "predict_proba", None)):
            raise TypeError(f"target must be a fitted classifier with predict_proba, got {type(target).__name__}")
        if not hasattr(target, "classes_"):
            raise ValueError(f"target must be fitted before it can answer: this {type(target).__name__} has no classes_")
        if budget is not None:
            check_number("budget", budget, Integral, 1)
        self.classes_ = np.array(target.classes_)
        self.hide, self.budget, self.n_queries = check_hide(hide), budget, 0
        self._answer = lambda X: target.predict_proba(X)  # the target itself is kept nowhere an attack could reach by name

    def predict_proba(self, X):
        """Confidences (n, c) for records X (n, d), after hiding. A ValueError if the budget does not cover all n: then none is answered."""
        n = len(X)
        if self.budget is not None and self.n_queries + n > self.budget:
            raise ValueError(f"the query budget of {self.budget} is exhausted: {self.n_queries} used, {n} more asked for")
        answers = check_confidences(self._answer(X), n, len(self.classes_))
        self.n_queries += n
        return apply(self.hide, answers)


def check_confidences(answers, n, c):
    """`answers` as an array (n, c) of probabilities; a ValueError that says what is wrong with it otherwise."""
    answers = np.asarray(answers)
    if answers.shape != (n, c):
        raise ValueError(f"the target's confidences must have shape {(n, c)} (records, classes), got {answers.shape}")
    off = np.abs(answers.sum(axis=1, dtype=float) - 1)
    if n and not (np.isfinite(answers).all() and answers.min() >= 0 and off.max() <= 1e-3):
        worst = int(np.argmax(np.where(np.isfinite(off), off, np.inf)))
        raise ValueError("the target's confidences must be at least 0 and sum to 1 in each row (within 0.001), "
                         f"but row {worst} is {np.array2string(answers[worst], precision=4, threshold=6)}")
    return answers
