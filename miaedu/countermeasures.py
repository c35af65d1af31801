"""What the owner does to the confidences before they leave; and BlackBox, the only door to a
target.

A hiding function takes confidences (n, c) and returns confidences (n, c); compose them in
``BlackBox(target, hide=[top_k(3), rounded(2)])``.
"""

from numbers import Integral, Real

import numpy as np

from .lockstep import softmax
from .network import check_number


def apply(hide, confidences):
    """Send `confidences` (n, c) through the functions of `hide`, first to last."""
    for step in hide:
        confidences = step(confidences)
    return confidences


def check_hide(hide):
    """`hide` as a tuple of functions; a TypeError if it is anything else."""
    hide = tuple(hide) if np.iterable(hide) else (hide,)
    for step in hide:
        if not callable(step):
            raise TypeError(
                "hide must be functions from confidences to confidences, such as top_k(3), got "
                f"{step!r}"
            )
    return hide


def top_k(k):
    """Answer with the `k` highest confidences only, and 0 for the other classes. Guarantees
    nothing.

    >>> import numpy as np
    >>> top_k(1)(np.array([[0.5, 0.3, 0.2]]))
    array([[0.5, 0. , 0. ]])

    `k`, from 1 to the number of classes; of equal confidences the earlier classes stay. Not
    renormalised: what is left is exact.
    """
    check_number("k", k, Integral, 1, why="an answer without any class is none")

    def hide(confidences):
        c = confidences.shape[1]
        if k > c:
            raise ValueError(
                f"k must be from 1 to the number of classes, {c}, got {k} "
                f"(there are no more confidences to keep)"
            )
        order = np.argsort(-confidences, axis=1, kind="stable")[:, :k]
        out = np.zeros_like(confidences)
        np.put_along_axis(out, order, np.take_along_axis(confidences, order, axis=1), axis=1)
        return out

    return hide


def rounded(decimals):
    """Answer with confidences rounded to so many `decimals`, at least 0. Guarantees nothing. Not
    renormalised.

    >>> import numpy as np
    >>> rounded(1)(np.array([[0.57, 0.31, 0.12]]))
    array([[0.6, 0.3, 0.1]])
    """
    check_number(
        "decimals", decimals, Integral, 0, why="rounded to tens, every confidence would be 0"
    )
    return lambda confidences: np.round(confidences, decimals)


def softened(temperature):
    """Answer with confidences to the power ``1 / temperature``, made to sum to 1 again. Guarantees
    nothing.

    >>> import numpy as np
    >>> softened(2)(np.array([[0.8, 0.2]])).round(3)
    array([[0.667, 0.333]])

    `temperature` above 0: 1 changes nothing, more softens, less sharpens. Numbers of 0 or less stay
    at 0; a row of them is spread evenly. The order of the classes stays, so any attack that uses
    only the order is untouched. Computed on logarithms. Source: Shokri et al. 2017, section VIII.
    """
    why = "confidences are raised to the power 1 / temperature"
    check_number("temperature", temperature, Real, 0, above=True, why=why)

    def hide(confidences):
        # rounding may leave a row of zeros, noise may leave negative numbers
        some = confidences > 0
        logs = np.where(some, np.log(np.where(some, confidences, 1)), -np.inf)
        return softmax(np.where(some.any(axis=1, keepdims=True), logs, 0) / temperature).astype(
            confidences.dtype
        )

    return hide


def labels_only(confidences):
    """Answer 1 for the most confident label, 0 for others. Guarantees nothing: see
    :class:`LabelOnlyAttack`.

    >>> import numpy as np
    >>> labels_only(np.array([[0.5, 0.3, 0.2]]))
    array([[1., 0., 0.]])
    """
    return np.eye(confidences.shape[1], dtype=confidences.dtype)[confidences.argmax(axis=1)]


def noisy(scale=None, *, epsilon=None, random_state=None):
    """Add Laplace noise to every confidence of every answer; give either its `scale` or an
    `epsilon`.

    >>> import numpy as np
    >>> noisy(epsilon=4.0, random_state=0)(np.array([[0.9, 0.1]])).shape
    (1, 2)

    With a `scale` (at least 0) it guarantees nothing. With an `epsilon` (above 0) the scale is ``2
    / epsilon``, and each answer is epsilon- differentially private with respect to the training
    set: one record can move a whole vector of confidences from one corner to another, an L1
    distance of 2. Answers compose: q of them spend q times epsilon, so the black box must have an
    `epsilon_budget`, and this must be the first function of `hide`, next to the target. It does not
    make the model private. Answers may leave 0 to 1; whatever is done to them afterwards is free.
    `random_state` (None or int) is for teaching: whoever knows it can take the noise off. Source:
    Dwork et al. 2006.
    """
    if (scale is None) == (epsilon is None):
        raise ValueError(
            f"give either scale or epsilon, got scale={scale!r} and epsilon={epsilon!r}"
        )
    if epsilon is not None:
        check_number(
            "epsilon", epsilon, Real, 0, above=True, why="an epsilon of 0 would need infinite noise"
        )
        scale = 2 / epsilon
    check_number("scale", scale, Real, 0, why="it is the width of the noise")
    rng = np.random.default_rng(random_state)

    def hide(confidences):
        return confidences + rng.laplace(0, scale, confidences.shape).astype(confidences.dtype)

    hide.epsilon = epsilon
    return hide


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
