"""CalibratedAttack: Shokri's attack, told what other models say of the same record."""

import numpy as np
from scipy.special import expit, logit

from ..lockstep import blas
from . import references
from .contract import FLOOR, Attack, log_odds
from .shadow import ShadowAttack, attack_model

ROWS = 20_000  # answers to learn from: more are slower, and no better
# quantiles at which an input may bend: many among the highest, where false alarms are few
LEVELS = np.array([0.05, 0.15, 0.3, 0.45, 0.6, 0.75, 0.87, 0.95, 0.98, 0.99])
C = 0.3  # the inverse strength of the penalty on weights of inputs of unit spread
TOLERANCE = 3e-3  # the slope, a record, at which the fit may end
SAME = 1e-5  # an input whose spread is a smaller part of it than this is constant but for rounding
BENT = slice(0, 5)  # the inputs that do
ORDERS = 2  # of the models, from which references are taken


class CalibratedAttack(Attack):
    """Shokri's attack that is also told what shadow models *without* the record say of it: some
    records are easy for every model.

    >>> import miaedu as mia
    >>> world = mia.split(mia.load_purchases(random_state=0), n_members=500, random_state=0)
    >>> api = mia.BlackBox(mia.MLP(random_state=0).fit(*world.members))
    >>> shadows = mia.ShadowModels(mia.MLP(), n_models=4, random_state=1).fit(*world.pool)
    >>> mia.CalibratedAttack().fit(shadows).score(api, *world.members).shape
    (500,)

    A score is a probability, from 0 to 1, that a record is a member, were both sides equally many,
    as the shadow models have it. For a target of other records it is too sure: over shops of the
    default kind, of 100 records near 0.7 about 67 were members, between 0.2 and 0.4 about 46, and
    from 0.9 on about 92, though the scores say 98.

    It is found by one logistic regression for all classes, on the score of :class:`ShadowAttack`,
    on the log odds of the true class and the entropy, and on how far both are from what the
    references say. In learning, the references of a shadow model are the others that did not hold
    the record, about half of them; a target is compared with as many at a time, several times over,
    and the scores are averaged. A record without any reference is judged by :class:`ShadowAttack`.
    Source: difficulty calibration, Watson et al. 2022, section 3, as inputs of the attack model of
    Shokri et al. 2017.
    """

    def _learn(self, shadows, confidences, saw):
        self.alone_ = ShadowAttack()
        alone = odds(self.alone_._learn(shadows, confidences, saw))
        rows, compared, V = self._rows(shadows, confidences, saw, alone)
        members = shadows.members.flat[rows]
        self.model_ = None
        if not 0 < members.sum() < len(rows):
            return expit(alone)
        self.knots_ = np.quantile(V[:, BENT], LEVELS, axis=0).astype(V.dtype)
        F = bent(V, self.knots_)
        mean, spread = F.mean(axis=0), F.std(axis=0)
        constant = spread <= SAME * np.abs(F).max(axis=0)
        scale = np.where(constant, 0, 1 / np.where(constant, 1, spread)).astype(F.dtype)
        with blas().limit(limits=1):  # the products are too small to share
            w, b = attack_model((F - mean) * scale, members, C, TOLERANCE)
        self.model_ = w * scale, b - (w * scale) @ mean
        alone[compared] = np.nan
        alone.flat[rows] = F @ self.model_[0] + self.model_[1]
        return expit(alone)

    def _rows(self, shadows, confidences, saw, alone):
        """Which answers (of K * n) to learn from, which could be compared (K, n), and what the
        attack model is told of those. Apart from the fit, so that its memory is free again."""
        values = statistics(confidences, shadows.y, shadows.classes_)
        others, self.pooled_ = zip(*(references.of_the_others(value, ~saw) for value in values))
        self.size_ = round(len(saw) / 2)
        compared = others[0].count > 0
        usable = np.flatnonzero((saw == shadows.members) & compared)
        rows = usable[np.random.default_rng(0).permutation(len(usable))[:ROWS]]
        V = inputs(
            alone.flat[rows],
            [value.flat[rows] for value in values],
            [references.Reference(*(part.flat[rows] for part in other)) for other in others],
        )
        return rows, compared, V.astype(np.float32)  # as good to learn from, and twice as fast

    def _score(self, answers):
        alone = odds(self.alone_._score(answers))
        if self.model_ is None:
            return expit(alone)
        told, saw = answers.by_shadows(self.shadows_)
        of_shadows = statistics(self._hidden(told), answers.y, self.shadows_.classes_)
        values = statistics(answers.confidences, answers.y, answers.classes)
        scores = []
        for use in subsets(~saw, self.size_):
            compared = [
                references.of_all(value, use, pooled)
                for value, pooled in zip(of_shadows, self.pooled_)
            ]
            F = bent(inputs(alone, values, compared), self.knots_)
            scores.append(F @ self.model_[0] + self.model_[1])
        return expit(np.where(saw.all(axis=0), alone, np.mean(scores, axis=0)))


def odds(probabilities):
    """Log odds of `probabilities`, those of 0 and 1 cut off."""
    return logit(np.clip(probabilities, FLOOR, 1 - FLOOR))


def statistics(confidences, y, classes):
    """The two numbers (..., n) that are compared: log odds of the true class, and entropy."""
    p = np.maximum(confidences, np.float32(FLOOR))
    return log_odds(confidences, y, classes), -np.einsum("...c,...c->...", p, np.log(p)).astype(
        float
    )


def subsets(out, size):
    """Masks (K, n) of at most `size` of the models that `out` (K, n) marks, for each record: first
    to last and last to first, in a few orders of the models."""
    rng = np.random.default_rng(0)
    if size >= len(out):
        return [out]
    masks = []
    for _ in range(ORDERS):
        order = rng.permutation(len(out))
        for turn in (order, order[::-1]):
            mask = np.empty_like(out)
            mask[turn] = out[turn] & (np.cumsum(out[turn], axis=0) <= size)
            masks.append(mask)
    return masks


def inputs(alone, values, compared):
    """What the attack model is told, (n, 8): of log odds and of entropy the value, and the
    references' mean and spread beside it; and what :class:`ShadowAttack` says."""
    (phi, entropy), (of_phi, of_entropy) = values, compared
    above = phi - of_phi.mean
    return np.column_stack(
        [
            phi,
            of_phi.mean,
            above,
            above / of_phi.spread,
            entropy - of_entropy.mean,
            np.log(of_phi.spread),
            of_entropy.mean,
            alone,
        ]
    )


def bent(V, knots):
    """`inputs` V (n, 8), hinges ``max(v - knot, 0)`` in the first five of them, and products: what
    a value means depends on what the references say."""
    hinges = np.maximum(V[:, BENT, None] - knots.T, 0)
    phi, mean, _, z = (np.concatenate([V[:, j, None], hinges[:, j, ::3]], axis=1) for j in range(4))
    products = [(a[:, :, None] * mean[:, None, :]).reshape(len(V), -1) / 10 for a in (phi, z)]
    return np.column_stack([V, hinges.reshape(len(V), -1), *products, V[:, 3] * V[:, 5]])
