"""Epsilon, delta and mu: what noise promises, the noise a promise needs, the ceiling on any attack.

One step of full-batch training with clipped gradients and noise is a Gaussian mechanism, and T
steps with noise multiplier z are exactly mu-Gaussian-DP with ``mu = sqrt(T) / z`` (Dong, Roth & Su
2022), for adding or removing one record. Where one record is replaced by another (a split of fixed
size), the same training has 2 mu; where g records enter together, g mu.
"""

from math import exp, inf, isfinite, sqrt

import numpy as np
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr, ndtri

from .checks import check_number


def mu_of(*, noise_multiplier, steps):
    """The mu of training with `steps` full-batch steps: ``sqrt(steps) / noise_multiplier``;
    infinite without noise.

    >>> mu_of(noise_multiplier=10, steps=100)
    1.0
    """
    _check_training(noise_multiplier, steps)
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
    _check_delta(delta)
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
    check_number("epsilon", epsilon, above=True, why="an epsilon of 0 would need infinite noise")
    _check_delta(delta)
    _check_training(steps=steps)
    high = 2 * sqrt(2 * epsilon) + 40
    return sqrt(steps) / brentq(
        lambda mu: delta_of(epsilon, mu) - delta, 1e-12, high, xtol=1e-20, rtol=1e-12
    )


def roc_ceiling(fpr, mu=None, *, epsilon=None, delta=0.0):
    """The largest TPR that any attack can have at each `fpr`: under mu-Gaussian-DP, or under
    (epsilon, delta)-DP.

    >>> round(float(roc_ceiling(0.001, mu=1.0)), 3)
    0.018
    >>> round(float(roc_ceiling(0.001, epsilon=1.0, delta=1e-5)), 4)
    0.0027

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


def _promise(mu, epsilon, delta):
    if (mu is None) == (epsilon is None):
        raise ValueError(f"give either mu or epsilon, got mu={mu!r} and epsilon={epsilon!r}")
    name, value = ("mu", mu) if epsilon is None else ("epsilon", epsilon)
    if not value >= 0:
        raise ValueError(f"{name} must be at least 0, got {value!r}")
    if not 0 <= delta < 1:
        raise ValueError(f"delta must be at least 0 and below 1, got {delta!r}")
    return name


def _check_training(noise_multiplier=0, steps=1):
    check_number("noise_multiplier", noise_multiplier)
    check_number("steps", steps, above=True, why="no training can promise anything otherwise")


def _check_delta(delta):
    why = "it is a probability, and neither end can be promised"
    check_number("delta", delta, high=1, above=True, below=True, why=why)
