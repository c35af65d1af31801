"""canary_audit: train many times with and without one odd record, the canary, and bound from below
how much it shows."""

from dataclasses import dataclass
from math import inf, log
from numbers import Integral

import numpy as np
from scipy.special import ndtri
from scipy.stats import beta

from .checks import check_number
from .privacy import epsilon_of, mu_of


@dataclass(frozen=True)
class CanaryAudit:
    """What `canary_audit` found.

    >>> found = {"mu": 0.5, "epsilon": 1.2, "delta": 1e-5, "tpr": 0.4, "fpr": 0.2}
    >>> CanaryAudit(**found, n_runs=1000, level=0.95, promised=0.3).broken
    True

    `mu` and, for Gaussian noise, `epsilon` (at `delta`) are lower bounds that hold with probability
    `level`, from `tpr`, a lower limit, and `fpr`, an upper one, in `n_runs`; `promised` is the mu
    that the model claims. A low bound proves nothing: the canary or the attack may be weak.
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
    def epsilon_without_mu(self):
        """A lower bound on epsilon at `delta` for any training, whatever its noise:
        ``ln((tpr - delta) / fpr)``, at least 0. Source: Jagielski, Ullman & Oprea 2020 (arXiv
        2006.07709)."""
        return max(0.0, log((self.tpr - self.delta) / self.fpr)) if self.tpr > self.delta else 0.0

    @property
    def broken(self):
        """True where the bound exceeds the promise: then the training does not do what it says."""
        return self.mu > self.promised


def canary_audit(model, X, y, canary, *, n_runs=1000, delta=1e-5, level=0.95, progress=None):
    """Train `model` many times with and without one record, and bound from below how much that
    record shows.

    >>> import miaedu as mia
    >>> digits = mia.load_digits()
    >>> private = {"clip": 1.0, "noise_multiplier": 4.0, "expected_members": 60}
    >>> model = mia.MLP(hidden=8, epochs=10, **private, random_state=0)
    >>> canary = digits.X[60], 0
    >>> found = canary_audit(model, digits.X[:60], digits.y[:60], canary, n_runs=200)
    >>> found.broken, round(found.promised, 2)
    (False, 0.79)

    `model`, an :class:`MLP`; X (n, d), y (n,), the records of both worlds; `canary`, a pair of a
    record (d,) and its label, best an odd one; `n_runs`, at least 40, half of them with the canary;
    `level`, of the bound. The confidence in the canary's label, as a logit, is the statistic. Its
    threshold is fixed on one half of the runs, the bound is taken on the other: Clopper-Pearson
    limits for TPR and FPR, then ``mu >= z(TPR low) - z(FPR high)`` with z the normal quantile (Nasr
    et al. 2023, section 4). Returns an :class:`CanaryAudit`.
    """
    why = "half of them fix the threshold, half give the bound"
    check_number("n_runs", n_runs, Integral, 40, why=why)
    if np.shape(canary[0]) != np.shape(X)[1:]:
        raise ValueError(
            f"canary must be a pair of a record with {np.shape(X)[1]} features and its label, "
            f"got a record of shape {np.shape(canary[0])}"
        )
    for name, value in (("delta", delta), ("level", level)):
        check_number(name, value, high=1, above=True, below=True, why="it is a probability")
    records, labels = np.vstack([X, [canary[0]]]), np.append(y, canary[1])
    members = np.ones((n_runs, len(labels)), bool)
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
    return CanaryAudit(
        mu, epsilon_of(max(mu, 0.0), delta), delta, tpr, fpr, n_runs, level, promised
    )


def _bound(called, inside, level):
    """Lower bound on mu, and the Clopper-Pearson limits behind it, the error shared equally between
    the two."""
    error = (1 - level) / 2
    hits, alarms = int(called[inside].sum()), int(called[~inside].sum())
    n_in, n_out = int(inside.sum()), int((~inside).sum())
    tpr = beta.ppf(error, hits, n_in - hits + 1) if hits else 0.0
    fpr = beta.ppf(1 - error, alarms + 1, n_out - alarms) if alarms < n_out else 1.0
    return float(ndtri(tpr) - ndtri(fpr)), float(tpr), float(fpr)
