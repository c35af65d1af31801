"""Exposure over many targets, against scikit-learn, closed forms and cases worked by hand."""

from dataclasses import replace

import numpy as np
import pytest
from course import parts_of, sentence
from sklearn.exceptions import NotFittedError
from sklearn.metrics import roc_auc_score

import miaedu as mia
from miaedu.exposure import MEASURES


def exposure_of(members, scores, threshold=0.0, **parts):
    """An Exposure whose phi are the scores and whose targets are right where these are positive."""
    scores = np.asarray(scores, float)
    parts = {"phi": scores, "right": scores > 0} | parts
    return mia.Exposure(np.asarray(members, bool), scores, threshold=threshold, **parts)


@pytest.fixture
def chance():
    """64 targets of 40 records, whose scores are rounded, so that many are equal."""
    rng = np.random.default_rng(0)
    members = rng.random((64, 40)) < 0.5
    return exposure_of(members, np.round(rng.normal(members * 0.7), 1))


@pytest.fixture(scope="module")
def world():
    return mia.split(mia.load_purchases(random_state=3), n_members=200, random_state=3)


@pytest.fixture(scope="module")
def targets(world):
    return mia.ShadowModels(mia.MLP(hidden=16), n_models=12, random_state=4).fit(*world.members)


def test_the_auc_of_each_record_is_scikit_learns_ties_and_all(chance):
    for i in range(40):
        expected = roc_auc_score(chance.members[:, i], chance.phi[:, i])
        assert chance.auc[i] == pytest.approx(expected, abs=1e-12)


def test_four_targets_worked_by_hand():
    # the first record: in the targets 0 and 1; the second: in the targets 0 and 2
    members = [[1, 1], [1, 0], [0, 1], [0, 0]]
    phi = [[9.0, 1.0], [4.0, 2.0], [5.0, 1.0], [1.0, 2.0]]
    right = np.array([[1, 1], [1, 0], [1, 1], [0, 0]], bool)
    found = exposure_of(members, [[3, 0], [1, 0], [2, 3], [0, 2]], 2, phi=phi, right=right)
    assert found.flagged_in.tolist() == [0.5, 0.5]  # of 3 and 1; of 0 and 3
    assert found.flagged_out.tolist() == [0.5, 0.5]  # of 2 and 0; of 0 and 2
    assert found.auc.tolist() == [0.75, 0.0]  # 9 > 5, 9 > 1, 4 < 5, 4 > 1; each 1 < each 2
    assert found.memorisation.tolist() == [0.5, 1.0]
    assert (found.tpr, found.fpr) == (0.5, 0.5)


def test_of_a_record_in_all_targets_or_in_none_only_that_is_told():
    found = exposure_of([[1, 0], [1, 0]], [[1, 1], [-1, 1]])
    assert np.isnan(found.auc).all() and np.isnan(found.memorisation).all()
    np.testing.assert_array_equal(found.flagged_in, [0.5, np.nan])
    np.testing.assert_array_equal(found.flagged_out, [np.nan, 1.0])


def test_a_planted_record_that_can_only_be_memorised_is_found():
    digits, planted = mia.load_digits(), 123
    X, y = digits.X[:400], digits.y[:400]
    wrong = y.copy()
    wrong[planted] = (y[planted] + 5) % 10
    model = mia.MLP(hidden=32, learning_rate=0.02, epochs=60)
    shadows = mia.ShadowModels(model, 4, random_state=1).fit(digits.X[400:800], digits.y[400:800])
    attack = mia.ThresholdAttack().fit(shadows)
    before, after = (
        mia.measure_exposure(attack, mia.ShadowModels(model, 64, random_state=2).fit(X, labels))
        for labels in (y, wrong)
    )
    # some digits are odd ones by nature: they too can only be memorised
    rows = {row["record"]: row for row in after.most_exposed(4, by="memorisation")}
    assert rows[planted]["chosen_by"] > 0.9 and rows[planted]["memorisation"] > 0.9
    assert before.memorisation[planted] < 0.5 and np.median(after.memorisation) < 0.1


def test_who_is_chosen_on_one_half_is_judged_on_the_other(chance):
    rows = chance.most_exposed(7)
    first, second = slice(0, None, 2), slice(1, None, 2)
    for row in rows:
        i = row["record"]
        assert row["chosen_by"] == pytest.approx(
            roc_auc_score(chance.members[first, i], chance.phi[first, i])
        )
        assert row["auc"] == pytest.approx(
            roc_auc_score(chance.members[second, i], chance.phi[second, i])
        )
    chosen_by = [row["chosen_by"] for row in rows]
    assert chosen_by == sorted(chosen_by, reverse=True)
    assert chosen_by[-1] >= np.sort(chance.half(0).auc)[-7]

    def spoilt(half):
        """The same, with other scores in one half."""
        parts = {name: getattr(chance, name).copy() for name in ("scores", "phi", "right")}
        for part in parts.values():
            part[half] = ~part[half] if part.dtype == bool else -part[half]
        return replace(chance, **parts)

    for by in MEASURES:
        rows = chance.most_exposed(40, by)
        others = spoilt(second).most_exposed(40, by)
        for row, other in zip(rows, others, strict=True):
            assert (row["record"], row["chosen_by"]) == (other["record"], other["chosen_by"])
        judged = {row["record"]: [row[name] for name in MEASURES] for row in rows}
        for row in spoilt(first).most_exposed(40, by):
            assert [row[name] for name in MEASURES] == judged[row["record"]]
    assert (spoilt(second).accused == chance.accused).all()
    assert not (spoilt(first).accused == chance.accused).all()


N, PEOPLE, ALARMS = 200, 500, 0.02


def accusations(rates, seed):
    """An Exposure in which each person is flagged falsely at their own rate, whatever else."""
    rng = np.random.default_rng(seed)
    members = rng.random((N, PEOPLE)) < 0.5
    return exposure_of(members, np.where(rng.random((N, PEOPLE)) < rates, 1.0, -1.0))


@pytest.mark.parametrize("seed", range(3))
def test_where_alarms_fall_on_anyone_the_accused_bear_no_more_than_their_number(seed):
    found = accusations(ALARMS, seed)
    # half of the targets, half of them without the person: 1,000 alarms, each on the tenth with
    # probability 0.1; four standard errors
    four = 4 * np.sqrt(0.1 * 0.9 / (ALARMS * N * PEOPLE / 4))
    assert found.share_of_alarms[PEOPLE // 10] == pytest.approx(0.1, abs=four)
    everybody = np.arange(PEOPLE + 1) / PEOPLE
    spread = 4 * np.sqrt(everybody * (1 - everybody) / 1000 / 30)  # of the mean of 30 simulations
    assert (np.abs(found.share_by_chance - everybody) <= spread + 1e-12).all()


def test_where_alarms_fall_on_a_few_these_are_found_and_bear_them_all():
    guilty = np.zeros(PEOPLE, bool)
    guilty[::25] = True
    found = accusations(np.where(guilty, 0.5, 0.0), 0)
    assert set(found.accused[:20]) == set(np.flatnonzero(guilty))
    shares = found.share_of_alarms
    assert shares[0] == 0 and shares[20] == 1 and (np.diff(shares) >= 0).all()
    assert found.share_by_chance[20] < 0.1


def test_without_any_alarm_nobody_bears_more_than_others():
    shares = exposure_of([[1, 0, 0], [0, 1, 0]], -np.ones((2, 3))).share_of_alarms
    np.testing.assert_allclose(shares, [0, 1 / 3, 2 / 3, 1])


@pytest.mark.parametrize(
    "attack", [mia.ShadowAttack, mia.CalibratedAttack, mia.LiRA, mia.GapAttack]
)
def test_each_target_is_judged_as_it_is_alone(attack, world, targets):
    shadows = mia.ShadowModels(mia.MLP(hidden=16), n_models=6, random_state=5).fit(*world.pool)
    attack = attack().fit(shadows)
    X, y = world.members
    found = mia.measure_exposure(attack, targets, hide=[mia.rounded(3)])
    for k in (0, 7):
        door = mia.BlackBox(targets.networks[k], hide=[mia.rounded(3)])
        np.testing.assert_array_equal(found.scores[k], attack.score(door, X, y))
        np.testing.assert_array_equal(found.right[k], door.predict_proba(X).argmax(axis=1) == y)
    assert (found.members == targets.members).all()


def test_all_attacks_are_compared_at_the_same_false_alarms(world, targets):
    shadows = mia.ShadowModels(mia.MLP(hidden=16), n_models=6, random_state=5).fit(*world.pool)
    for fpr in (0.01, 0.1):
        found = mia.measure_exposure(mia.CalibratedAttack().fit(shadows), targets, fpr)
        scores = np.sort(found.scores[~found.members])
        allowed = int(fpr * len(scores))
        assert (scores >= found.threshold).sum() == allowed, "these scores have no ties"
    gap = mia.measure_exposure(mia.GapAttack(), targets)
    assert gap.fpr == gap.tpr == 0, "an attack that cannot be so strict flags nobody"


def test_a_record_is_in_where_any_copy_of_it_is(world):
    X, y = (np.concatenate([part[:40], part[:40]]) for part in world.members)
    targets = mia.ShadowModels(mia.MLP(hidden=4, epochs=1), n_models=8, random_state=0).fit(X, y)
    found = mia.measure_exposure(mia.GapAttack(), targets)
    either = targets.members[:, :40] | targets.members[:, 40:]
    assert (found.members == np.hstack([either, either])).all()


MANY = mia.ManyTargets(hidden=8, epochs=5, n_members=100, n_targets=8, n_shadows=4)


def test_expose_is_a_pure_function_and_tells_of_the_records_that_run_asks_about():
    found, again = mia.expose(MANY), mia.expose(MANY)
    for name in ("members", "scores", "phi", "right"):
        assert getattr(found, name).shape == (8, 200)
        np.testing.assert_array_equal(getattr(found, name), getattr(again, name))
    assert found.experiment is MANY and eval(repr(MANY), vars(mia)) == MANY
    assert (found.members.sum(axis=1) == 100).all(), "each learned from half of the records"
    more = mia.expose(replace(MANY, n_targets=12))
    np.testing.assert_array_equal(more.members[:8], found.members)
    np.testing.assert_array_equal(more.scores[:8], found.scores)
    assert (mia.expose(replace(MANY, attack="calibrated")).right == found.right).all()


def test_households_are_together_in_or_out_of_each_target():
    found = mia.expose(replace(MANY, data="clinic", n_members=300, epochs=1))
    clinic, e = mia.load_clinic(), mia.Experiment(data="clinic", n_members=300, epochs=1)
    home = dict(zip(map(bytes, clinic.X), clinic.groups.tolist()))
    world, _, _ = parts_of(replace(e, n_shadows=1))
    homes = np.array(
        [home[bytes(x)] for side in (world.members, world.nonmembers) for x in side[0]]
    )
    for inside in found.members:
        assert not set(homes[inside]) & set(homes[~inside])
        assert abs(inside.sum() - len(homes) / 2) < 13


@pytest.mark.parametrize("attack", ["shadow", "calibrated", "lira", "rmia", "label_only"])
@pytest.mark.parametrize("view", ["attacker", "auditor"])
def test_any_attack_in_any_view_can_be_asked(attack, view):
    many = replace(MANY, n_targets=4, attack=attack, view=view, random_state=1)
    found = mia.expose(many)
    assert found.scores.shape == (4, 200) and found.fpr <= 0.01
    assert mia.run(mia.Experiment(attack=attack, view=view, n_shadows=2, hidden=8)).report.auc > 0.5


def test_progress_rises_to_the_end_and_what_it_raises_stops_all():
    told, many = [], replace(MANY, random_state=2)
    mia.expose(many, told.append)
    assert told == sorted(told) and 0 <= told[0] < 0.6 and told[-1] == 1

    def stop(share):
        if share > 0.7:
            raise InterruptedError("newer values came")

    with pytest.raises(InterruptedError):
        mia.expose(replace(MANY, random_state=3), stop)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: replace(MANY, n_targets=3), "n_targets must be a whole number of at least 4"),
        (lambda: replace(MANY, labels="queried"), "labels must be 'true'.*got 'queried'"),
        (lambda: replace(MANY, pool="noisy"), "pool must be 'real'.*got 'noisy'"),
        (lambda: replace(MANY, attack="psychic"), "attack must be one of"),
        (lambda: mia.expose(MANY).most_exposed(201), "n must be .* at most 200, got 201"),
        (lambda: mia.expose(MANY).most_exposed(by="luck"), "by must be one of auc, .*got 'luck'"),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_an_attack_that_has_not_learned_and_a_rate_of_nothing_are_refused(targets):
    with pytest.raises(NotFittedError, match="call fit"):
        mia.measure_exposure(mia.LiRA(), targets)
    for fpr in (0, 1):
        with pytest.raises(ValueError, match=f"fpr must be .* got {fpr}"):
            mia.measure_exposure(mia.GapAttack(), targets, fpr)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_the_falsely_accused_are_always_the_same_people(seed):
    """Of 128 targets, half fix the order: the tenth bears its share of some 640 alarms on the
    other half. By chance that is 0.1, four standard errors are 0.05."""
    sentence(
        "01", "By the attack that the menu starts with they bear several times as much, and by"
    )
    sentence("01", "An auditor's attack, which has models *with* each person too, spreads its")
    many = mia.ManyTargets(hidden=32, n_targets=128, random_state=seed)
    borne = {
        attack: mia.expose(replace(many, attack=attack)).share_of_alarms[100]
        for attack in ("shadow", "calibrated", "lira")
    }
    auditor = replace(many, view="auditor", n_shadows=16, attack="lira")
    assert mia.expose(auditor).share_of_alarms[100] < borne["calibrated"] - 0.1
    assert borne["shadow"] > 0.35, "several times what chance gives"
    assert min(borne["calibrated"], borne["lira"]) > borne["shadow"] + 0.15
    assert borne["calibrated"] > 0.8, "nearly all"
