"""What the owner does to the confidences before they leave.

A hiding function takes confidences (n, c) and returns confidences (n, c); compose them in
``BlackBox(target, hide=[top_k(3), rounded(2)])``. ``HIDING`` lists them by name.
"""

from numbers import Integral, Real

import numpy as np

from .checks import check_number
from .lockstep import softmax


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
    `random_state` (None or int) is for teaching: anyone who knows it can take the noise off.
    Source: Dwork et al. 2006.
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
    return _Noise(scale, epsilon, np.random.default_rng(random_state))


class _Noise:
    """What `noisy` gives: a function with a stream of its own, which a deep copy takes along."""

    def __init__(self, scale, epsilon, rng):
        self.scale, self.epsilon, self.rng = scale, epsilon, rng

    def __call__(self, confidences):
        noise = self.rng.laplace(0, self.scale, confidences.shape)
        return confidences + noise.astype(confidences.dtype)


# The hiding functions by the name that an Experiment gives them.
HIDING = {
    function.__name__: function for function in (top_k, rounded, softened, noisy, labels_only)
}


def by_name(hide, random_state=None):
    """The functions that `hide` names, such as ``(("top_k", 3), "labels_only")``, as a list, fresh,
    so that noise starts at the start of its stream; a ValueError for a name or number not allowed.

    >>> len(by_name((("noisy", 0.1), "labels_only"), random_state=0))
    2

    Each noise among them has a seed of its own, from `random_state`.
    """
    functions = []
    for i, step in enumerate(hide):
        name, *numbers = step if isinstance(step, (tuple, list)) and step else (step,)
        if name not in HIDING:
            raise ValueError(f"hide must name functions among {', '.join(HIDING)}, got {name!r}")
        if len(numbers) != (name != "labels_only"):
            wanted = "no number" if name == "labels_only" else "one number"
            raise ValueError(f"hide must give {name} {wanted}, got {step!r}")
        settings = {}
        if name == "noisy" and random_state is not None:
            settings["random_state"] = random_state + i
        functions.append(HIDING[name](*numbers, **settings) if numbers else HIDING[name])
    return functions
