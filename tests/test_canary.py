"""The audit: its bound holds, comes near the truth where the truth is known, and catches noise that
is too small."""

from math import exp, inf
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm
from sklearn.base import clone

import miaedu as mia

DIGITS = mia.load_digits()
X, Y = DIGITS.X[:10], DIGITS.y[:10]  # one of each class
# Three pixels are black in every digit. What a model says of a record that is bright there alone,
# it learned from it.
CANARY = (2.0 * (DIGITS.X == 0).all(axis=0), 0)


def private(kind=mia.MLP, seed=0, **settings):
    """Ten steps with noise multiplier 4: a promise of mu = sqrt(10) / 4 = .79."""
    shared = dict(
        hidden=8, epochs=10, learning_rate=0.1, clip=1.0, noise_multiplier=4.0, expected_members=10
    )
    return kind(**shared | settings, random_state=seed)


class QuarterOfTheNoise(mia.MLP):
    """Claims one noise multiplier and trains with a quarter of it."""

    def fit_many(self, *records, **options):
        honest = mia.MLP(**self.get_params()).set_params(noise_multiplier=self.noise_multiplier / 4)
        return honest.fit_many(*records, **options)


# Over 40 seeds the bound was -.45 to .38 for honest noise (mean .13, standard deviation .16), and
# 1.18 to 1.82 for a quarter of it (mean 1.49, standard deviation .19): both lie four standard
# deviations from the promise of .79, so that by a normal law a seed fails with probability 1e-4. A
# perfect attack on honest noise would with at most .05.
@pytest.mark.parametrize("seed", range(3))
def test_honest_noise_keeps_its_promise(seed):
    found = mia.canary_audit(private(seed=seed), X, Y, CANARY)
    assert found.promised == pytest.approx(10**0.5 / 4)
    assert found.mu < found.promised and not found.broken


@pytest.mark.parametrize("seed", range(3))
def test_a_quarter_of_the_noise_is_caught(seed):
    found = mia.canary_audit(private(QuarterOfTheNoise, seed), X, Y, CANARY)
    assert found.promised == pytest.approx(10**0.5 / 4)
    assert found.mu > found.promised and found.broken


@pytest.mark.slow
def test_an_ordinary_record_hides_what_an_odd_one_shows():
    model, records = private(QuarterOfTheNoise, expected_members=60), (DIGITS.X[:60], DIGITS.y[:60])
    odd, plain = (
        mia.canary_audit(model, *records, canary).mu
        for canary in (CANARY, (DIGITS.X[60], int(DIGITS.y[60])))
    )
    assert odd > plain + 0.5  # hence: a low bound proves nothing


@pytest.mark.parametrize(
    "settings", [dict(clip=1.0), dict(clip=None, batch_size=None)], ids=["clipped", "plain"]
)
def test_training_without_noise_promises_nothing_and_shows_the_canary(settings):
    found = mia.canary_audit(
        private(noise_multiplier=0.0, epochs=20, **settings), X, Y, CANARY, n_runs=200
    )
    assert found.promised == inf and not found.broken
    assert found.mu > 1.5


class Oracle:
    """Stands in for an MLP: a Gaussian mechanism that tells of the canary with a mu that is known
    exactly."""

    clip, noise_multiplier, epochs = 1.0, 1.0, 1

    def __init__(self, mu, seed):
        self.mu, self.random = mu, np.random.default_rng(seed)

    def fit_many(self, records, labels, members, classes, progress=None):
        self.asked = SimpleNamespace(
            records=records, labels=labels, members=members, classes=classes
        )
        logit = self.random.normal(self.mu * members[:, -1], 1)
        answers = np.column_stack([1 - expit(logit), expit(logit)])[:, None]
        return SimpleNamespace(classes_=np.array([0, 1]), predict_proba=lambda X: answers)


def of_oracle(mu, seed, n_runs=1000, **options):
    records = np.zeros((4, 2)), np.array([0, 1, 0, 1])
    return mia.canary_audit(Oracle(mu, seed), *records, (np.ones(2), 1), n_runs=n_runs, **options)


@pytest.mark.slow
@pytest.mark.parametrize("mu", [0.0, 1.0, 2.5])
def test_the_bound_exceeds_the_truth_no_more_often_than_it_says(mu):
    found = [of_oracle(mu, seed, level=0.8).mu for seed in range(60)]
    # three standard errors
    assert np.mean([bound > mu for bound in found]) <= 0.2 + 3 * (0.2 * 0.8 / 60) ** 0.5
    assert np.mean(found) > mu - 0.5, "nor is it a bound that says nothing"


def test_a_perfect_attack_shows_what_the_number_of_trials_allows():
    found = of_oracle(50.0, 0, n_runs=200)
    # The half that judges has 50 runs with the canary and 50 without: all found, no false alarm,
    # limits at 2.5 % each.
    assert found.tpr == pytest.approx(0.025 ** (1 / 50)) and found.fpr == pytest.approx(
        1 - 0.025 ** (1 / 50)
    )
    assert found.mu == pytest.approx(2 * norm.ppf(0.025 ** (1 / 50)))


def test_what_is_seen_where_the_threshold_is_chosen_does_not_count():
    class Fading(Oracle):
        """Tells of the canary in the first half of the runs only."""

        def fit_many(self, records, labels, members, classes, progress=None):
            told = members.copy()
            told[len(told) // 2 :] = False
            return super().fit_many(records, labels, told, classes)

    assert (
        mia.canary_audit(
            Fading(3.0, 0), np.zeros((4, 2)), np.array([0, 1, 0, 1]), (np.ones(2), 1)
        ).mu
        < 0.2
    )


def test_with_many_runs_the_bound_comes_near_the_truth():
    # Each rate is then known to 2.24 standard errors of 50,000 trials, .005 at most, and the normal
    # density is above .2 wherever a threshold is sensible: .05 together, and a little for a
    # threshold that is not the best.
    for mu in (0.5, 1.5):
        assert mu - 0.07 < of_oracle(mu, 0, n_runs=200_000).mu < mu + 0.01


def test_both_worlds_hold_the_same_records_but_for_the_canary_in_every_other_run():
    oracle = Oracle(1.0, 0)
    mia.canary_audit(oracle, X, Y, CANARY, n_runs=101)
    asked = oracle.asked
    np.testing.assert_array_equal(asked.records, np.vstack([X, [CANARY[0]]]))
    np.testing.assert_array_equal(asked.labels, [*Y, 0])
    assert asked.members.shape == (101, 11) and asked.members[:, :10].all()
    assert asked.members[:, 10].tolist() == [False, True] * 50 + [False]
    np.testing.assert_array_equal(asked.classes, range(10))  # the public labels, in both worlds


def test_a_canary_of_a_class_that_nobody_else_has_is_allowed():
    few = Y < 9
    found = mia.canary_audit(
        private(epochs=3, noise_multiplier=0.0), X[few], Y[few], (CANARY[0], 9), n_runs=100
    )
    assert found.mu > 1


def test_epsilon_follows_from_mu_and_is_0_where_nothing_was_found():
    found = of_oracle(2.0, 0, delta=1e-3)
    assert found.mu > 1 and found.delta == 1e-3 and found.epsilon > 0
    # Dong, Roth and Su 2022, corollary 2.13
    low, high = -found.epsilon / found.mu - found.mu / 2, -found.epsilon / found.mu + found.mu / 2
    assert norm.cdf(high) - exp(found.epsilon) * norm.cdf(low) == pytest.approx(1e-3, rel=1e-6)
    assert found.mu == pytest.approx(norm.ppf(found.tpr) - norm.ppf(found.fpr))
    nothing = of_oracle(0.0, 0)
    assert nothing.mu <= 0 and nothing.epsilon == 0 and not nothing.broken


def test_the_same_seed_gives_the_same_audit_and_the_model_stays_as_it_was():
    model = private(epochs=2)
    before = vars(clone(model))
    first, again, other = (
        mia.canary_audit(m, X, Y, CANARY, n_runs=100)
        for m in (model, model, private(epochs=2, seed=1))
    )
    assert first == again and first != other
    assert vars(model) == before


def test_progress_is_told_and_may_stop_it():
    told = []
    mia.canary_audit(private(), X, Y, CANARY, n_runs=100, progress=told.append)
    assert told == sorted(told) and told[-1] == 1

    def stop(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mia.canary_audit(private(), X, Y, CANARY, n_runs=100, progress=stop)


@pytest.mark.parametrize(
    "wrong, message",
    [
        (dict(n_runs=39), "n_runs must be .*at least 40, got 39"),
        (dict(n_runs=100.5), "n_runs must be .*whole.*got 100.5"),
        (dict(level=1.0), "level must be a number above 0 and below 1, got 1.0"),
        (dict(delta=0), "delta must be a number above 0 and below 1, got 0"),
        (dict(canary=(CANARY[0][:5], 0)), "canary must .*64 .*5"),
    ],
)
def test_what_an_audit_cannot_use_is_refused_by_name(wrong, message):
    canary = wrong.pop("canary", CANARY)
    with pytest.raises(ValueError, match=f"^{message}"):
        mia.canary_audit(private(), X, Y, canary, **wrong)


@pytest.mark.parametrize(
    "tpr, fpr, delta, expected",
    [
        (0.084, 0.001, 1e-5, 4.4307),  # ln(0.08399 / 0.001), by hand
        (0.5, 0.5, 0.0, 0.0),
        (0.2, 0.4, 0.0, 0.0),  # a bound below 0 says nothing
        (1e-6, 0.001, 1e-5, 0.0),
    ],
)
def test_a_bound_on_epsilon_that_takes_no_gaussian_noise_for_granted(tpr, fpr, delta, expected):
    found = mia.CanaryAudit(0.5, 1.2, delta, tpr, fpr, n_runs=1000, level=0.95, promised=0.3)
    assert found.epsilon_without_mu == pytest.approx(expected, abs=1e-4)
