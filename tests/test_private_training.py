"""Private training as a whole: what it promises, what it draws its noise from, and the ceiling that
no attack breaks.

The arithmetic of clipping and noise is held to references in test_lockstep.py, the bits in
test_network.py.
"""

from dataclasses import replace
from functools import cache
from math import inf, sqrt

import numpy as np
import pytest
from course import parts_of
from dp_accounting import GaussianDpEvent, SelfComposedDpEvent
from dp_accounting.pld import PLDAccountant
from scipy.stats import norm

import miaedu as mia
from miaedu import MLP, Experiment, lockstep

DIGITS = mia.load_digits()
X, Y = DIGITS.X[:300], DIGITS.y[:300]


def private(**settings):
    shared = dict(
        hidden=8, epochs=5, clip=1.0, noise_multiplier=2.0, expected_members=300, random_state=0
    )
    return MLP(**shared | settings)


# What is promised


@pytest.mark.parametrize("noise_multiplier, epochs", [(1.0, 5), (4.0, 30), (20.0, 12)])
def test_epsilon_after_the_fit_is_dp_accountings_for_as_many_steps(noise_multiplier, epochs):
    net = private(noise_multiplier=noise_multiplier, epochs=epochs, snapshots=(2,)).fit(
        X, Y, range(10)
    )
    for fitted, steps in ((net, epochs), (net.at(2), 2)):
        accountant = PLDAccountant(
            value_discretization_interval=sqrt(steps) / noise_multiplier / 1000
        )
        accountant.compose(SelfComposedDpEvent(GaussianDpEvent(noise_multiplier), steps))
        assert fitted.epsilon(1e-5) == pytest.approx(accountant.get_epsilon(1e-5), rel=0.01)


def test_a_step_is_a_full_batch_so_that_epochs_are_what_is_counted(monkeypatch):
    steps, plain = [], lockstep.gradient
    monkeypatch.setattr(
        lockstep, "gradient", lambda *batch: (steps.append((batch[2] > 0).sum()), plain(*batch))
    )
    private(epochs=7).fit(X, Y, range(10))
    assert steps == [300] * 7


def test_without_noise_nothing_is_promised():
    for net in (private(noise_multiplier=0.0), MLP(epochs=2, batch_size=None), MLP(epochs=2)):
        assert net.fit(X, Y).epsilon(1e-5) == net.epsilon(0.9) == inf


def test_the_number_of_members_and_their_labels_cannot_be_read_off():
    # Noise so strong that the records do not matter; what is left is the penalty, weighed by the
    # divisor.
    def answers(n=300, n_labels=10, expected_members=300):
        net = private(noise_multiplier=1e6, l2=1000.0, epochs=20, expected_members=expected_members)
        return net.fit(X[:n], Y[:n] % n_labels, range(10)).predict_proba(X)

    # A record's gradient, spread over all weights, is no more than a 1e-6th of the noise on them.
    np.testing.assert_allclose(answers(n=299), answers(), atol=1e-5)
    np.testing.assert_allclose(answers(n=150, n_labels=2), answers(), atol=1e-4)
    assert np.abs(answers(expected_members=150) - answers()).max() > 0.01, (
        "no divisor shows here: nothing was tested"
    )


def test_less_and_less_noise_ends_at_clipped_training_not_at_plain_training():
    def answers(**settings):
        return (
            private(**dict(epochs=30, clip=0.05) | settings).fit(X, Y, range(10)).predict_proba(X)
        )

    clipped, plain = answers(noise_multiplier=0.0), answers(noise_multiplier=0.0, clip=1e6)
    off = [np.abs(answers(noise_multiplier=z) - clipped).max() for z in (1.0, 0.1, 1e-6)]
    assert off[0] > off[1] > 0.01 > 1e-3 > off[2]
    assert np.abs(plain - clipped).max() > 0.05


# Random numbers


def test_a_target_and_shadows_with_one_random_state_share_no_random_number(monkeypatch):
    made, plain = [], np.random.default_rng

    def noted(seed=None):
        generator = plain(seed)
        # where the stream starts, and by which steps it goes on
        state = generator.bit_generator.state["state"]
        made.append((state["state"], state["inc"]))
        return generator

    def streams_of(fit, *records, **options):
        made.clear()
        fit(*records, **options)
        assert len(made) > 2, "training draws from other generators than these: nothing was tested"
        return set(made)

    monkeypatch.setattr(np.random, "default_rng", noted)
    for seed in (0, 1, 12345):
        net = private(random_state=seed)
        target = streams_of(net.fit, X, Y, range(10))
        shadows = mia.ShadowModels(net, 20, random_state=seed)
        networks = streams_of(shadows.fit, X, Y, classes=range(10))
        assert len(target) == 3 and len(networks) >= 60, (
            "one stream each for start, shuffle and noise"
        )
        assert not {step for _, step in target} & {step for _, step in networks}, (
            "two streams of one step width can meet"
        )


def test_in_an_experiment_too_the_noise_of_target_and_shadows_is_unrelated():
    # With noise this strong the first step of Adam goes a full learning rate by the noise's sign in
    # each weight.
    strong = Experiment(
        n_members=50, n_items=100, hidden=16, epochs=1, n_shadows=8, clip=1e-3, noise_multiplier=1e4
    )
    weights = []
    for learning_rate in (0.01, 1e-30):
        _, target, shadows = parts_of(replace(strong, learning_rate=learning_rate))
        weights.append(np.concatenate([target.networks_._theta, shadows.networks._theta]))
    signs = np.sign(weights[0] - weights[1])
    assert (np.abs(signs) == 1).mean() > 0.99, "the noise does not show: nothing was tested"
    related = np.corrcoef(signs)[0, 1:]
    # standard errors of a correlation of none
    assert (np.abs(related) < 4.5 / signs.shape[1] ** 0.5).all()
    starts = np.corrcoef(weights[1])[0, 1:]
    assert (np.abs(starts) < 4.5 / signs.shape[1] ** 0.5).all()


# The ceiling

SMALL = Experiment(n_members=100, n_items=100, hidden=16, epochs=40, n_shadows=4, clip=1.0)
ATTACKS = "shadow", "threshold", "label_only", "gap"
TARGETS = 20


@cache
def rates(attack, noise_multiplier):
    """TPR and FPR (20,), at thresholds from the shadows, against targets retrained on other data,
    coins and noise."""
    e = replace(SMALL, attack=attack, noise_multiplier=noise_multiplier)
    reports = [mia.run(replace(e, random_state=seed)).adaptive for seed in range(TARGETS)]
    return np.array([[report.recall, report.fpr] for report in reports]).T


def beyond_the_ceiling(tpr, fpr, mu):
    """By how many standard errors over targets the mean TPR exceeds the ceiling of `mu` at the mean
    FPR.

    The ceiling bends down, so it holds for means too. A target with more false alarms is allowed
    more hits, hence what counts for the standard error is each target's distance from the tangent
    at the mean.
    """
    at = norm.ppf(fpr.mean())
    tangent = norm.cdf(at + mu) + (fpr - fpr.mean()) * norm.pdf(at + mu) / norm.pdf(at)
    over = tpr - tangent
    return over.mean() / (over.std(ddof=1) / len(over) ** 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("mu", [1.0, 4.0])
def test_no_attack_breaks_the_ceiling(attack, mu):
    assert beyond_the_ceiling(*rates(attack, sqrt(SMALL.epochs) / mu), mu) <= 3


@pytest.mark.slow
@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_breaks_the_ceiling_of_a_promise_that_is_not_kept(attack):
    assert beyond_the_ceiling(*rates(attack, 0.0), 1.0) > 3, (
        "clipping alone, which promises nothing, passes for mu = 1"
    )
    assert beyond_the_ceiling(*rates(attack, sqrt(SMALL.epochs) / 4.0), 0.5) > 3, (
        "mu = 4 passes for mu = 0.5"
    )


def test_the_ceiling_that_is_checked_is_the_one_that_is_drawn():
    e = replace(SMALL, noise_multiplier=sqrt(SMALL.epochs))
    assert mia.run(e).mu == pytest.approx(1.0)
    fpr = np.array([0.1, 0.3, 0.5])
    np.testing.assert_allclose(mia.roc_ceiling(fpr, mu=mia.run(e).mu), norm.cdf(norm.ppf(fpr) + 1))
    assert beyond_the_ceiling(mia.roc_ceiling(fpr, mu=1.0) + [0.001, 0.002, 0.003], fpr, 1.0) < 1


@pytest.mark.slow
@pytest.mark.parametrize("attack", ["shadow", "threshold"])
def test_the_attacks_do_learn_something_from_private_targets(attack):
    # Else a ceiling would not be tested by them. Twenty targets of 100 members: three standard
    # errors of their mean.
    tpr, fpr = rates(attack, sqrt(SMALL.epochs) / 4.0)
    gain = tpr - fpr
    assert gain.mean() - 3 * gain.std(ddof=1) / TARGETS**0.5 > 0.1


# What cannot be promised


@pytest.mark.parametrize("delta", [0, 1.0])
def test_a_fitted_network_promises_no_epsilon_at_the_ends_of_delta(delta):
    net = private(epochs=1).fit(X, Y, range(10))
    with pytest.raises(ValueError, match=f"^delta must be .*above 0 and below 1, got {delta}"):
        net.epsilon(delta)
