"""What notebook 01 says in words, measured anew over several splits, targets and shadow models."""

import numpy as np
import pytest

import miaedu as mia
from miaedu.exercises.nb01 import audit, quarter
from miaedu.explorers.base_rate import base_rate_rates, positives_worth

SEEDS = range(8)


def attacked(target, seed):
    """The World, fitted attack, target and Report of the notebook's cohort, for a target and a
    random state."""
    clinic, (ill, records) = mia.load_clinic(target), quarter("disea")
    if target != "health":
        records = np.delete(clinic.X, clinic.feature_names.index("disea"), axis=1)
    cohort = mia.Dataset.from_arrays(records[ill], clinic.y[ill], groups=clinic.groups[ill])
    world = mia.split(cohort, n_members=300, random_state=seed)
    api = mia.BlackBox(mia.MLP(epochs=50, random_state=seed).fit(*world.members))
    shadows = mia.ShadowModels(mia.MLP(epochs=50), n_models=8, random_state=100 + seed).fit(
        *world.pool
    )
    attack = mia.ShadowAttack().fit(shadows)
    return world, attack, api, mia.evaluate(attack, api, world)


@pytest.fixture(scope="module")
def runs():
    return [attacked("health", seed) for seed in SEEDS]


@pytest.fixture(scope="module")
def rest():
    """X and y of the people outside the ill quarter, without the column that says so."""
    ill, records = quarter("disea")
    return records[~ill], mia.load_clinic("health").y[~ill]


def standard_errors(differences):
    """The mean difference in standard errors over the random states."""
    return np.mean(differences) / (np.std(differences, ddof=1) / np.sqrt(len(differences)))


def test_hits_and_false_alarms_lie_far_apart(runs):
    for report in (audit()[0], *(run[-1] for run in runs)):
        assert report.interval("recall")[0] > 1.5 * report.interval("fpr")[1]


def test_the_draw_that_the_notebook_shows_is_a_typical_one(runs):
    # within 0.05, about one standard deviation from target to target
    for name in ("recall", "fpr"):
        assert (
            abs(getattr(audit()[0], name) - np.mean([getattr(run[-1], name) for run in runs]))
            < 0.05
        )


def test_to_be_named_says_hardly_more_about_illness_than_to_be_anybody(runs, rest):
    ill, _ = quarter("disea")
    shares = []
    for world, attack, api, report in runs:
        members = len(world.members[1])
        named = members * report.recall + (ill.sum() - members) * report.fpr
        shares.append(named / (named + (attack.score(api, *rest) >= attack.threshold_).sum()))
    # "Hardly": within 10 of 100 for every target (the share moves by 3 of 100 from target to
    # target), 5 on average.
    assert np.abs(np.array([*shares, audit()[1] / 100]) - ill.mean()).max() < 0.1
    assert abs(np.mean(shares) - ill.mean()) < 0.05


def test_false_alarms_are_more_common_among_people_of_another_kind(runs, rest):
    # 4 standard errors over eight targets: one chance in about 400 were there no difference (t, 7
    # degrees of freedom).
    alarms = [
        (attack.score(api, *rest) >= attack.threshold_).mean() - report.fpr
        for _, attack, api, report in runs
    ]
    assert standard_errors(alarms) > 4


def test_the_rule_about_age_sees_no_membership_but_tells_the_ill_from_the_rest(runs, rest):
    age = mia.load_clinic("health").feature_names.index("xage")
    assert age < mia.load_clinic("health").feature_names.index("disea")

    def older(X):
        return (X[:, age] > 0).mean()

    members, others = zip(
        *((older(world.members[0]), older(world.nonmembers[0])) for world, *_ in runs)
    )
    # one chance in 100 with t, 7 degrees of freedom
    assert abs(standard_errors(np.subtract(members, others))) < 3.5
    assert min(members) - older(rest[0]) > 0.3


@pytest.mark.parametrize("target", ["health", "visits"])
def test_neither_target_does_clearly_better_than_one_answer_for_all_on_new_people(target, runs):
    over = []
    for world, _, _, report in (
        runs if target == "health" else [attacked(target, seed) for seed in SEEDS]
    ):
        always = (world.nonmembers[1] == np.bincount(world.members[1]).argmax()).mean()
        over.append(report.test_accuracy - always)
    # "clearly": 3 of 100, some three standard errors of eight targets' mean
    assert np.mean(over) < 0.03


def test_visits_leak_more_than_rated_health(runs):
    differences = [
        attacked("visits", seed)[-1].advantage - runs[seed][-1].advantage for seed in SEEDS[:4]
    ]
    assert min(differences) > 0


def test_a_stricter_attacker_finds_fewer_members_and_each_positive_is_worth_more():
    for seed in range(4):
        whole = mia.Experiment(
            data="clinic", n_members=1000, epochs=32, n_shadows=4, random_state=seed
        )
        report = mia.run(whole).report
        rates = [base_rate_rates(report, alarms) for alarms in ("as learned", 10, 1)]
        hits = [tpr for _, tpr in rates]
        worth = [positives_worth(tpr, fpr, 1 / 1000) for fpr, tpr in rates]
        assert hits == sorted(hits, reverse=True) and worth == sorted(worth)
        # and yet, where 1 in 1,000 is a member, nearly all positives are false alarms
        assert max(worth) < 0.1
