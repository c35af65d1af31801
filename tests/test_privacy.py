"""Epsilon, delta and mu against closed forms, numerical integrals, tables worked out elsewhere, and
dp-accounting."""

from math import exp, inf, log, sqrt

import numpy as np
import pytest
from dp_accounting import ComposedDpEvent, GaussianDpEvent, SelfComposedDpEvent
from dp_accounting.pld import PLDAccountant
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import binomtest, norm

import miaedu as mia
from miaedu.canary import _bound
from miaedu.privacy import delta_of, epsilon_of, mu_of

FPR = np.r_[0, np.geomspace(1e-6, 0.5, 300), np.linspace(0.5, 1, 301)[1:]]
deltas = st.floats(1e-9, 0.5)


@pytest.mark.parametrize(
    "epsilon, advantage, auc, tpr",
    [
        (0.1, 0.050, 0.525, 0.0011),
        (0.5, 0.245, 0.622, 0.0017),
        (1, 0.462, 0.731, 0.0027),
        (2, 0.762, 0.881, 0.0074),
        (4, 0.964, 0.982, 0.055),
        (8, 0.9993, 0.9997, 0.9997),
    ],
)
def test_what_an_epsilon_allows_an_attack(epsilon, advantage, auc, tpr):
    digits = 4 if epsilon == 8 else 3
    assert round(mia.max_advantage(epsilon=epsilon), digits) == advantage
    assert round(mia.max_auc(epsilon=epsilon), digits) == auc
    assert round(mia.max_advantage(epsilon=epsilon) / 2 + 0.5, digits) == pytest.approx(
        auc, abs=10.0**-digits
    )
    ceiling = float(mia.roc_ceiling(0.001, epsilon=epsilon, delta=1e-5))
    assert ceiling == pytest.approx(tpr, abs=0.5 * 10 ** -(3 if tpr == 0.055 else 4))


def test_what_a_mu_of_1_allows_an_attack():
    assert round(float(mia.roc_ceiling(0.001, mu=1)), 3) == 0.018
    assert round(mia.max_auc(mu=1), 3) == 0.760 and round(mia.max_advantage(mu=1), 3) == 0.383


def test_the_three_bounds_on_the_advantage_at_epsilon_1_are_kept_apart():
    yeom, erlingsson, humphries = exp(1) - 1, 1 - exp(-1), (exp(1) - 1) / (exp(1) + 1)
    assert [round(bound, 3) for bound in (yeom, erlingsson, humphries)] == [1.718, 0.632, 0.462]
    assert mia.max_advantage(epsilon=1) == pytest.approx(humphries)


@given(st.floats(0, 20), st.sampled_from([0, 1e-5, 0.01, 0.3]))
def test_the_ceiling_of_epsilon_and_delta_is_the_largest_curve_that_both_inequalities_allow(
    epsilon, delta
):
    tpr = mia.roc_ceiling(FPR, epsilon=epsilon, delta=delta)
    slack = np.minimum(
        exp(epsilon) * FPR + delta - tpr, exp(epsilon) * (1 - tpr) + delta - (1 - FPR)
    )
    # Each is exact to the rounding of 1 - tpr, times e^epsilon.
    assert (slack > -1e-15 * exp(epsilon) - 1e-12).all()
    assert (np.minimum(slack * exp(-epsilon), 1 - tpr) < 1e-12).all(), (
        "somewhere it could be higher"
    )


@given(st.floats(0, 10), st.sampled_from([0, 1e-5, 0.01, 0.3]))
def test_the_corner_of_the_region_gives_the_largest_advantage(epsilon, delta):
    fpr, tpr = (1 - delta) / (1 + exp(epsilon)), (exp(epsilon) + delta) / (1 + exp(epsilon))
    assert float(mia.roc_ceiling(fpr, epsilon=epsilon, delta=delta)) == pytest.approx(tpr)
    assert mia.max_advantage(epsilon=epsilon, delta=delta) == pytest.approx(tpr - fpr)
    assert (mia.roc_ceiling(FPR, epsilon=epsilon, delta=delta) - FPR).max() <= tpr - fpr + 1e-12


@pytest.mark.parametrize(
    "promise",
    [
        {"mu": 0.3},
        {"mu": 1},
        {"mu": 4},
        {"epsilon": 0.1},
        {"epsilon": 1, "delta": 1e-5},
        {"epsilon": 1, "delta": 0.3},
        {"epsilon": 4, "delta": 0.01},
    ],
)
def test_the_largest_auc_and_advantage_are_those_of_the_ceiling(promise):
    def ceiling(fpr):
        return float(mia.roc_ceiling(fpr, **promise))

    corners = [0.5 / (1 + exp(promise.get("epsilon", 0))), 0.01, 0.5]
    assert mia.max_auc(**promise) == pytest.approx(
        quad(ceiling, 0, 1, points=corners, limit=200)[0], abs=1e-7
    )
    fine = np.linspace(0, 1, 200_001)  # its step bounds what the maximum on it may lack
    assert mia.max_advantage(**promise) == pytest.approx(
        (mia.roc_ceiling(fine, **promise) - fine).max(), abs=1e-4
    )


def test_delta_makes_the_auc_larger_than_half_of_one_and_the_advantage():
    assert round(mia.max_auc(epsilon=1, delta=1e-5), 6) == 0.731064
    assert round(0.5 + mia.max_advantage(epsilon=1, delta=1e-5) / 2, 6) == 0.731061


@pytest.mark.parametrize("mu", [0.2, 1, 3])
def test_the_ceiling_of_mu_is_what_all_its_epsilons_and_deltas_allow_together(mu):
    tpr = mia.roc_ceiling(FPR, mu=mu)
    pairs = np.array([(e, delta_of(e, mu)) for e in np.linspace(1e-9, 6 * mu + mu**2, 800)])
    together = np.min([mia.roc_ceiling(FPR, epsilon=e, delta=d) for e, d in pairs], axis=0)
    assert (together >= tpr - 1e-12).all()
    # Lines that touch a curve at 800 places leave second-order gaps between them.
    assert np.max((together - tpr)[1:-1]) < 2e-4
    np.testing.assert_allclose(norm.ppf(tpr[1:200]) - norm.ppf(FPR[1:200]), mu)


def test_the_ends_of_the_ceilings():
    for promise in ({"mu": 0}, {"epsilon": 0}):
        np.testing.assert_allclose(mia.roc_ceiling(FPR, **promise), FPR, atol=1e-15)
        assert mia.max_advantage(**promise) == 0 and mia.max_auc(**promise) == 0.5
    assert mia.roc_ceiling([0, 1], mu=2).tolist() == [0, 1]
    assert mia.roc_ceiling(0.0, epsilon=1, delta=0.1) == 0.1
    assert mia.roc_ceiling([], mu=1).shape == (0,) and mia.roc_ceiling(
        np.zeros((2, 3)), mu=1
    ).shape == (2, 3)


@pytest.mark.parametrize(
    "nothing", [{"mu": inf}, {"epsilon": inf}, {"epsilon": 800.0}, {"epsilon": 1e6, "delta": 1e-5}]
)
def test_where_nothing_is_promised_the_ceiling_is_1_even_without_false_alarms(nothing):
    assert mia.roc_ceiling([1e-9, 0.5, 1], **nothing).tolist() == [1, 1, 1]
    assert mia.max_advantage(**nothing) == mia.max_auc(**nothing) == 1
    at_none = float(mia.roc_ceiling(0.0, **nothing))
    assert at_none == (1 if inf in nothing.values() else nothing.get("delta", 0))


@pytest.mark.parametrize(
    "epsilon, sigma, classic",
    [(0.5, 7.03, 9.69), (1, 3.73, 4.84), (4, 1.08, 1.21), (10, 0.500, 0.484)],
)
def test_the_noise_for_one_step_and_the_classic_formula_that_fails_at_10(epsilon, sigma, classic):
    assert mia.noise_for(epsilon=epsilon, delta=1e-5, steps=1) == pytest.approx(sigma, rel=0.002)
    assert sqrt(2 * log(1.25 / 1e-5)) / epsilon == pytest.approx(classic, rel=0.002)
    true_delta = delta_of(epsilon, 1 / classic)
    assert true_delta == pytest.approx(2.3e-5, rel=0.02) if epsilon == 10 else true_delta < 1e-5


@given(st.floats(0.05, 6), st.floats(0, 8))
def test_delta_is_what_the_densities_of_two_normals_differ_by_beyond_a_factor(mu, epsilon):
    def beyond(x):
        return max(0.0, norm.pdf(x, mu) - exp(epsilon) * norm.pdf(x))

    # from there on the first density is the larger one by that factor
    start = epsilon / mu + mu / 2
    expected = quad(beyond, start, max(start, mu) + 10, epsabs=1e-13, points=[max(start, mu)])[0]
    assert delta_of(epsilon, mu) == pytest.approx(expected, rel=1e-6, abs=1e-11)


@pytest.mark.parametrize("noise_multiplier", [0.7, 2.0, 8.0, 30.0])
@pytest.mark.parametrize("steps", [1, 30, 400])
def test_epsilon_is_within_1_percent_of_dp_accountings(noise_multiplier, steps):
    mu = sqrt(steps) / noise_multiplier
    # privacy losses spread over some mu
    accountant = PLDAccountant(value_discretization_interval=mu / 1000)
    accountant.compose(SelfComposedDpEvent(GaussianDpEvent(noise_multiplier), steps))
    for delta in (1e-3, 1e-5, 1e-7):
        ours = mia.epsilon(noise_multiplier=noise_multiplier, steps=steps, delta=delta)
        assert ours == pytest.approx(accountant.get_epsilon(delta), rel=0.01)


def test_steps_with_different_noise_add_up_as_dp_accounting_says():
    accountant = PLDAccountant()
    accountant.compose(
        ComposedDpEvent([GaussianDpEvent(4.0), GaussianDpEvent(2.0), GaussianDpEvent(8.0)])
    )
    mu = sqrt(sum(mu_of(noise_multiplier=z, steps=1) ** 2 for z in (4, 2, 8)))
    assert epsilon_of(mu, 1e-5) == pytest.approx(accountant.get_epsilon(1e-5), rel=0.01)


@given(st.floats(0.01, 60), deltas, st.integers(1, 5000))
def test_noise_for_and_epsilon_undo_each_other(epsilon, delta, steps):
    noise = mia.noise_for(epsilon=epsilon, delta=delta, steps=steps)
    assert mia.epsilon(noise_multiplier=noise, delta=delta, steps=steps) == pytest.approx(
        epsilon, rel=1e-6, abs=1e-9
    )
    assert delta_of(epsilon, mu_of(noise_multiplier=noise, steps=steps)) == pytest.approx(
        delta, rel=1e-6
    )


@pytest.mark.parametrize(
    "epsilon, delta",
    [(1e-6, 1e-9), (1e-9, 1e-9), (1e-3, 1e-12), (1e-9, 0.9), (300, 1e-12), (1e4, 0.99)],
)
def test_noise_is_found_at_the_ends_of_the_allowed_range_too(epsilon, delta):
    noise = mia.noise_for(epsilon=epsilon, delta=delta, steps=100)
    assert delta_of(epsilon, 10 / noise) == pytest.approx(delta, rel=1e-5)


@given(st.floats(0.2, 50), deltas, st.integers(1, 1000))
def test_less_noise_more_steps_and_a_smaller_delta_all_cost_epsilon(noise, delta, steps):
    def cost(noise_multiplier=noise, delta=delta, steps=steps):
        return mia.epsilon(noise_multiplier=noise_multiplier, delta=delta, steps=steps)

    assert cost() <= min(
        cost(noise_multiplier=0.9 * noise), cost(steps=2 * steps), cost(delta=delta / 2)
    )
    assert cost(steps=4 * steps, noise_multiplier=2 * noise) == pytest.approx(cost(), rel=1e-9)


def test_no_noise_promises_nothing_and_a_large_delta_needs_no_epsilon():
    assert (
        mia.epsilon(noise_multiplier=0, steps=10, delta=1e-5)
        == inf
        == mu_of(noise_multiplier=0, steps=10)
    )
    # 2 Phi(1/2) - 1 = .383 is the most
    assert mia.epsilon(noise_multiplier=1, steps=1, delta=0.4) == 0
    assert mia.epsilon(noise_multiplier=1, steps=1, delta=0.38) > 0


def limits(hits, alarms, n):
    """Lower limit of a TPR and upper limit of an FPR, by scipy's exact two-sided interval: 2.5 % at
    each end."""
    exact = [binomtest(count, n).proportion_ci(0.95, method="exact") for count in (hits, alarms)]
    return exact[0].low, exact[1].high


@pytest.mark.parametrize(
    "tpr, fpr, n, epsilon",
    [
        (1, 0, 100, 3.28),
        (1, 0, 1000, 5.60),
        (1, 0, 5000, 7.21),
        (1, 0, 10_000, 7.90),
        (1, 0, 100_000, 10.21),
        (0.084, 0.001, 1000, 2.50),
        (0.084, 0.001, 10_000, 3.76),
        (0.084, 0.001, 25_000, 4.00),
    ],
)
def test_what_trials_can_show_by_clopper_and_pearsons_limits(tpr, fpr, n, epsilon):
    hits, alarms = round(tpr * n), round(fpr * n)
    called = np.r_[np.arange(n) < hits, np.arange(n) < alarms]
    mu, low, high = _bound(called, np.arange(2 * n) < n, 0.95)
    assert (low, high) == pytest.approx(limits(hits, alarms, n))
    assert mu == pytest.approx(norm.ppf(low) - norm.ppf(high))
    assert log((low - 1e-5) / high) == pytest.approx(epsilon, abs=0.006)


@pytest.mark.parametrize("mu", [0.0, 0.5, 1.5])
def test_the_bound_exceeds_the_truth_in_at_most_5_percent_and_comes_near_it_with_many_trials(mu):
    rng, inside = np.random.default_rng(0), np.arange(400) < 200

    def bounds(fpr, inside, repeats):
        rate = np.where(inside, norm.cdf(norm.ppf(fpr) + mu), fpr)
        return np.array(
            [_bound(rng.random(len(inside)) < rate, inside, 0.95)[0] for _ in range(repeats)]
        )

    for fpr in (0.02, 0.3):
        found = bounds(fpr, inside, 600)
        # three standard errors of a share of 600
        assert (found > mu).mean() <= 0.05 + 3 * sqrt(0.05 * 0.95 / 600)
    # Here each rate is known to about 2.5 standard errors of 400,000 trials, .002, and the normal
    # density is above .25.
    many = bounds(0.3, np.arange(800_000) < 400_000, 1)[0]
    assert mu - 0.02 < many < mu


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: mia.epsilon(noise_multiplier=1, steps=10, delta=0),
            "delta must be a number above 0 and below 1, got 0 .*neither end can be promised",
        ),
        (
            lambda: mia.epsilon(noise_multiplier=1, steps=10, delta=1),
            "delta must be a number above 0 and below 1, got 1",
        ),
        (
            lambda: mia.epsilon(noise_multiplier=1, steps=10, delta=float("nan")),
            "delta must be .*, got nan",
        ),
        (
            lambda: mia.epsilon(noise_multiplier=-1, steps=10, delta=1e-5),
            "noise_multiplier must be .* at least 0, got -1",
        ),
        (
            lambda: mia.epsilon(noise_multiplier=inf, steps=10, delta=1e-5),
            "noise_multiplier must be a number .*, got inf",
        ),
        (
            lambda: mia.epsilon(noise_multiplier=1, steps=0, delta=1e-5),
            "steps must be .* above 0, got 0",
        ),
        (
            lambda: mia.noise_for(epsilon=0, steps=1, delta=1e-5),
            "epsilon must be .* above 0, got 0 .*would need infinite noise",
        ),
        (
            lambda: mia.noise_for(epsilon=-1.5, steps=1, delta=1e-5),
            "epsilon must be .* above 0, got -1.5",
        ),
        (
            lambda: mia.noise_for(epsilon=1, steps=1, delta=1.5),
            "delta must be a number above 0 and below 1, got 1.5",
        ),
        (
            lambda: mia.noise_for(epsilon=1, steps=-3, delta=1e-5),
            "steps must be .* above 0, got -3",
        ),
        (lambda: mia.roc_ceiling(0.5), "give either mu or epsilon, got mu=None and epsilon=None"),
        (
            lambda: mia.roc_ceiling(0.5, 1, epsilon=1),
            "give either mu or epsilon, got mu=1 and epsilon=1",
        ),
        (lambda: mia.roc_ceiling([0.5, 1.5], 1), "fpr must be from 0 to 1, got 0.5 to 1.5"),
        (lambda: mia.roc_ceiling([0.5, float("nan")], 1), "fpr must be from 0 to 1, got nan"),
        (lambda: mia.max_advantage(mu=-1), "mu must be at least 0, got -1"),
        (lambda: mia.max_auc(epsilon=float("nan")), "epsilon must be at least 0, got nan"),
        (lambda: mia.max_auc(epsilon=1, delta=1), "delta must be at least 0 and below 1, got 1"),
    ],
)
def test_numbers_out_of_range_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
