"""ShadowAttack: the attack of Shokri et al. 2017, one attack model a class."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit, logit

from .contract import FLOOR, Attack, true_class_confidence

STEPS = 100  # of Newton's method, at the most: five are usual


class ShadowAttack(Attack):
    """One attack model a class, trained on the shadow models' answers about their own members and
    non-members.

    >>> import miaedu as mia
    >>> world = mia.split(mia.load_purchases(random_state=0), n_members=500, random_state=0)
    >>> api = mia.BlackBox(mia.MLP(random_state=0).fit(*world.members))
    >>> shadows = mia.ShadowModels(mia.MLP(), n_models=4, random_state=1).fit(*world.pool)
    >>> mia.ShadowAttack().fit(shadows).score(api, *world.members).shape
    (500,)

    A score is the probability, from 0 to 1, that a record is a member, were both sides equally
    many. The attack models are logistic regressions on `features`: no weaker than forests on the
    whole vector where we measured both, and far faster (tests/benchmarks/shadow_training.py). A
    class that the shadow models saw only on one side, or never, is judged by one model of all
    classes together. Source: Shokri et al. 2017, section V.
    """

    def _learn(self, shadows, confidences, saw):
        K, n, c = confidences.shape
        clear = np.flatnonzero(saw == shadows.members)
        answers, y = confidences.reshape(K * n, c), np.tile(shadows.y, K)
        members, classes = shadows.members.ravel(), shadows.classes_
        few = clear[np.random.default_rng(0).permutation(len(clear))[:4000]]
        F = features(answers[few], y[few], classes)
        self.knots_ = np.quantile(F[:, 0], np.linspace(0.1, 0.9, 9))
        self.models_ = {None: attack_model(with_hinges(F, self.knots_), members[few])}
        learned = np.zeros(K * n, bool)
        learned[clear] = True
        scores = np.empty(K * n)
        # class by class: all features at once would be the largest array of an experiment
        for label in np.unique(y):
            of_class = np.flatnonzero(y == label)
            F = with_hinges(features(answers[of_class], y[of_class], classes), self.knots_)
            rows = learned[of_class]
            was_in = members[of_class][rows]
            if 0 < was_in.sum() < len(was_in):
                self.models_[label] = attack_model(F[rows], was_in)
            scores[of_class] = probability(self.models_.get(label, self.models_[None]), F)
        return scores.reshape(K, n)

    def _score(self, answers):
        F = features(answers.confidences, answers.y, answers.classes)
        F, scores = with_hinges(F, self.knots_), np.empty(len(answers.y))
        for label in np.unique(answers.y):
            of_class = answers.y == label
            model = self.models_.get(label, self.models_[None])
            scores[of_class] = probability(model, F[of_class])
        return scores


def features(confidences, y, classes):
    """What the attack model sees, (n, 5): margin of the true class, logs of the three highest
    confidences, entropy.

    The margin is the log of the true class's confidence less that of the highest other one;
    softening only scales it.
    """
    confidences = confidences.astype(float)
    logs = np.log(np.maximum(confidences, FLOOR))
    of_true = np.log(np.maximum(true_class_confidence(confidences, y, classes), FLOOR))
    # with two classes, the third has nothing
    missing = np.full((len(logs), max(0, 3 - logs.shape[1])), np.log(FLOOR))
    top = np.sort(np.column_stack([logs, missing]), axis=1)[:, :-4:-1]
    margin = of_true - np.where(of_true < top[:, 0], top[:, 0], top[:, 1])
    entropy = -(confidences * logs).sum(axis=1)
    return np.column_stack([margin, top, entropy])


def with_hinges(F, knots):
    """`features` F (n, 5) and hinges ``max(margin - knot, 0)``, which let a linear model bend."""
    return np.column_stack([F, np.maximum(F[:, :1] - knots, 0)])


def attack_model(F, members, C=10.0, tol=1e-2):
    """Weights (d,) and intercept of a logistic regression of `members` (n,) on F (n, d), with the
    penalty ``|w|^2 / 2C``.

    By Newton's method, each step halved until it descends, until no slope is above `tol` a record:
    what ``LogisticRegression(solver="newton-cholesky")`` computes, in a quarter of the time for the
    few records of a class, where checks cost more than arithmetic.
    """
    # where members answer as the others do there is nowhere to descend
    if np.abs((members - members.mean()) @ F).max() < 1e-6:
        return np.zeros(F.shape[1]), logit(members.mean())
    F = np.column_stack([F, np.ones(len(F), F.dtype)])  # the first F may go: it can be large
    y = members.astype(F.dtype)
    penalty = np.full(F.shape[1], 1 / C, F.dtype)
    penalty[-1] = 1e-6 / C  # next to none for the intercept

    def loss(w, z):
        return (np.logaddexp(0, z) - y * z).sum(dtype=float) + (penalty * w * w).sum() / 2

    w, z = np.zeros_like(penalty), np.zeros_like(y)
    now = loss(w, z)
    for _ in range(STEPS):
        p = expit(z)
        slope = F.T @ (p - y) + penalty * w
        if np.abs(slope).max() <= tol * len(y):
            break
        B = F * np.sqrt(p * (1 - p))[:, None]
        curvature = (B.T @ B).astype(float)
        curvature.flat[:: len(w) + 1] += penalty
        step = cho_solve(cho_factor(curvature, check_finite=False), slope, check_finite=False)
        step = step.astype(F.dtype)
        before, start = now, w
        while True:
            w = start - step
            z = F @ w
            now = loss(w, z)
            if now <= before or np.abs(step).max() <= 1e-6:
                break
            step /= 2
    return w[:-1], w[-1]


def probability(model, F):
    """The probability (n,) that each row of F was in, by an :func:`attack_model`."""
    return expit(F @ model[0] + model[1])
