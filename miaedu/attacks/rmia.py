"""RMIA: is the target surer of the record than models in general are?"""

import numpy as np
from scipy.stats import rankdata

from . import references
from .contract import FLOOR, true_class_confidence
from .modes import TwoModes

GRID = np.linspace(0, 1, 11)  # of a
JUDGES = 4  # shadow models that are taken as the target, to choose a


class RMIA(TwoModes):
    """The target's confidence in the true class over what models in general say, so that a record
    of which every model is sure does not stand out.

    >>> import miaedu as mia
    >>> world = mia.split(mia.load_purchases(random_state=0), n_members=500, random_state=0)
    >>> api = mia.BlackBox(mia.MLP(random_state=0).fit(*world.members))
    >>> shadows = mia.ShadowModels(mia.MLP(), n_models=4, random_state=1).fit(*world.pool)
    >>> attack = mia.RMIA().fit(shadows)
    >>> attack.score(api, *world.members).shape, 0 <= attack.a_ <= 1
    ((500,), True)

    A score is log(p / p in general), less the threshold that the shadow models teach. In general:
    online, the mean of the confidences with the record and without it; offline, half of
    ``(1 + a) * (mean without it) + (1 - a)``, where ``a_`` is chosen on shadow models that are
    taken as targets. The share of population records that a record beats, which the authors score
    by, rises with this ratio, and needs queries about these records too. Source: Zarifzadeh et al.
    2024, equations 2 and 4 and appendix B.
    """

    def _values(self, confidences, y, classes):
        return np.maximum(true_class_confidence(confidences, y, classes), FLOOR).astype(float)

    def _learn_mode(self, mode, values, members, saw):
        out, mode.out_ = references.of_the_others(values, ~saw)
        if mode.mode == "offline":
            self.a_ = best_a(values[:JUDGES], out.mean[:JUDGES], members[:JUDGES], saw[:JUDGES])
            return np.log(values / offline(out.mean, self.a_))
        inside, mode.in_ = references.of_the_others(values, saw)
        return np.log(values / ((inside.mean + out.mean) / 2))

    def _score_mode(self, mode, values, by_shadows, saw):
        out = references.of_all(by_shadows, ~saw, mode.out_).mean
        if mode.mode == "offline":
            return np.log(values / offline(out, self.a_))
        return np.log(values / ((references.of_all(by_shadows, saw, mode.in_).mean + out) / 2))


def offline(mean_out, a):
    """What models in general say, where those with the record are lacking."""
    return ((1 + a) * mean_out + 1 - a) / 2


def best_a(values, mean_out, members, saw):
    """The `a` of the grid with the best mean AUC over a few shadow models taken as targets."""
    gains = []
    for a in GRID:
        ratios = values / offline(mean_out, a)
        gains.append(np.mean([auc(r[m == s], m[m == s]) for r, m, s in zip(ratios, members, saw)]))
    return float(GRID[np.argmax(gains)])


def auc(scores, members):
    """How often a member outscores a non-member, by Mann and Whitney's sum of ranks; 1/2 where one
    side is missing."""
    n_in, n_out = members.sum(), (~members).sum()
    if not n_in * n_out:
        return 0.5
    return (rankdata(scores)[members].sum() - n_in * (n_in + 1) / 2) / (n_in * n_out)
