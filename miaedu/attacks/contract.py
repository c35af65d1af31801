"""What all attacks share: Answers, what a target says about some records; and Attack, the shape of
one.

An attack learns from shadow models alone: it scores each shadow model's records as if that model
were the target, and its threshold is the one that serves these scores best. What attacks differ in
is what they look at: the answer about the record alone; what the shadow models say of the same
record; or the answers to further queries. :class:`Answers` carries all three.
"""

import copy
from functools import cached_property
from math import inf
from numbers import Integral

import numpy as np
from sklearn.exceptions import NotFittedError

from ..checks import check_known_labels, check_number
from ..hiding import apply, check_hide
from ..records import stack

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

    ``X`` (n, d), ``y`` (n,), ``classes`` (c,); ``confidences`` (n, c), after hiding; ``labels``
    (n,), the most confident classes; ``right`` (n,) bool, where these are the true ones.
    ``ask(X)`` puts further questions; ``averaged(n_queries)`` puts the same ones again.
    `by_shadows(shadows)` gives what shadow models say of X where that is known beforehand.
    """

    n_queries = 1  # of whose answers about a record the confidences are the mean

    def __init__(self, black_box, X, y, by_shadows=None):
        if len(X) != len(y):
            raise ValueError(f"X and y must have the same length, got {len(X)} and {len(y)}")
        self.X, self.y, self.classes = X, np.asarray(y), black_box.classes_
        self._black_box, self._by_shadows = black_box, {}
        self._ask_shadows = by_shadows or (lambda each: (each.predict_proba(X), each.saw(X)))
        self._told, self._averaged = [], {1: self}

    @cached_property
    def confidences(self):
        self._ask_again(self.n_queries - len(self._told))
        return mean_of(self._told[: self.n_queries])

    def averaged(self, n_queries):
        """These Answers, with the mean of so many answers about each record as its confidences.

        The first of them is the one that attacks who ask once have read: it is not asked for again.
        """
        if n_queries not in self._averaged:
            others = self._averaged[n_queries] = Answers(self._black_box, self.X, self.y)
            others.n_queries, others._by_shadows = n_queries, self._by_shadows
            others._ask_shadows = self._ask_shadows
            others._told, others._averaged = self._told, self._averaged
        return self._averaged[n_queries]

    def _ask_again(self, times):
        """Ask so many times about each record: all or nothing, as far as a budget goes."""
        if times > 0:
            self.afford(0)
            # one question more is asked as it came: a table may have names of columns
            X = self.X if times == 1 else stack([self.X] * times)
            self._told += np.split(self._black_box.predict_proba(X), times)

    @cached_property
    def labels(self):
        return self.classes[self.confidences.argmax(axis=1)]

    @cached_property
    def right(self):
        return self.labels == self.y

    def by_shadows(self, shadows):
        """What each of K fitted :class:`ShadowModels` says of the records, (K, n, c), before any
        hiding; and which of them saw a copy of each, (K, n)."""
        if id(shadows) not in self._by_shadows:  # kept with them, so that no other gets their id
            self._by_shadows[id(shadows)] = shadows, self._ask_shadows(shadows)
        return self._by_shadows[id(shadows)][1]

    def ask(self, X):
        """Confidences for other records X (m, d), such as copies of the first ones that were
        changed a little: a query each."""
        return self._black_box.predict_proba(X)

    def afford(self, copies):
        """Raise a ValueError, before anything is asked, unless the query budget covers the answers
        that are still to come about each record and `copies` further queries for each."""
        box = self._black_box
        needed = len(self.y) * (copies + max(self.n_queries - len(self._told), 0))
        if needed <= getattr(box, "queries_left", inf):
            return
        each = f"{needed} more needed ({copies + self.n_queries} a record); nothing was asked"
        if box.budget is not None and box.n_queries + needed > box.budget:
            raise ValueError(
                f"the query budget of {box.budget} is too small: {box.n_queries} used, {each}"
            )
        raise ValueError(
            f"the epsilon budget of {box.epsilon_budget} is too small: {box.epsilon_spent:g} used, "
            f"{box.queries_left} more answers are paid for, {each}"
        )

    def check(self, attacks):
        """Raise a ValueError, before anything is asked, unless the budget covers all that these
        attacks will ask, and the target knows some of the labels; warn where it does not know
        all."""
        check_known_labels(self.y, self.classes)
        repeats = max((attack._repeats for attack in attacks), default=1)
        self.averaged(repeats).afford(sum(attack.further_queries for attack in attacks))


class Attack:
    """What every attack shares: learning from shadow models, and scoring a black box's answers.

    An attack gives two functions. ``_learn(shadows, confidences, saw)`` learns from fitted
    :class:`ShadowModels`, their hidden answers (K, n, c) about their pool, and which of them saw a
    copy of each record (K, n), and returns a score (K, n) for each answer, as if that shadow model
    were the target: never with a model as its own reference; nan where it gives none. Where `saw`
    is not ``shadows.members``, two copies of a record disagree, and nothing is to be learned.
    ``_score(answers)`` scores :class:`Answers` of a target, (n,). Higher is likelier a member.

    `n_queries` is how often the target is asked about each record, at least 1. Where its owner
    hides answers behind noise, the mean of many shows through. An attack that `averages` is told
    means in place of single answers: of the target, and of as many answers of each shadow model,
    each hidden afresh.
    """

    needs_shadows = True
    averages = True  # reads confidences, so that a mean of them will do
    further_queries = 0  # about changed copies of each record, which no other attack can use
    mode = ""  # how it judges, where an attack has several ways
    _of_nonmembers = ()

    def __init__(self, n_queries=1):
        check_number("n_queries", n_queries, Integral, 1)
        self.n_queries = n_queries

    def fit(self, shadows, hide=()):
        """Learn from fitted :class:`ShadowModels`, who answer through `hide`: give the target's own
        to adapt.

        A record that stands in the pool twice, once in and once out of a model's half, is neither:
        the threshold is not learned from it.
        """
        self.hide, self.shadows_ = check_hide(hide), shadows
        if not hasattr(shadows, "confidences"):
            raise NotFittedError(
                "shadows must be fitted before an attack can learn from them: "
                f"call fit of this {type(shadows).__name__}"
            )
        saw = shadows.saw(shadows.X)
        told = hidden(self.hide, shadows.confidences, self._repeats)
        scores = self._learn(shadows, told, saw)
        self._set_threshold(scores, shadows.members, saw)
        return self

    def _set_threshold(self, scores, members, saw):
        clear = (saw == members) & ~np.isnan(scores)
        scores, members = scores[clear], members[clear]
        self.threshold_ = best_threshold(scores, members)
        self._of_nonmembers = np.sort(scores[~members])

    def facing(self, answers):
        """The attack that judges these :class:`Answers`: itself, but for one that has modes."""
        return self

    @property
    def _repeats(self):
        """Of how many answers about a record the attack is told the mean."""
        return self.n_queries if self.averages else 1

    def _hide_again(self):
        """The hiding functions as they were after `fit`: noise is fresh, and each call of `score`
        gets the same, so that scoring leaves the attack as it is."""
        return copy.deepcopy(self.hide)

    def _hidden(self, told):
        """What shadow models told (K, n, c) of a target's records, as the attack is told it."""
        return hidden(self._hide_again(), told, self._repeats)

    def threshold_at(self, fpr):
        """The score from which on to flag a record so that at most this share of the shadow models'
        non-members is flagged: a false alarm rate from 0 to 1, chosen before the target is seen.
        Infinity, which flags nobody, for an attack that learned from none.

        Against a target of other records it may flag more: shadow models share half of their
        records, and agree with each other more than with the target. A report counts what came of
        it.
        """
        check_number("fpr", fpr, high=1)
        check_learned(self)
        if self.threshold_ is None:
            raise NotFittedError(
                f"this {type(self).__name__} has no threshold yet: fit it with shadow models first"
            )
        return strict_threshold(self._of_nonmembers, fpr)

    def score(self, black_box, X, y):
        """Scores (n,) of records X (n, d) with true labels y (n,): higher, likelier a member."""
        return self.score_answers(Answers(black_box, X, y))

    def score_answers(self, answers):
        """Scores (n,) of the records of these :class:`Answers`, which several attacks may share."""
        check_learned(self)
        answers = answers.averaged(self._repeats)
        return np.asarray(self.facing(answers)._score(answers), float)


def check_learned(attack):
    """Raise scikit-learn's NotFittedError, a ValueError, unless `attack` has its threshold."""
    if not hasattr(attack, "threshold_"):
        raise NotFittedError(
            f"this {type(attack).__name__} is not fitted yet: call fit with the shadow models first"
        )


def sizes_that_differ(attack, members):
    """A sentence where shadow models learned from more or fewer records than the target, by more
    than a tenth."""
    shadows = getattr(attack, "shadows_", None)
    if shadows is None:
        return ""
    learned, target = shadows.members.sum(axis=1).mean(), members.sum()
    if abs(learned - target) <= target / 10:
        return ""
    return f"A shadow model learned from {learned:,.0f} records, the target from {target:,}."


def hidden(hide, confidences, n_queries=1):
    """Confidences (K, n, c) of K models after `hide`, whose functions see them as one long list:
    the mean of `n_queries` answers, each hidden afresh."""
    K, n, c = confidences.shape
    rows = confidences.reshape(K * n, c)
    return mean_of(apply(hide, rows) for _ in range(n_queries if hide else 1)).reshape(K, n, c)


def mean_of(answers):
    """The mean of arrays of one shape and kind: of equal ones, each of them to the last digit.

    >>> mean_of([np.float32([0.1, 0.5]), np.float32([0.1, 1.5])])
    array([0.1, 1. ], dtype=float32)
    """
    first, *others = answers
    if not others:
        return first
    total = sum(others, first.astype(float))  # float32 would round at each step
    return (total / (1 + len(others))).astype(first.dtype)


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


def log_odds(confidences, y, classes):
    """The log odds (..., n) of each record's true class y (n,): log p(true) - log sum p(others).

    >>> log_odds(np.array([[0.8, 0.1, 0.1]]), np.array([0]), np.arange(3)).round(4)  # log 4
    array([1.3863])

    The others are summed with the true class set to zero, so that float32 does not run out of
    digits where p(true) is 1. Both are cut off at one floor, as hidden answers may be 0 or less.
    Source: Carlini et al. 2022, section IV, the statistic phi, as their code has it.
    """
    of_true, columns = _of_true(confidences, y, classes)
    others = np.array(confidences)
    others[..., np.arange(len(y)), columns] *= classes[columns] != y
    of_others = others.sum(axis=-1).astype(float)
    return np.log(np.maximum(of_true, FLOOR)) - np.log(np.maximum(of_others, FLOOR))


def strict_threshold(scores, fpr):
    """The lowest score from which on at most the share `fpr` of these scores, sorted upwards, is
    flagged.

    >>> strict_threshold([0.1, 0.2, 0.4, 0.8], 0.25)
    0.6000000000000001
    """
    alarms = int(fpr * len(scores) + 1e-9)
    if alarms >= len(scores):
        return float("-inf" if len(scores) else "inf")
    highest_spared = scores[len(scores) - 1 - alarms]
    flagged = [score for score in scores[len(scores) - alarms :] if score > highest_spared]
    above = flagged[0] if flagged else np.inf
    middle = (highest_spared + above) / 2 if flagged else np.inf
    return float(middle if highest_spared < middle < above else np.nextafter(highest_spared, above))


def right(confidences, y, classes):
    """Where (n,) the most confident class of `confidences` (n, c) is the true one, y (n,)."""
    return classes[confidences.argmax(axis=1)] == y


def true_class_confidence(confidences, y, classes):
    """What each record's own class y (n,) got of `confidences` (..., n, c), as (..., n); 0 where it
    has no column."""
    return _of_true(confidences, y, classes)[0]


def _of_true(confidences, y, classes):
    """The confidences (..., n) in the true classes y (n,), and the columns (n,) they come from;
    where a class has none, 0, and a column of another."""
    order = np.argsort(classes)
    column = order[np.searchsorted(classes, y, sorter=order).clip(max=len(classes) - 1)]
    found = confidences[..., np.arange(len(y)), column]
    return np.where(classes[column] == y, found, 0), column
