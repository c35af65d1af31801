"""The attacks. Each learns from shadow models, whose members are known, and then scores records
against a black box.

All share one shape: ``attack.fit(shadows, hide=())``, adaptive when it is given the target's own
hiding functions; ``attack.score(black_box, X, y)``, higher for a likelier member; and
``attack.threshold_``, learned from the shadows alone.
"""

from numbers import Integral, Real

import numpy as np
import sklearn
from scipy.special import expit, logit
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression

from .countermeasures import apply, check_hide
from .network import check_number

# confidences are cut off here before a logarithm is taken: beyond float32's last digit beside 1
FLOOR = 1e-8


def best_threshold(scores, members):
    """The score above which (or at which) to say "member" so that TPR - FPR is largest on the given
    records.

    >>> best_threshold([0.1, 0.4, 0.6, 0.9], [False, False, True, True])
    0.5
    """
    scores, members = np.asarray(scores, float), np.asarray(members, bool)
    order = np.argsort(-scores, kind="stable")
    gain = np.cumsum(
        np.where(members[order], 1 / max(members.sum(), 1), -1 / max((~members).sum(), 1))
    )
    ranked = scores[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    best = ends[np.argmax(gain[ends])]
    below = ranked[best + 1] if best + 1 < len(ranked) else ranked[best]
    middle = (ranked[best] + below) / 2
    # between neighbouring floats there is no middle
    return float(middle if middle > below else ranked[best])


def true_class_confidence(confidences, y, classes):
    """What each record's own class y (n,) got of `confidences` (n, c), as (n,); 0 where it has no
    column."""
    order = np.argsort(classes)
    column = order[np.searchsorted(classes, y, sorter=order).clip(max=len(classes) - 1)]
    return np.where(classes[column] == y, confidences[np.arange(len(y)), column], 0)


def features(confidences, y, classes):
    """What the attack model sees, (n, 5): margin of the true class, logs of the three highest
    confidences, entropy.

    The margin is the log of the true class's confidence less that of the highest other one;
    softening only scales it.
    """
    confidences = confidences.astype(float)
    logs = np.log(np.maximum(confidences, FLOOR))
    own = np.log(np.maximum(true_class_confidence(confidences, y, classes), FLOOR))
    # with two classes, the third has nothing
    none = np.full((len(logs), max(0, 3 - logs.shape[1])), np.log(FLOOR))
    top = np.sort(np.column_stack([logs, none]), axis=1)[:, :-4:-1]
    margin = own - np.where(own < top[:, 0], top[:, 0], top[:, 1])
    entropy = -(confidences * logs).sum(axis=1)
    return np.column_stack([margin, top, entropy])


def with_hinges(F, knots):
    """`features` F (n, 5) and hinges ``max(margin - knot, 0)``, which let a linear model bend."""
    return np.column_stack([F, np.maximum(F[:, :1] - knots, 0)])


def check_learned(attack):
    """Raise scikit-learn's NotFittedError, a ValueError, unless `attack` has learned its
    threshold."""
    if not hasattr(attack, "threshold_"):
        raise NotFittedError(
            f"this {type(attack).__name__} is not fitted yet: call fit with the shadow models first"
        )


class Attack:
    """What every attack shares: learning from shadows' answers, and scoring a black box's
    answers."""

    def fit(self, shadows, hide=()):
        """Learn from fitted :class:`ShadowModels`, who answer through `hide`: give the target's own
        to adapt."""
        hide = check_hide(hide)
        if not hasattr(shadows, "confidences"):
            raise NotFittedError(
                f"shadows must be fitted before an attack can learn from them: "
                f"call fit of this {type(shadows).__name__}"
            )
        K, n, c = shadows.confidences.shape
        answers = apply(hide, shadows.confidences.reshape(K * n, c))
        members = shadows.members.ravel()
        scores = self._learn(answers, np.tile(shadows.y, K), shadows.classes_, members)
        self.threshold_ = best_threshold(scores, members)
        return self

    def score(self, black_box, X, y):
        """Scores (n,) of records X (n, d) with true labels y (n,): higher, likelier a member. One
        query a record."""
        if len(X) != len(y):
            raise ValueError(f"X and y must have the same length, got {len(X)} and {len(y)}")
        check_learned(self)
        return self.score_confidences(black_box.predict_proba(X), np.asarray(y), black_box.classes_)

    def _learn(self, answers, y, classes, members):
        return self.score_confidences(answers, y, classes)


class GapAttack(Attack):
    """Say "member" when the target is right about the record: the baseline every other attack has
    to beat.

    >>> import numpy as np
    >>> GapAttack().score_confidences(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]), np.array([0, 1]))
    array([1., 0.])

    Its advantage is the target's train accuracy minus its test accuracy. Needs no shadows. Source:
    Yeom et al. 2018, section 3.
    """

    threshold_ = 0.5

    def fit(self, shadows=None, hide=()):
        """Nothing to learn: right is member."""
        return self

    def score_confidences(self, confidences, y, classes):
        """1.0 where the most confident class is the true one, else 0.0."""
        return (classes[confidences.argmax(axis=1)] == y).astype(float)


class ThresholdAttack(Attack):
    """Say "member" when the confidence in the true class is high enough; the threshold comes from
    the shadows.

    >>> import numpy as np
    >>> ThresholdAttack().score_confidences(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]), np.array([0, 1]))
    array([0.9, 0.4])

    The same as a threshold on the log loss. Source: Yeom et al. 2018, section 3.3.
    """

    def score_confidences(self, confidences, y, classes):
        """The confidence of each record's own class, from 0 to 1."""
        return true_class_confidence(confidences, y, classes)


class ShadowAttack(Attack):
    """One attack model a class, trained on the shadows' answers about their own members and
    non-members.

    >>> import miaedu as mia
    >>> world = mia.split(mia.load_purchases(random_state=0), n_members=500, random_state=0)
    >>> api = mia.BlackBox(mia.MLP(random_state=0).fit(*world.members))
    >>> shadows = mia.ShadowModels(mia.MLP(), n_models=4, random_state=1).fit(*world.pool)
    >>> mia.ShadowAttack().fit(shadows).score(api, *world.members).shape
    (500,)

    The attack models are logistic regressions on `features`: no weaker than forests on the whole
    vector where we measured both, and far faster (tests/benchmarks/shadow_training.py). A class
    that the shadows saw only on one side, or never, is judged by one model of all classes together.
    Source: Shokri et al. 2017, section V.
    """

    def _learn(self, answers, y, classes, members):
        some = np.random.default_rng(0).permutation(len(y))[:4000]
        F = features(answers[some], y[some], classes)
        self.knots_ = np.quantile(F[:, 0], np.linspace(0.1, 0.9, 9))
        self.models_ = {None: _attack_model(with_hinges(F, self.knots_), members[some])}
        scores = np.empty(len(y))
        # class by class: all features at once would be the largest array of an experiment
        for label in np.unique(y):
            own = np.flatnonzero(y == label)
            F = with_hinges(features(answers[own], y[own], classes), self.knots_)
            if 0 < members[own].sum() < len(own):
                self.models_[label] = _attack_model(F, members[own])
            scores[own] = _probability(self.models_.get(label, self.models_[None]), F)
        return scores

    def score_confidences(self, confidences, y, classes):
        """The probability, from 0 to 1, that each record is a member, were both sides equally
        many."""
        F, scores = with_hinges(features(confidences, y, classes), self.knots_), np.empty(len(y))
        for label in np.unique(y):
            own = y == label
            scores[own] = _probability(self.models_.get(label, self.models_[None]), F[own])
        return scores


def _attack_model(F, members):
    """Weights and intercept of a logistic regression of `members` on F."""
    # members answer as the others do: nowhere to descend
    if np.abs((members - members.mean()) @ F).max() < 1e-6:
        return np.zeros(F.shape[1]), logit(members.mean())
    # checks cost a third of a fit
    with sklearn.config_context(assume_finite=True, skip_parameter_validation=True):
        model = LogisticRegression(solver="newton-cholesky", C=10.0, tol=1e-2).fit(F, members)
    return model.coef_[0], model.intercept_[0]


def _probability(model, F):
    return expit(F @ model[0] + model[1])


class LabelOnlyAttack(Attack):
    """Say "member" when the target's label stays right as the record is perturbed: labels alone
    will do.

    >>> import miaedu as mia
    >>> world = mia.split(mia.load_purchases(random_state=0), n_members=500, random_state=0)
    >>> api = mia.BlackBox(mia.MLP(random_state=0).fit(*world.members), hide=[mia.labels_only])
    >>> shadows = mia.ShadowModels(mia.MLP(), n_models=2, random_state=1).fit(*world.pool)
    >>> mia.LabelOnlyAttack(n_queries=5).fit(shadows).score(api, *world.members).shape
    (500,)

    Parameters: `n_queries`, asked for each record, at least 2, the record itself among them;
    `levels`, the strengths of perturbation to choose from: features that are 0 or 1 throughout flip
    with that probability, others get Gaussian noise of so many standard deviations. The level
    (``level_``) and the threshold are those that tell the shadows' members best. Source:
    Choquette-Choo et al. 2021, section 3.
    """

    def __init__(self, n_queries=20, levels=(0.02, 0.05, 0.1, 0.2), random_state=0):
        check_number("n_queries", n_queries, Integral, 2)
        for level in levels:
            check_number("levels", level, Real, 0, above=True)
        self.n_queries, self.levels, self.random_state = n_queries, levels, random_state

    def fit(self, shadows, hide=()):
        """Choose level and threshold on the shadows, whose answers go through `hide` first."""
        self.hide = check_hide(hide)
        self.binary_, self.spread_ = np.isin(shadows.X, (0, 1)).all(axis=0), shadows.X.std(axis=0)
        K, n, c = shadows.confidences.shape

        def right(X):
            answers = apply(self.hide, shadows.predict_proba(X).reshape(K * n, c))
            return shadows.classes_[answers.argmax(axis=1)].reshape(K, n) == shadows.y

        best = -1.0
        for level in self.levels:
            scores, members = (
                self._stability(right, shadows.X, level).ravel(),
                shadows.members.ravel(),
            )
            threshold = best_threshold(scores, members)
            gain = (scores >= threshold)[members].mean() - (scores >= threshold)[~members].mean()
            if gain > best:
                best, self.level_, self.threshold_ = gain, level, threshold
        return self

    def score(self, black_box, X, y):
        """The share, 0 to 1, of `n_queries` answers to a record and its perturbed copies that are
        its true label."""
        needed = len(X) * self.n_queries
        if black_box.budget is not None and black_box.n_queries + needed > black_box.budget:
            raise ValueError(
                f"the query budget of {black_box.budget} is too small: {black_box.n_queries} used, "
                f"{needed} more needed ({self.n_queries} a record); none was asked"
            )

        def right(X):
            return black_box.classes_[black_box.predict_proba(X).argmax(axis=1)] == y

        return self._stability(right, np.asarray(X, np.float32), self.level_)

    def _stability(self, right, X, level):
        rng, counts = np.random.default_rng(self.random_state), right(X).astype(float)
        for _ in range(self.n_queries - 1):
            flip = rng.random(X.shape) < level
            noise = rng.standard_normal(X.shape, np.float32) * np.float32(level) * self.spread_
            counts += right(
                np.where(self.binary_, np.where(flip, 1 - X, X), X + noise).astype(np.float32)
            )
        return counts / self.n_queries
