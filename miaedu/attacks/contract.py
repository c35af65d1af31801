"""What all attacks share: Answers, what a target says about some records; and Attack, the shape of
one.

An attack learns from shadow models alone: it scores each shadow model's records as if that model
were the target, and its threshold is the one that serves these scores best. What attacks differ in
is what they look at: the answer about the record alone; what the shadow models say of the same
record; or the answers to further queries. :class:`Answers` carries all three.
"""

from functools import cached_property

import numpy as np
from sklearn.exceptions import NotFittedError

from ..hiding import apply, check_hide

FLOOR = (
    1e-8  # confidences are cut off here before a logarithm: beyond float32's last digit beside 1
)


class Answers:
    """Records with their true labels, and what a black box answers about them: asked once, when it
    is first needed, and remembered.

    >>> import numpy as np, miaedu as mia
    >>> digits = mia.load_digits()
    >>> api = mia.BlackBox(mia.MLP(random_state=0).fit(digits.X, digits.y))
    >>> answers = Answers(api, digits.X[:5], digits.y[:5])
    >>> answers.confidences is answers.confidences, api.n_queries
    (True, 5)

    ``X`` (n, d), ``y`` (n,), ``classes`` (c,); ``confidences`` (n, c), after hiding; ``right`` (n,)
    bool, where the most confident class is the true one. ``ask(X)`` puts further questions.
    """

    def __init__(self, black_box, X, y):
        if len(X) != len(y):
            raise ValueError(f"X and y must have the same length, got {len(X)} and {len(y)}")
        self.X, self.y, self.classes = X, np.asarray(y), black_box.classes_
        self._black_box = black_box

    @cached_property
    def confidences(self):
        return self._black_box.predict_proba(self.X)

    @cached_property
    def right(self):
        return right(self.confidences, self.y, self.classes)

    def ask(self, X):
        """Confidences for other records X (m, d), such as copies of the first ones that were
        changed a little: a query each."""
        return self._black_box.predict_proba(X)

    def afford(self, copies):
        """Raise a ValueError, before anything is asked, unless the query budget covers the records
        and `copies` further queries for each."""
        budget = getattr(self._black_box, "budget", None)
        if budget is None:
            return
        used, asked = self._black_box.n_queries, "confidences" in vars(self)
        needed = len(self.y) * (copies + (not asked))
        if used + needed > budget:
            raise ValueError(
                f"the query budget of {budget} is too small: {used} used, {needed} more needed "
                f"({copies + 1} a record); nothing was asked"
            )


class Attack:
    """What every attack shares: learning from shadow models, and scoring a black box's answers.

    An attack gives two functions. ``_learn(shadows, confidences, saw)`` learns from fitted
    :class:`ShadowModels`, their hidden answers (K, n, c) about their pool, and which of them saw a
    copy of each record (K, n), and returns a score (K, n) for each answer, as if that shadow model
    were the target: never with a model as its own reference. Where `saw` is not
    ``shadows.members``, two copies of a record disagree, and nothing is to be learned.
    ``_score(answers)`` scores :class:`Answers` of a target, (n,). Higher is likelier a member.
    """

    needs_shadows = True

    def fit(self, shadows, hide=()):
        """Learn from fitted :class:`ShadowModels`, who answer through `hide`: give the target's own
        to adapt.

        A record that stands in the pool twice, once in and once out of a model's half, is neither:
        the threshold is not learned from it.
        """
        self.hide = check_hide(hide)
        if not hasattr(shadows, "confidences"):
            raise NotFittedError(
                "shadows must be fitted before an attack can learn from them: "
                f"call fit of this {type(shadows).__name__}"
            )
        saw = shadows.saw(shadows.X)
        scores = self._learn(shadows, hidden(self.hide, shadows.confidences), saw)
        clear = saw == shadows.members
        self.threshold_ = best_threshold(scores[clear], shadows.members[clear])
        return self

    def score(self, black_box, X, y):
        """Scores (n,) of records X (n, d) with true labels y (n,): higher, likelier a member."""
        return self.score_answers(Answers(black_box, X, y))

    def score_answers(self, answers):
        """Scores (n,) of the records of these :class:`Answers`, which several attacks may share."""
        check_learned(self)
        return np.asarray(self._score(answers), float)


def check_learned(attack):
    """Raise scikit-learn's NotFittedError, a ValueError, unless `attack` has its threshold."""
    if not hasattr(attack, "threshold_"):
        raise NotFittedError(
            f"this {type(attack).__name__} is not fitted yet: call fit with the shadow models first"
        )


def hidden(hide, confidences):
    """Confidences (K, n, c) of K models after `hide`, whose functions see them as one long list."""
    K, n, c = confidences.shape
    return apply(hide, confidences.reshape(K * n, c)).reshape(K, n, c)


def best_threshold(scores, members):
    """The score from which on to flag a record so that TPR - FPR is largest on the given records.

    >>> best_threshold([0.1, 0.4, 0.6, 0.9], [False, False, True, True])
    0.5
    """
    scores, members = np.asarray(scores, float), np.asarray(members, bool)
    order = np.argsort(-scores, kind="stable")
    per_member, per_other = 1 / max(members.sum(), 1), -1 / max((~members).sum(), 1)
    gain = np.cumsum(np.where(members[order], per_member, per_other))
    ranked = scores[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    best = ends[np.argmax(gain[ends])]
    below = ranked[best + 1] if best + 1 < len(ranked) else ranked[best]
    middle = (ranked[best] + below) / 2
    # between neighbouring floats there is no middle
    return float(middle if middle > below else ranked[best])


def right(confidences, y, classes):
    """Where (n,) the most confident class of `confidences` (n, c) is the true one, y (n,)."""
    return classes[confidences.argmax(axis=1)] == y


def true_class_confidence(confidences, y, classes):
    """What each record's own class y (n,) got of `confidences` (..., n, c), as (..., n); 0 where it
    has no column."""
    order = np.argsort(classes)
    column = order[np.searchsorted(classes, y, sorter=order).clip(max=len(classes) - 1)]
    found = confidences[..., np.arange(len(y)), column]
    return np.where(classes[column] == y, found, 0)
