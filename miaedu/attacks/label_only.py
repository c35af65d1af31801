"""LabelOnlyAttack: flag a record whose label stays right as the record is perturbed."""

import numpy as np

from ..checks import check_number
from ..records import as_table, is_frame
from . import references
from .contract import Attack, best_threshold, hidden, right
from .shadow import attack_model, probability


class LabelOnlyAttack(Attack):
    """Flag a record when the target's label stays right as the record is perturbed, more often than
    the labels of models without it: labels alone will do.

    >>> import miaedu as mia
    >>> world = mia.split(mia.load_purchases(random_state=0), n_members=500, random_state=0)
    >>> target = mia.MLP(random_state=0).fit(*world.members)
    >>> api = mia.BlackBox(target, hide=[mia.labels_only])
    >>> shadows = mia.ShadowModels(mia.MLP(), n_models=2, random_state=1).fit(*world.pool)
    >>> mia.LabelOnlyAttack(n_queries=5).fit(shadows).score(api, *world.members).shape
    (500,)

    A score is the probability, from 0 to 1, that a record is a member, were both sides equally
    many: by a logistic regression on the share of `n_queries` answers that are the true label, and
    on the mean of this share over the shadow models without the record, who are asked about the
    same copies. Parameters: `n_queries`, asked for each record, the record itself among them: with
    1, nothing is perturbed; `levels`, the strengths of perturbation to choose from: features that
    are 0 or 1 throughout flip with that probability, others get Gaussian noise of so many standard
    deviations. The level (``level_``) and the threshold are those that tell the shadow models'
    members best. Source: Choquette-Choo et al. 2021, section 3; the comparison with other models,
    Watson et al. 2022, section 3.
    """

    averages = False

    def __init__(self, n_queries=20, levels=(0.02, 0.05, 0.1, 0.2), random_state=0):
        super().__init__(n_queries)
        for level in levels:
            check_number("levels", level, above=True)
        self.levels, self.random_state = levels, random_state

    @property
    def further_queries(self):
        """All but the first are about changed copies of a record."""
        return self.n_queries - 1

    def _learn(self, shadows, confidences, saw):
        X = self._to_perturb(shadows.X)
        if self.n_queries > 1:
            self.binary_, self.spread_ = np.isin(X, (0, 1)).all(axis=0), X.std(axis=0)
        first = self._shadows_right(confidences, shadows.y)
        best, clear = -1.0, saw == shadows.members
        members = shadows.members[clear]
        for level in self.levels if self.n_queries > 1 else (0.0,):
            stable = self._stability(first, self._ask_shadows(shadows.y, self.hide), X, level)
            others, pooled = references.of_the_others(stable, self._compared(saw))
            F = terms(stable, others.mean)
            model = attack_model(F[clear], members)
            found = probability(model, F)
            flagged = found[clear] >= best_threshold(found[clear], members)
            gain = flagged[members].mean() - flagged[~members].mean()
            if gain > best:
                best, self.level_, self.pooled_, self.model_ = gain, level, pooled, model
                scores = found
        return scores

    def _score(self, answers):
        answers.afford(self.n_queries - 1)

        def labels_right(X):
            return right(answers.ask(X), answers.y, answers.classes)

        X = self._to_perturb(as_table(answers.X))
        stable = self._stability(answers.right, labels_right, X, self.level_)
        told, saw = answers.by_shadows(self.shadows_)
        hide = self._hide_again()
        first = self._shadows_right(hidden(hide, told), answers.y)
        by_shadows = self._stability(first, self._ask_shadows(answers.y, hide), X, self.level_)
        expected = references.of_all(by_shadows, self._compared(saw), self.pooled_).mean
        return probability(self.model_, terms(stable, expected))

    def _to_perturb(self, X):
        """An array of fractions, whatever kind of numbers it held; X itself where nothing is to be
        perturbed."""
        if self.n_queries == 1:
            return X
        if is_frame(X) or X.dtype.kind not in "biuf":
            kind = "a DataFrame" if is_frame(X) else f"an array of dtype {X.dtype}"
            raise ValueError(
                "X must be an array of numbers for a LabelOnlyAttack that perturbs them, got "
                f"{kind}; with n_queries=1 it perturbs nothing"
            )
        return X if X.dtype.kind == "f" else X.astype(float)

    def _compared(self, saw):
        """Which shadow models (K, n) a record is compared with: none where there is only one, since
        it had no other to learn from."""
        return ~saw & (len(saw) > 1)

    def _ask_shadows(self, y, hide):
        """A function of records (n, d): where (K, n) each shadow model's label is y (n,), after
        hiding."""

        def labels_right(X):
            return self._shadows_right(hidden(hide, self.shadows_.predict_proba(X)), y)

        return labels_right

    def _shadows_right(self, confidences, y):
        K, n, c = confidences.shape
        every = right(confidences.reshape(K * n, c), np.tile(y, K), self.shadows_.classes_)
        return every.reshape(K, n)

    def _stability(self, first, labels_right, X, level):
        rng, counts = np.random.default_rng(self.random_state), first.astype(float)
        for _ in range(self.n_queries - 1):
            flip = rng.random(X.shape) < level
            noise = rng.standard_normal(X.shape, np.float32) * np.float32(level) * self.spread_
            changed = np.where(self.binary_, np.where(flip, 1 - X, X), X + noise)
            counts += labels_right(changed.astype(X.dtype, copy=False))
        return counts / self.n_queries


def terms(stable, expected):
    """What is known of a record: how often (...,) its label stayed right, how often that was to be
    expected, squares and product; (..., 5)."""
    return np.stack([stable, expected, stable * expected, stable**2, expected**2], axis=-1)
