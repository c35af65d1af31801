"""What notebook 04 says of its measurements, measured again on five targets, each with data and
noise of its own.

A claim is about the mean over targets. It is held against the ends of a 95 % interval of that mean
(Student's t, four degrees of freedom); where two settings are compared, of the mean difference on
the same seed. The seeds are fixed.
"""

from functools import lru_cache

import course
import numpy as np
import pytest

import miaedu as mia

SEEDS = range(5)
PRIVATE = dict(epochs=60, clip=1.0)


@lru_cache
def measured(**change):
    """The measures of an experiment, an array (5,) each; "leak" is the advantage of the best
    attack."""
    settings = dict(hidden=32, n_shadows=8) | change
    rows = mia.sweep(
        [mia.Experiment(**settings, random_state=seed) for seed in SEEDS], progress=False
    )
    keys = "advantage", "naive_advantage", "gap_advantage", "test_accuracy", "mu"
    values = {key: np.array([row[key] for row in rows]) for key in keys}
    return values | {"leak": np.maximum(values["advantage"], values["gap_advantage"])}


def interval(values):
    return course.interval(values, 0.95)


def test_the_interval_is_students():
    low, high = interval(np.array([1.0, 2, 3, 4, 5]))
    # 2.7764 * 1.5811 / sqrt(5), by hand
    assert (low, high) == pytest.approx((3 - 1.9632, 3 + 1.9632), abs=1e-3)


HIDING = {
    "top 1": (("top_k", 1),),
    "temperature": (("softened", 5.0),),
    "noise": (("noisy", 0.1),),
    "labels": ("labels_only",),
}


@pytest.mark.parametrize("hide", HIDING.values(), ids=HIDING)
def test_hiding_looks_like_a_cure_to_a_naive_attacker(hide):
    plain, hidden = (
        interval(measured()["advantage"]),
        interval(measured(hide=hide)["naive_advantage"]),
    )
    assert hidden[1] < plain[0] / 2


@pytest.mark.parametrize(
    "hide", [(("top_k", 3),), HIDING["top 1"], (("rounded", 1),), HIDING["temperature"]], ids=str
)
def test_top_k_decimals_and_temperature_do_next_to_nothing_against_an_adaptive_one(hide):
    low, high = interval(measured(hide=hide)["advantage"] - measured()["advantage"])
    assert low > -0.08 and high < 0.08 and abs(low + high) / 2 < 0.03


@pytest.mark.parametrize("hide", [HIDING["noise"], HIDING["labels"]], ids=str)
def test_noise_and_labels_take_something_away_but_the_gap_attack_stays(hide):
    hidden = measured(hide=hide)
    assert interval(hidden["advantage"] - measured()["advantage"])[1] < -0.02
    low, high = interval(hidden["gap_advantage"] - measured()["gap_advantage"])
    assert low > -0.05 and high < 0.05


def test_against_labels_alone_the_label_only_attack_beats_the_gap_attack():
    labels = measured(hide=("labels_only",), attack="label_only")
    assert interval(labels["advantage"] - labels["gap_advantage"])[0] > 0.04


def test_a_moderate_l2_takes_about_half_of_the_advantage_and_no_accuracy():
    plain, moderate = measured(), measured(l2=0.03)
    low, high = interval(moderate["leak"] / plain["leak"])
    assert low > 0.35 and high < 0.65
    assert interval(moderate["test_accuracy"] - plain["test_accuracy"])[0] > -0.01


def test_a_strong_l2_costs_accuracy():
    assert interval(measured(l2=0.1)["test_accuracy"] - measured()["test_accuracy"])[1] < -0.05


def test_half_of_the_leak_comes_after_the_accuracy_has_stopped_to_rise():
    early, late = measured(epochs=8, snapshots=(8, 20)), measured(epochs=20, snapshots=(8, 20))
    assert interval(early["test_accuracy"] - late["test_accuracy"])[0] > -0.02
    low, high = interval(early["leak"] / late["leak"])
    assert low > 0.4 and high < 0.65


def test_moderate_noise_costs_no_accuracy_and_leaves_little_to_the_attack():
    plain, private = measured(epochs=60, batch_size=None), measured(**PRIVATE, noise_multiplier=2.0)
    assert interval(private["test_accuracy"] - plain["test_accuracy"])[0] > -0.01
    assert interval(private["leak"] / plain["leak"])[1] < 0.4


def test_near_the_bend_private_training_leaks_least_at_an_accuracy_that_the_targets_cannot_tell_from_the_others():
    private = measured(**PRIVATE, noise_multiplier=2.0)
    for other in (measured(l2=0.03), measured(epochs=8, snapshots=(8, 20))):
        assert interval(private["leak"] - other["leak"])[1] < -0.03
        low, high = interval(private["test_accuracy"] - other["test_accuracy"])
        assert low < 0 < high and high - low < 0.1, (
            "not because the interval is wide as a barn door"
        )


def test_judged_by_the_naive_attacker_noise_on_answers_would_look_like_the_best_of_all():
    naive = measured(hide=HIDING["noise"])["naive_advantage"]
    for other in (measured(l2=0.1), measured(**PRIVATE, noise_multiplier=16.0)):
        assert interval(other["leak"] - naive)[0] > 0


def test_a_strong_l2_measures_about_as_well_as_much_noise():
    low, high = interval(
        measured(l2=0.1)["leak"] - measured(**PRIVATE, noise_multiplier=4.0)["leak"]
    )
    assert low > -0.1 and high < 0.05


def test_strong_noise_is_dear_with_few_records_and_the_leak_is_far_under_the_ceiling():
    strong = measured(**PRIVATE, noise_multiplier=8.0)
    assert interval(strong["test_accuracy"])[1] < 0.45
    assert interval(strong["leak"])[1] < mia.max_advantage(float(strong["mu"][0])) / 2
    low, high = interval(strong["advantage"] - strong["gap_advantage"])
    assert low > -0.06 and high < 0.06, "the gap attack does as well"


def test_as_noise_vanishes_the_model_tends_to_clipped_training():
    clipped = measured(**PRIVATE)
    far, near = (measured(**PRIVATE, noise_multiplier=noise) for noise in (1.0, 0.01))
    for key in ("leak", "test_accuracy"):
        low, high = interval(near[key] - clipped[key])
        assert low > -0.04 and high < 0.04
    assert interval(far["leak"] - clipped["leak"])[1] < -0.2


def test_the_same_promise_costs_less_accuracy_with_more_records():
    noise = mia.noise_for(epsilon=4, delta=1e-5, steps=60)
    promised = PRIVATE | dict(noise_multiplier=noise, n_shadows=1, attack="gap")
    few, many = measured(**promised, n_members=500), measured(**promised, n_members=2000)
    assert interval(many["test_accuracy"] - few["test_accuracy"])[0] > 0.25


@pytest.mark.parametrize("seed", range(3))
def test_the_audit_of_the_notebook_catches_too_little_noise_and_spares_the_honest(seed):
    digits = mia.load_digits()
    few = np.flatnonzero(digits.y != 0)[:10]

    def found(noise):
        model = mia.MLP(
            hidden=8,
            epochs=15,
            learning_rate=0.1,
            clip=1.0,
            noise_multiplier=noise,
            expected_members=10,
            random_state=seed,
        )
        return mia.canary_audit(model, digits.X[few], digits.y[few], canary=(np.zeros(64), 0))

    honest = found(4.0)
    # Honest noise may break its bound in 5 of 100 audits at most; these seeds are fixed.
    assert honest.mu <= honest.promised == pytest.approx(np.sqrt(15) / 4)
    assert found(1.0).mu > 2 * honest.promised


def test_averaging_noisy_answers_needs_an_epsilon_that_promises_nothing():
    errors = []
    for seed in SEEDS:
        rng = np.random.default_rng(100 + seed)
        sent = np.repeat(rng.dirichlet(np.ones(10), 1), 1000, axis=0)
        errors.append(
            np.abs(mia.noisy(epsilon=1.0, random_state=seed)(sent).mean(axis=0) - sent[0]).mean()
        )
    # Laplace noise of scale 2 has variance 8, so a mean of 1,000 is off by sqrt(8 / 1000) sqrt(2 /
    # pi) = .071.
    low, high = interval(np.array(errors))
    assert low < np.sqrt(8 / 1000) * np.sqrt(2 / np.pi) < high
