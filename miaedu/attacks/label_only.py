"""LabelOnlyAttack: flag a record whose label stays right as the record is perturbed."""

from numbers import Integral

import numpy as np

from ..checks import check_number
from .contract import Attack, best_threshold, hidden, right


class LabelOnlyAttack(Attack):
    """Flag a record when the target's label stays right as the record is perturbed: labels alone
    will do.

    >>> import miaedu as mia
    >>> world = mia.split(mia.load_purchases(random_state=0), n_members=500, random_state=0)
    >>> target = mia.MLP(random_state=0).fit(*world.members)
    >>> api = mia.BlackBox(target, hide=[mia.labels_only])
    >>> shadows = mia.ShadowModels(mia.MLP(), n_models=2, random_state=1).fit(*world.pool)
    >>> mia.LabelOnlyAttack(n_queries=5).fit(shadows).score(api, *world.members).shape
    (500,)

    A score is the share, 0 to 1, of `n_queries` answers that are the true label. Parameters:
    `n_queries`, asked for each record, at least 2, the record itself among them; `levels`, the
    strengths of perturbation to choose from: features that are 0 or 1 throughout flip with that
    probability, others get Gaussian noise of so many standard deviations. The level (``level_``)
    and the threshold are those that tell the shadow models' members best. Source: Choquette-Choo et
    al. 2021, section 3.
    """

    def __init__(self, n_queries=20, levels=(0.02, 0.05, 0.1, 0.2), random_state=0):
        check_number("n_queries", n_queries, Integral, 2)
        for level in levels:
            check_number("levels", level, above=True)
        self.n_queries, self.levels, self.random_state = n_queries, levels, random_state

    def _learn(self, shadows, confidences, saw):
        self.binary_ = np.isin(shadows.X, (0, 1)).all(axis=0)
        self.spread_ = shadows.X.std(axis=0)
        K, n, c = confidences.shape

        def labels_right(X):
            answers = hidden(self.hide, shadows.predict_proba(X)).reshape(K * n, c)
            return right(answers, np.tile(shadows.y, K), shadows.classes_).reshape(K, n)

        best, clear = -1.0, saw == shadows.members
        members = shadows.members[clear]
        first = right(confidences.reshape(K * n, c), np.tile(shadows.y, K), shadows.classes_)
        for level in self.levels:
            found = self._stability(first.reshape(K, n), labels_right, shadows.X, level)
            flagged = found[clear] >= best_threshold(found[clear], members)
            gain = flagged[members].mean() - flagged[~members].mean()
            if gain > best:
                best, self.level_, scores = gain, level, found
        return scores

    def _score(self, answers):
        answers.afford(self.n_queries - 1)

        def labels_right(X):
            return right(answers.ask(X), answers.y, answers.classes)

        X = np.asarray(answers.X, np.float32)
        return self._stability(answers.right, labels_right, X, self.level_)

    def _stability(self, first, labels_right, X, level):
        rng, counts = np.random.default_rng(self.random_state), first.astype(float)
        for _ in range(self.n_queries - 1):
            flip = rng.random(X.shape) < level
            noise = rng.standard_normal(X.shape, np.float32) * np.float32(level) * self.spread_
            changed = np.where(self.binary_, np.where(flip, 1 - X, X), X + noise)
            counts += labels_right(changed.astype(np.float32))
        return counts / self.n_queries
