"""Epsilon, delta and mu: what noise promises, the noise a promise needs, the ceiling on any attack,
the audit.

One step of full-batch training with clipped gradients and noise is a Gaussian mechanism, and T
steps with noise multiplier z are exactly mu-Gaussian-DP with ``mu = sqrt(T) / z`` (Dong, Roth & Su
2022), for adding or removing one record. Where one record is replaced by another (a split of fixed
size), the same training has 2 mu; where g records enter together, g mu.
"""

from dataclasses import dataclass
from math import exp, inf, isfinite, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr, ndtri
from scipy.stats import beta


def mu_of(*, noise_multiplier, steps):
    """The mu of training with `steps` full-batch steps: ``sqrt(steps) / noise_multiplier``;
    infinite without noise.

    >>> mu_of(noise_multiplier=10, steps=100)
    1.0
    """
    _at_least("noise_multiplier", noise_multiplier, 0, strictly=False)
    _at_least("steps", steps, 0)
    return sqrt(steps) / noise_multiplier if noise_multiplier else inf


def delta_of(epsilon, mu):
    """The smallest delta for which mu-Gaussian-DP gives (epsilon, delta)-DP (Balle & Wang 2018,
    theorem 8).

    >>> round(delta_of(1.0, mu=1.0), 4)
    0.1269
    """
    return float(ndtr(mu / 2 - epsilon / mu) - np.exp(epsilon + log_ndtr(-mu / 2 - epsilon / mu)))


def epsilon(*, noise_multiplier, steps, delta):
    """The epsilon that full-batch private training promises at `delta`, for adding or removing one
    record; exact.

    >>> round(epsilon(noise_multiplier=3.73, steps=1, delta=1e-5), 3)
    1.0

    `noise_multiplier`, at least 0 (0: infinite); `steps`, above 0; `delta`, strictly between 0 and
    1. ValueError otherwise.
    """
    return epsilon_of(mu_of(noise_multiplier=noise_multiplier, steps=steps), delta)


def epsilon_of(mu, delta):
    """The epsilon of mu-Gaussian-DP at `delta`: 0 where delta alone covers it, infinite for an
    infinite mu.

    >>> epsilon_of(0.0, 1e-5), epsilon_of(float("inf"), 1e-5)
    (0.0, inf)
    """
    _inside("delta", delta)
    if not isfinite(mu):
        return inf
    if mu <= 0 or delta_of(0.0, mu) <= delta:
        return 0.0
    high = mu**2 / 2 - mu * ndtri(delta)  # there the first term alone is delta already
    return brentq(lambda e: delta_of(e, mu) - delta, 0.0, high, xtol=1e-12, rtol=1e-12)


def noise_for(*, epsilon, delta, steps):
    """The noise multiplier with which `steps` full-batch steps promise (epsilon, delta); inverse of
    `epsilon`.

    >>> round(noise_for(epsilon=1.0, delta=1e-5, steps=1), 2)
    3.73

    `epsilon` above 0, `delta` strictly between 0 and 1, `steps` above 0. ValueError otherwise.
    """
    _at_least("epsilon", epsilon, 0)
    _inside("delta", delta)
    _at_least("steps", steps, 0)
    high = 2 * sqrt(2 * epsilon) + 40
    return sqrt(steps) / brentq(
        lambda mu: delta_of(epsilon, mu) - delta, 1e-12, high, xtol=1e-20, rtol=1e-12
    )


def roc_ceiling(fpr, mu=None, *, epsilon=None, delta=0.0):
    """The largest TPR that any attack can have at each `fpr`: under mu-Gaussian-DP, or under
    (epsilon, delta)-DP.

    >>> round(float(roc_ceiling(0.001, mu=1.0)), 3), round(float(roc_ceiling(0.001, epsilon=1.0, delta=1e-5)), 4)
    (0.018, 0.0027)

    `fpr`, a number or array from 0 to 1; give either `mu` or `epsilon` (at least 0). Membership
    must be drawn as the promise says: see the module's first lines. Sources: Dong, Roth & Su 2022,
    equation 6; Kairouz, Oh & Viswanath 2015, theorem 2.1.
    """
    fpr = np.asarray(fpr, float)
    if fpr.size and not (fpr.min() >= 0 and fpr.max() <= 1):
        raise ValueError(f"fpr must be from 0 to 1, got {fpr.min()} to {fpr.max()}")
    if _promise(mu, epsilon, delta) == "mu":
        return np.where(
            fpr > 0, ndtr(ndtri(np.maximum(fpr, 1e-300)) + mu), 1.0 if mu == inf else 0.0
        )
    # beyond a float's exponential: nothing is promised but at no false alarms at all
    if epsilon > 700:
        return np.where(fpr > 0, 1.0, 1.0 if epsilon == inf else delta)
    return np.clip(
        np.minimum(np.exp(epsilon) * fpr + delta, 1 - np.exp(-epsilon) * (1 - delta - fpr)), 0, 1
    )


def max_advantage(mu=None, *, epsilon=None, delta=0.0):
    """The largest TPR - FPR that any attack can have, under mu-Gaussian-DP or under (epsilon,
    delta)-DP.

    >>> round(max_advantage(mu=1.0), 3), round(max_advantage(epsilon=1.0), 3)
    (0.383, 0.462)

    Sources: Dong, Roth & Su 2022; Humphries et al. 2020 (arXiv 2010.12112), theorem 3.4.
    """
    if _promise(mu, epsilon, delta) == "mu":
        return float(2 * ndtr(mu / 2) - 1)
    return 1.0 if epsilon > 700 else (exp(epsilon) - 1 + 2 * delta) / (exp(epsilon) + 1)


def max_auc(mu=None, *, epsilon=None, delta=0.0):
    """The largest AUC that any attack can have, under mu-Gaussian-DP or under (epsilon, delta)-DP.

    >>> round(max_auc(mu=1.0), 3), round(max_auc(epsilon=1.0), 3)
    (0.76, 0.731)
    """
    if _promise(mu, epsilon, delta) == "mu":
        return float(ndtr(mu / sqrt(2)))
    if epsilon > 700:
        return 1.0
    # the corner of the region
    fpr, tpr = (1 - delta) / (1 + exp(epsilon)), (exp(epsilon) + delta) / (1 + exp(epsilon))
    return fpr * (delta + tpr) / 2 + (1 - delta - fpr) * (tpr + 1) / 2 + delta


@dataclass(frozen=True)
class Audit:
    """What `audit` found.

    >>> Audit(mu=0.5, epsilon=1.2, delta=1e-5, tpr=0.4, fpr=0.2, n_runs=1000, level=0.95, promised=0.3).broken
    True

    `mu` and `epsilon` (at `delta`) are lower bounds that hold with probability `level`, from `tpr`,
    a lower limit, and `fpr`, an upper one, in `n_runs`; `promised` is the mu that the model claims.
    A low bound proves nothing: the canary or the attack may be weak.
    """

    mu: float
    epsilon: float
    delta: float
    tpr: float
    fpr: float
    n_runs: int
    level: float
    promised: float

    @property
    def broken(self):
        """True where the bound exceeds the promise: then the training does not do what it says."""
        return self.mu > self.promised


def audit(model, X, y, canary, *, n_runs=1000, delta=1e-5, level=0.95, progress=None):
    """Train `model` many times with and without one record, and bound from below how much that
    record shows.

    >>> import miaedu as mia
    >>> digits = mia.load_digits()
    >>> model = mia.MLP(hidden=8, epochs=10, clip=1.0, noise_multiplier=4.0, expected_members=60, random_state=0)
    >>> found = audit(model, digits.X[:60], digits.y[:60], canary=(digits.X[60], 0), n_runs=200)
    >>> found.broken, round(found.promised, 2)
    (False, 0.79)

    `model`, an :class:`MLP`; X (n, d), y (n,), the records of both worlds; `canary`, a pair of a
    record (d,) and its label, best an odd one; `n_runs`, at least 40, half of them with the canary;
    `level`, of the bound. The confidence in the canary's label, as a logit, is the statistic. Its
    threshold is fixed on one half of the runs, the bound is taken on the other: Clopper-Pearson
    limits for TPR and FPR, then ``mu >= z(TPR low) - z(FPR high)`` with z the normal quantile (Nasr
    et al. 2023, section 4). Returns an :class:`Audit`.
    """
    _at_least(
        "n_runs",
        n_runs,
        40,
        strictly=False,
        why="half of them fix the threshold, half give the bound",
    )
    if n_runs != int(n_runs):
        raise ValueError(f"n_runs must be a whole number, got {n_runs!r}")
    if np.shape(canary[0]) != np.shape(X)[1:]:
        raise ValueError(
            f"canary must be a pair of a record with {np.shape(X)[1]} features and its label, "
            f"got a record of shape {np.shape(canary[0])}"
        )
    _inside("delta", delta)
    _inside("level", level)
    records, labels = np.vstack([X, [canary[0]]]), np.append(y, canary[1])
    members = np.ones((int(n_runs), len(labels)), bool)
    members[::2, -1] = False
    networks = model.fit_many(
        records, labels, members, classes=np.unique(labels), progress=progress
    )
    answers = networks.predict_proba(np.array([canary[0]], np.float32))[:, 0].astype(float)
    own = answers[:, np.searchsorted(networks.classes_, canary[1])]
    logit = np.log(np.maximum(own, 1e-300)) - np.log(np.maximum(answers.sum(axis=1) - own, 1e-300))
    inside, half = members[:, -1], len(logit) // 2
    candidates = np.quantile(logit[:half], np.linspace(0.02, 0.98, 97))
    bounds = [_bound(logit[:half] >= at, inside[:half], level)[0] for at in candidates]
    mu, tpr, fpr = _bound(logit[half:] >= candidates[int(np.argmax(bounds))], inside[half:], level)
    promised = (
        mu_of(noise_multiplier=model.noise_multiplier, steps=model.epochs) if model.clip else inf
    )
    return Audit(mu, epsilon_of(max(mu, 0.0), delta), delta, tpr, fpr, int(n_runs), level, promised)


def _bound(called, inside, level):
    """Lower bound on mu, and the Clopper-Pearson limits behind it, the error shared equally between
    the two."""
    error = (1 - level) / 2
    hits, alarms = int(called[inside].sum()), int(called[~inside].sum())
    n_in, n_out = int(inside.sum()), int((~inside).sum())
    tpr = beta.ppf(error, hits, n_in - hits + 1) if hits else 0.0
    fpr = beta.ppf(1 - error, alarms + 1, n_out - alarms) if alarms < n_out else 1.0
    return float(ndtri(tpr) - ndtri(fpr)), float(tpr), float(fpr)


def _promise(mu, epsilon, delta):
    if (mu is None) == (epsilon is None):
        raise ValueError(f"give either mu or epsilon, got mu={mu!r} and epsilon={epsilon!r}")
    name, value = ("mu", mu) if epsilon is None else ("epsilon", epsilon)
    if not value >= 0:
        raise ValueError(f"{name} must be at least 0, got {value!r}")
    if not 0 <= delta < 1:
        raise ValueError(f"delta must be at least 0 and below 1, got {delta!r}")
    return name


def _at_least(name, value, low, strictly=True, why="no training can promise anything otherwise"):
    if not (value > low or (not strictly and value == low)) or value == inf:
        what = f"{'above' if strictly else 'of at least'} {low}"
        raise ValueError(f"{name} must be a finite number {what}, got {value!r} ({why})")


def _inside(name, value):
    if not 0 < value < 1:
        raise ValueError(
            f"{name} must be strictly between 0 and 1, got {value!r} "
            f"(it is a probability, and neither end can be promised)"
        )
