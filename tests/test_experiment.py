"""`run` as a pure function of an Experiment, its stages and their cache."""

import gc
import subprocess
import sys
import threading
import tracemalloc
from collections import Counter
from dataclasses import asdict, fields, replace
from math import inf, sqrt
from types import SimpleNamespace

import numpy as np
import pytest
from course import parts_of
from dp_accounting import GaussianDpEvent, SelfComposedDpEvent
from dp_accounting.pld import PLDAccountant
from hypothesis import given
from hypothesis import strategies as st

import miaedu as mia
from miaedu import Experiment, experiment, lockstep
from miaedu import cache as stages_kept
from miaedu.hiding import by_name

TINY = Experiment(n_members=60, n_items=50, hidden=8, epochs=6, n_shadows=2)
PRIVATE = replace(TINY, clip=1.0, noise_multiplier=2.0)
NOISY = replace(TINY, hide=(("noisy", 0.1), ("top_k", 2)))


@pytest.fixture(autouse=True)
def cache(monkeypatch):
    """A cache of one's own, empty at the start of each test."""
    fresh = stages_kept.Cache(stages_kept.LIMIT)
    monkeypatch.setattr(stages_kept, "cache", fresh)
    return fresh


def cold(e, **options):
    """What `run` gives when nothing is in the cache."""
    stages_kept.cache.kept.clear()
    stages_kept.cache.bytes = 0
    return mia.run(e, **options)


def bits(result):
    """All that an experiment found."""
    said = [result.n_queries]
    for report in (result.naive, result.adaptive):
        said += [report.name, report.threshold]
        said += [part.tobytes() for part in (report.scores, report.members, report.y, report.right)]
    return said


@pytest.fixture
def trained(monkeypatch):
    """The number of copies in each call of the training loop."""
    calls, plain = [], lockstep.train

    def counted(X1, codes, c, rows, *rest):
        calls.append(len(rows))
        return plain(X1, codes, c, rows, *rest)

    monkeypatch.setattr(lockstep, "train", counted)
    return calls


# A pure function


@pytest.mark.parametrize(
    "e",
    [
        TINY,
        PRIVATE,
        NOISY,
        replace(NOISY, attack="label_only"),
        replace(TINY, attack="gap", data="digits"),
        replace(TINY, labels="queried", attack="threshold"),
        replace(PRIVATE, data="clinic"),
        replace(NOISY, pool="uniform"),
        replace(TINY, pool="noisy", data="digits"),
        replace(TINY, pool="marginals", data="tumours"),
    ],
    ids=repr,
)
def test_the_same_experiment_gives_the_same_bits_from_an_empty_a_full_and_a_crowded_cache(e):
    first = bits(cold(e))
    assert bits(mia.run(e)) == first
    for other in (replace(e, random_state=1), replace(e, l2=0.01), replace(e, n_shadows=3)):
        assert bits(mia.run(other))[0] == first[0]
    assert bits(mia.run(e)) == first
    assert bits(cold(e)) == first


@pytest.mark.parametrize("view", experiment.CHOICES["view"])
@pytest.mark.parametrize("attack", experiment.CHOICES["attack"])
def test_every_attack_of_the_registry_runs_in_both_views_and_is_kept(attack, view, trained):
    e = replace(TINY, attack=attack, view=view, n_shadows=8)
    first = bits(mia.run(e))
    trained.clear()
    assert bits(mia.run(e)) == first and trained == []


def test_another_process_finds_the_same():
    code = f"import miaedu as mia; print({TINY.code}.adaptive.scores.tobytes().hex())"
    assert (
        subprocess.check_output([sys.executable, "-c", code], text=True).strip()
        == bits(mia.run(TINY))[-4].hex()
    )


def test_nothing_but_the_experiment_decides_and_nothing_else_is_touched():
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    first = bits(cold(NOISY))
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    np.random.seed(2)
    assert bits(cold(NOISY)) == first


# Every setting matters here: the labels are asked of the target, and both sides draw noise.
ASKED = replace(PRIVATE, labels="queried", hide=(("noisy", 0.1),))
OTHERWISE = {
    "data": "digits",
    "n_classes": 5,
    "n_items": 60,
    "n_members": 70,
    "n_nonmembers": 90,
    "hidden": 9,
    "epochs": 7,
    "learning_rate": 0.02,
    "l2": 0.1,
    "batch_size": 16,
    "clip": 0.1,
    "noise_multiplier": 3.0,
    "snapshots": (2, 4),
    "hide": (("top_k", 1),),
    "view": "auditor",
    "n_shadows": 3,
    "pool": "uniform",
    "labels": "queried",
    "attack": "threshold",
    "n_queries": 3,
    "random_state": 1,
}


def changed(e, field):
    """`e` with another value of this field, and without what that value does not go with."""
    settings = {field: OTHERWISE[field]}
    if getattr(e, field) == OTHERWISE[field]:
        settings = {field: "true"}
    if field == "view":
        settings |= {"labels": "true", "pool": "real"}
    if field == "batch_size":
        settings |= {"clip": None, "noise_multiplier": 0.0}
    return replace(e, **settings)


def test_every_field_is_tried():
    assert set(OTHERWISE) == {field.name for field in fields(Experiment)}


@pytest.mark.parametrize("field", sorted(set(OTHERWISE) - {"snapshots", "noise_multiplier"}))
def test_each_field_counts(field):
    assert bits(mia.run(changed(TINY, field))) != bits(mia.run(TINY))


@pytest.mark.parametrize("field", OTHERWISE)
@pytest.mark.parametrize(
    "e",
    [
        TINY,
        ASKED,
        replace(ASKED, epochs=3, snapshots=(2, 3, 4, 7)),
        pytest.param(
            replace(ASKED, pool="synthesized", n_classes=2, hide=(("rounded", 2),)),
            marks=pytest.mark.slow,
        ),
        replace(TINY, pool="marginals"),
        replace(ASKED, n_queries=4),
    ],
    ids=["plain", "asked and noisy", "epochs kept", "synthesized", "marginals", "asked often"],
)
def test_a_run_beside_kept_stages_finds_what_a_run_without_any_does(e, field):
    # A field that is missing from a stage's key shows here: the other value's stage is taken.
    other = changed(e, field) if (e.clip or field != "noise_multiplier") else PRIVATE
    mia.run(e)
    hot = bits(mia.run(other))
    assert hot == bits(cold(other))
    assert bits(mia.run(e)) == bits(cold(e))


def test_what_the_promise_rests_on_reaches_the_training_loop(monkeypatch):
    trainings, plain = [], lockstep.train

    def noted(X1, codes, c, rows, seeds, net, *rest):
        trainings.append((c, [len(r) for r in rows], list(seeds), net))
        return plain(X1, codes, c, rows, seeds, net, *rest)

    monkeypatch.setattr(lockstep, "train", noted)
    members = set()
    for seed in range(5):
        trainings.clear()
        mia.run(replace(PRIVATE, random_state=seed))
        for c, _, _, net in trainings:
            assert (net.clip, net.noise_multiplier, net.epochs) == (1.0, 2.0, 6)
            assert net.step_size() is None, "full batches"
            assert net.expected_members == 60 and c == 10, "public, whatever the coins said"
        (_, sizes, target, _), (_, _, shadows, _) = trainings
        assert len({*target, *shadows}) == 3, "the noise of each model is its own"
        members.update(sizes)
    assert len(members) > 1, "the coins never differed: nothing was tested"


@pytest.mark.parametrize("seed", range(5))
def test_owner_and_attacker_draw_their_noise_apart(monkeypatch, seed):
    drawn = []

    def noted(hide, random_state=None):
        functions = by_name(hide, random_state)
        if random_state is not None:
            drawn.append(functions[0](np.zeros((100, 3))).ravel())
        return by_name(hide, random_state)

    monkeypatch.setattr(experiment, "by_name", noted)
    mia.run(replace(ASKED, random_state=seed))
    assert len(drawn) == 3, "the owner's for the labels and for the attack, and the attacker's"
    # 3.5 standard errors of a correlation of 300 independent pairs
    assert np.abs(np.corrcoef(drawn)[np.triu_indices(3, 1)]).max() < 0.2


@pytest.mark.parametrize("data", experiment.CHOICES["data"])
@pytest.mark.parametrize("clip", [None, 1.0], ids=["split", "coin"])
def test_the_parts_of_every_world_share_no_record(data, clip):
    world, _, _ = parts_of(replace(TINY, data=data, clip=clip, epochs=1))

    def contents(X, y):
        return Counter((row.tobytes(), int(label)) for row, label in zip(X, y))

    dealt = contents(*world.members) + contents(*world.nonmembers) + contents(*world.pool)
    records = mia.load_purchases(10, 240, 50, experiment.seeds_of(0).data)
    whole = records if data == "purchases" else getattr(mia, f"load_{data}")()
    assert dealt.total() >= 240 and dealt <= contents(whole.X, whole.y)


def test_noise_and_its_amount_count_too():
    assert (
        len({bits(mia.run(replace(PRIVATE, noise_multiplier=z)))[3] for z in (0.0, 1.0, 2.0)}) == 3
    )


@pytest.mark.parametrize("hide", [(), (("noisy", 0.1),)], ids=["nothing hidden", "noise"])
def test_who_asks_often_pays_for_each_answer_and_the_naive_attacker_asks_once(hide, trained):
    once = mia.run(replace(TINY, hide=hide))
    trained.clear()
    often = mia.run(replace(TINY, hide=hide, n_queries=5))
    assert trained == [], "no network depends on how often it will be asked"
    assert once.n_queries == 120 and often.n_queries == 5 * 120
    # the first of the five answers is the one that the naive attacker has read
    np.testing.assert_array_equal(often.naive.scores, once.naive.scores)
    if hide:
        assert not np.array_equal(often.adaptive.scores, once.adaptive.scores)
    else:  # the same answer again; products of a taller matrix may round another way
        np.testing.assert_allclose(often.adaptive.scores, once.adaptive.scores, atol=1e-5)


def test_a_result_says_what_was_run_and_what_it_promises():
    result = mia.run(PRIVATE)
    assert result.experiment is PRIVATE and result.report is result.adaptive
    assert result.mu == pytest.approx(sqrt(6) / 2)
    accountant = PLDAccountant(value_discretization_interval=1e-3)
    accountant.compose(SelfComposedDpEvent(GaussianDpEvent(2.0), 6))
    assert result.epsilon(1e-3) == pytest.approx(accountant.get_epsilon(1e-3), rel=0.01)
    for e in (TINY, replace(TINY, clip=1.0)):
        assert mia.run(e).mu == mia.run(e).epsilon() == inf
    half = mia.run(replace(PRIVATE, epochs=3, snapshots=(3, 6)))
    assert half.mu == pytest.approx(sqrt(3) / 2), "only the steps that were taken cost anything"


def test_without_hiding_the_two_attackers_are_one_who_asks_once():
    for attack, asked in (("shadow", 120), ("gap", 120), ("label_only", 20 * 120)):
        result = mia.run(replace(TINY, attack=attack))
        np.testing.assert_array_equal(result.naive.scores, result.adaptive.scores)
        assert result.n_queries == asked, (
            f"{attack}: each record once, and for label_only twenty times"
        )


def test_labels_that_are_asked_for_are_counted_and_are_the_targets_own():
    plain, asked = mia.run(TINY), mia.run(replace(TINY, labels="queried"))
    assert asked.n_queries == plain.n_queries + 120  # twice as many records in the pool as members
    world, target, shadows = parts_of(replace(TINY, labels="queried"))
    np.testing.assert_array_equal(shadows.y, target.predict(world.pool[0]))
    assert (shadows.y != world.pool[1]).any(), (
        "the target is right about everybody: nothing was tested"
    )
    np.testing.assert_array_equal(parts_of(TINY)[2].y, world.pool[1])


POOLS = [
    pytest.param(pool, data, id=f"{pool}, {data}")
    for pool in experiment.CHOICES["pool"]
    for data in experiment.CHOICES["data"]
    if pool != "another shop" or data == "purchases"
]


@pytest.mark.parametrize("pool, data", POOLS)
def test_every_pool_has_records_of_the_format_labelled_by_the_target_unless_they_are_real(
    pool, data
):
    e = replace(TINY, pool=pool, data=data)
    world, target, shadows = parts_of(e)
    X, y = world.pool
    assert shadows.X.shape[1] == X.shape[1]
    assert len(shadows.X) == 120 or pool == "synthesized" and 4 <= len(shadows.X) < 120
    if pool in ("real", "noisy"):
        np.testing.assert_array_equal(shadows.y, y)
    else:
        np.testing.assert_array_equal(shadows.y, target.predict(shadows.X))
    whole = getattr(mia, f"load_{data}")().X
    assert (shadows.X >= whole.min(axis=0).min()).all() and (shadows.X <= whole.max()).all()
    if data == "purchases":
        assert np.isin(shadows.X, (0, 1)).all()
    assert (pool == "real") == np.array_equal(shadows.X, X)


@pytest.mark.parametrize("labels", experiment.CHOICES["labels"])
@pytest.mark.parametrize("pool", experiment.CHOICES["pool"])
@pytest.mark.parametrize("hide", [(), (("rounded", 1),)], ids=["open", "rounded"])
def test_every_query_that_a_pool_has_cost_is_counted(pool, labels, hide, monkeypatch):
    doors = []

    class Counted(mia.BlackBox):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            doors.append(self)

    monkeypatch.setattr(experiment, "BlackBox", Counted)
    result = mia.run(replace(TINY, n_classes=2, pool=pool, labels=labels, hide=hide))
    assert result.n_queries == sum(door.n_queries for door in doors)
    asked = result.n_queries - 120  # about members and non-members
    free = pool in ("real", "noisy") and labels == "true"
    assert asked > 120 if pool == "synthesized" else asked == (0 if free else 120)


def test_each_pool_is_what_it_is_called():
    worlds = {
        pool: parts_of(replace(TINY, n_members=500, pool=pool))
        for pool in ("noisy", "marginals", "another shop", "uniform")
    }
    real = worlds["noisy"][0].pool[0]
    made = {pool: shadows.X for pool, (_, _, shadows) in worlds.items()}
    # 50,000 coins of 1 in 10
    assert np.mean(made["noisy"] != real) == pytest.approx(0.1, abs=0.006)
    assert np.mean(made["uniform"]) == pytest.approx(0.5, abs=0.01)
    sold = {pool: X.mean(axis=0) for pool, X in made.items()} | {"real": real.mean(axis=0)}
    assert np.corrcoef(sold["real"], sold["marginals"])[0, 1] > 0.95
    assert abs(np.corrcoef(sold["real"], sold["another shop"])[0, 1]) < 0.6


def test_who_synthesizes_sees_only_what_the_owner_lets_out():
    plain, hidden = (
        mia.run(replace(TINY, pool="synthesized", hide=hide)).n_queries
        for hide in ((), ("labels_only",))
    )
    # answers of 0 and 1 give no slope to climb, and the first 1 is taken
    assert hidden != plain


@pytest.mark.parametrize("settings", [{}, {"data": "digits"}, {"data": "clinic"}])
def test_with_a_clip_a_coin_decides_on_each_record(settings):
    e = replace(TINY, epochs=1, **settings)
    plain = mia.run(e).report.members
    # households stay together, so not exactly 60
    assert abs(plain.sum() - 60) <= 5 and abs(len(plain) - 120) <= 10
    drawn = [mia.run(replace(e, clip=1.0, random_state=seed)).report.members for seed in range(20)]
    assert {len(members) for members in drawn} == {120}
    counts = np.array([members.sum() for members in drawn])
    assert len(set(counts.tolist())) > 5
    # A sum of 2,400 fair coins; and its spread over 20 draws, known to a factor of about 1 + 3 /
    # sqrt(40).
    assert abs(counts.sum() - 1200) < 4 * sqrt(2400) / 2
    assert 0.5 * sqrt(120) / 2 < counts.std(ddof=1) < 1.6 * sqrt(120) / 2


@pytest.mark.parametrize("clip", [None, 1.0], ids=["split", "coin"])
def test_further_non_members_are_asked_about_and_change_nobody_else(clip, trained):
    few = replace(TINY, clip=clip, attack="threshold", n_members=200)
    first, world = mia.run(few), parts_of(few)[0]
    trained.clear()
    more = mia.run(replace(few, n_nonmembers=1000))
    assert trained == [], "the same target and the same shadow models"
    n, n_in = len(first.report.y), len(world.members[1])
    assert n == 400 and more.n_queries == len(more.report.y) == n_in + 1000
    assert more.report.members.sum() == n_in and more.report.members[:n_in].all()
    assert more.report.threshold == first.report.threshold
    # products of a taller matrix may round another way
    np.testing.assert_allclose(more.report.scores[:n], first.report.scores, atol=1e-6)
    assert more.report.tpr_at(0.01) > 0 and np.isnan(first.report.tpr_at(0.01))


def test_further_non_members_are_other_shoppers_of_the_same_shop():
    e = replace(TINY, n_members=500, epochs=30)
    ours = mia.run(replace(e, n_nonmembers=3000)).report
    dealt, further = ours.right[500:1000], ours.right[1000:]
    # the target knows them as well as it knows those that were dealt: a difference of two shares of
    # 500 and 2,000, at 4 standard errors
    p = ours.right[500:].mean()
    assert abs(dealt.mean() - further.mean()) < 4 * sqrt(p * (1 - p) * (1 / 500 + 1 / 2000))
    assert 0.3 < p < 0.9 and ours.right[:500].mean() > p + 0.1
    seeds = experiment.seeds_of(0)
    shop = mia.load_purchases(10, 2000, 50, seeds.data)
    others = mia.load_purchases(10, 2000, 50, seeds.data, shoppers=seeds.further)
    contents = [{row.tobytes() for row in data.X} for data in (shop, others)]
    assert len(contents[0] & contents[1]) < 100, "hardly any basket is another's"


def test_the_auditors_shadow_models_learn_from_halves_of_the_very_records_in_question():
    world, _, shadows = parts_of(replace(TINY, data="digits", view="auditor"))
    records = np.concatenate([world.members[0], world.nonmembers[0]])
    np.testing.assert_array_equal(shadows.X, records)
    assert (shadows.members.sum(axis=1) == 60).all(), "as many as the target learned from"
    _, _, elsewhere = parts_of(replace(TINY, data="digits"))
    assert not elsewhere.saw(records).any() and shadows.saw(records).any(axis=0).mean() > 0.6


def homes_of(X):
    """The household of each record of X, by its content alone: no two share one."""
    clinic = mia.load_clinic()
    home = dict(zip(map(bytes, clinic.X), clinic.groups.tolist()))
    return np.array([home[bytes(record)] for record in X])


@pytest.mark.parametrize("view", ["attacker", "auditor"])
def test_households_are_together_in_or_out_of_each_shadow_model(view):
    e = replace(TINY, data="clinic", view=view, n_members=300, epochs=1, n_shadows=4)
    world, _, shadows = parts_of(e)
    homes = homes_of(shadows.X)
    assert len(set(homes)) < 0.7 * len(homes), "many people have relatives here"
    for inside in shadows.members:
        assert not set(homes[inside]) & set(homes[~inside])
        assert abs(inside.sum() - len(homes) / 2) < 13, "half of them, to within a household"
    _, _, by_record = parts_of(replace(e, clip=1.0))
    homes = homes_of(by_record.X)
    assert set(homes[by_record.members[0]]) & set(homes[~by_record.members[0]])


def test_records_of_a_household_are_drawn_apart_where_the_promise_is_for_one_record():
    # Under one coin a household of three would have three times the mu that the words promise.
    data = mia.load_clinic()
    home = {}
    for record, group in zip(data.X, data.groups):
        home.setdefault(record.tobytes(), set()).add(int(group))
    alone = {key: next(iter(groups)) for key, groups in home.items() if len(groups) == 1}
    world = parts_of(replace(PRIVATE, data="clinic", n_members=1000, epochs=1))[0]
    inside, outside = (
        {alone.get(x.tobytes()) for x in part[0]} - {None}
        for part in (world.members, world.nonmembers)
    )
    assert len(inside & outside) > 20


# Stages and their cache


def test_moving_what_comes_after_training_trains_no_network(trained):
    mia.run(TINY)
    assert trained == [1, 2]
    for change in (
        {"hide": (("top_k", 1),)},
        {"hide": ("labels_only",)},
        {"hide": (("noisy", 0.1), ("rounded", 1))},
        {"attack": "threshold"},
        {"attack": "gap"},
        {"attack": "label_only"},
    ):
        mia.run(replace(TINY, **change))
    assert trained == [1, 2]


@pytest.mark.parametrize(
    "change, expected",
    [
        ({"n_shadows": 3}, [3]),
        ({"labels": "queried"}, [2]),
        ({"pool": "noisy"}, [2]),
        ({"pool": "synthesized"}, [2]),
        ({"random_state": 1}, [1, 2]),
        ({"l2": 0.1}, [1, 2]),
        ({"hidden": 9}, [1, 2]),
        ({"clip": 1.0}, [1, 2]),
        ({"epochs": 7}, [1, 2]),
    ],
)
def test_what_a_change_concerns_is_trained_again_and_nothing_else(trained, change, expected):
    mia.run(TINY)
    trained.clear()
    mia.run(replace(TINY, **change))
    assert trained == expected


@pytest.mark.parametrize(
    "e",
    [TINY, PRIVATE, replace(TINY, attack="label_only"), replace(TINY, hide=(("rounded", 1),))],
    ids=repr,
)
def test_moving_epochs_among_snapshots_trains_nothing_and_finds_what_a_run_without_them_finds(
    trained, e
):
    served = {
        epoch: bits(mia.run(replace(e, epochs=epoch, snapshots=(1, 3, 6)))) for epoch in (6, 1, 3)
    }
    assert trained == [1, 2]
    for epoch, found in served.items():
        assert bits(cold(replace(e, epochs=epoch))) == found
    assert len({repr(found) for found in served.values()}) == 3


@pytest.mark.parametrize("e", [TINY, replace(ASKED, epochs=3)], ids=["plain", "asked and noisy"])
def test_snapshots_change_nothing_but_what_a_later_move_costs(e):
    assert bits(mia.run(replace(e, snapshots=(2, 4, 6)))) == bits(cold(e))


def test_two_noises_in_one_experiment_are_drawn_apart():
    nothing = np.zeros((50, 3))
    first, second = (step(nothing) for step in by_name((("noisy", 1.0), ("noisy", 1.0)), 7))
    # 3.6 standard errors of 150 independent pairs
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.3


def test_a_stage_sees_the_fields_that_decide_it_and_no_others(cache):
    seen = []

    def peek(fields):
        seen.append(vars(fields).copy())
        return fields.hidden

    with pytest.raises(AttributeError, match="hidden"):
        stages_kept.stage(TINY, peek, ("epochs", "l2"))()
    assert seen == [{"epochs": 6, "l2": 0.0}] and not cache.kept


def test_a_stage_runs_once_for_equal_fields_whatever_the_others_say(cache):
    runs = []

    def work(fields):
        runs.append(fields.l2)
        return np.zeros(10)

    for e in (TINY, replace(TINY, epochs=7), replace(TINY, l2=0.5), TINY):
        stages_kept.stage(e, work, ("l2",))()
    assert runs == [0.0, 0.5]


def test_the_cache_drops_what_was_longest_unused_and_keeps_within_its_bytes():
    small = stages_kept.Cache(1000)
    made = []

    def ask(key, size):
        return small.get(key, lambda: made.append(key) or np.zeros(size, np.int8))

    for key in "abc":
        ask(key, 300)
    ask("a", 300)
    ask("d", 300)  # b has to go
    assert set(small.kept) == set("acd") and small.bytes == 900
    ask("b", 300)
    assert made == list("abcdb") and set(small.kept) == set("adb")
    assert ask("giant", 1001).nbytes == 1001 and "giant" not in small.kept and small.bytes == 900
    ask("whole", 1000)
    assert set(small.kept) == {"whole"} and small.bytes == 1000


@pytest.mark.parametrize("attack", ["lira", "rmia"])
def test_an_attack_whose_parts_point_back_to_it_is_kept_and_counted_once(cache, attack):
    """The modes of LiRA and RMIA know the attack that they are modes of."""
    told = SimpleNamespace(array=np.zeros(1000, np.int8), again=None)
    told.again = [told, told.array]
    cache.get("loop", lambda: told)
    assert cache.bytes == 1000
    e = replace(TINY, attack=attack, view="auditor")
    assert bits(mia.run(e)) == bits(mia.run(e)) == bits(cold(e))


def test_however_many_experiments_are_run_the_cache_stays_within_its_bytes(monkeypatch):
    small = stages_kept.Cache(200_000)
    monkeypatch.setattr(stages_kept, "cache", small)
    for seed in range(10):
        mia.run(replace(TINY, random_state=seed))
        assert 0 < small.bytes <= small.limit
        assert small.bytes == sum(size for _, size in small.kept.values())
    assert len(small.kept) < 40, "nothing was ever dropped: nothing was tested"


@pytest.mark.parametrize("data, n_members", [("purchases", 200), ("census", 100)])
def test_the_bytes_that_are_counted_are_the_bytes_that_are_held(monkeypatch, data, n_members):
    small = stages_kept.Cache(4_000_000)
    monkeypatch.setattr(stages_kept, "cache", small)
    e = Experiment(data=data, n_members=n_members, hidden=8, epochs=1, n_shadows=2, attack="gap")
    mia.run(e)  # what the loaders keep for everybody is not the cache's
    tracemalloc.start()
    try:
        for seed in range(1, 9):
            mia.run(replace(e, random_state=seed))
        gc.collect()
        held = tracemalloc.get_traced_memory()[0]
        small.kept.clear()
        gc.collect()
        held -= tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    # A tenth for the objects around the arrays: they are small here, the objects are not.
    assert held <= 1.1 * small.bytes + 100_000, (
        f"{held / 1e6:.1f} MB are held, {small.bytes / 1e6:.1f} MB were counted"
    )


def test_many_threads_find_what_one_finds_and_leave_the_cache_in_order(cache):
    variants = [
        TINY,
        replace(TINY, l2=0.1),
        replace(TINY, hide=(("top_k", 1),)),
        replace(TINY, random_state=1),
    ]
    alone = [bits(cold(e)) for e in variants]
    stages_kept.cache.kept.clear()
    stages_kept.cache.bytes = 0
    cache.limit, found = 100_000, [None] * 16

    def work(i):
        found[i] = bits(mia.run(variants[i % 4]))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == alone * 4
    assert cache.bytes == sum(size for _, size in cache.kept.values()) <= cache.limit


class Stop(Exception):
    pass


def stages(cache):
    return [key[0] for key in cache.kept]


def test_a_run_that_is_stopped_keeps_finished_stages_and_nothing_half_done(cache, trained):
    expected = bits(cold(TINY))
    stages_kept.cache.kept.clear()
    cache.bytes = 0
    trained.clear()

    def stop(share):
        raise Stop

    with pytest.raises(Stop):
        mia.run(TINY, stop)
    assert stages(cache) == ["load", "deal"] and trained == [1]

    def stop_at_shadows(share):
        if len(trained) == 3:
            raise Stop

    with pytest.raises(Stop):
        mia.run(TINY, stop_at_shadows)
    assert sorted(stages(cache)) == ["deal", "load", "train_target"] and trained == [1, 1, 2]
    assert bits(mia.run(TINY)) == expected and trained == [1, 1, 2, 2]


def test_progress_is_told_in_the_callers_thread_from_0_to_1(trained):
    told = []
    mia.run(replace(TINY, epochs=300), lambda share: told.append((share, threading.get_ident())))
    shares, threads = zip(*told)
    assert set(threads) == {threading.get_ident()} and min(shares) >= 0 and max(shares) == 1
    told.clear()
    mia.run(replace(TINY, epochs=300, hide=("labels_only",)), lambda share: told.append(share))
    assert not told, "nothing is trained, so there is nothing to tell"


# The experiment itself


settings = st.fixed_dictionaries(
    {},
    optional={
        "data": st.sampled_from(experiment.CHOICES["data"]),
        "n_classes": st.integers(2, 100),
        "n_items": st.integers(10, 600),
        "n_members": st.integers(2, 2000),
        "hidden": st.integers(1, 300),
        "epochs": st.integers(30, 60),
        "learning_rate": st.floats(1e-6, 1),
        "l2": st.floats(0, 1),
        "batch_size": st.sampled_from(["auto", None]),
        "clip": st.none() | st.floats(1e-3, 1e3),
        "snapshots": st.lists(st.integers(1, 30), max_size=3).map(tuple),
        "hide": st.lists(
            st.sampled_from(
                [
                    ("top_k", 3),
                    ("rounded", 2),
                    ("softened", 0.1),
                    ("noisy", 1e-7),
                    "labels_only",
                    ("labels_only",),
                ]
            ),
            max_size=3,
        ).map(tuple),
        "n_shadows": st.integers(1, 99),
        "labels": st.sampled_from(experiment.CHOICES["labels"]),
        "pool": st.sampled_from(["real", "noisy", "marginals", "synthesized", "uniform"]),
        "attack": st.sampled_from(experiment.CHOICES["attack"]),
        "n_queries": st.integers(1, 99),
        "random_state": st.integers(0, 2**32),
    },
)


@given(settings, st.floats(0, 1e3))
def test_what_an_experiment_is_shown_as_is_code_that_makes_it_again(chosen, noise_multiplier):
    if chosen.get("clip") is not None:
        chosen["noise_multiplier"] = noise_multiplier
    if chosen.get("attack") in ("gap", "label_only"):
        chosen["n_queries"] = 1
    e = Experiment(**chosen)
    again = eval(repr(e), {"Experiment": Experiment})
    assert again == e and hash(again) == hash(e)
    noted = SimpleNamespace(run=lambda e: ("run", e), Experiment=Experiment)
    assert eval(e.code, {"mia": noted}) == ("run", e)


def test_the_code_that_is_shown_runs_and_names_only_what_differs():
    e = replace(TINY, epochs=2, hide=(("top_k", 3), "labels_only"))
    assert repr(Experiment()) == "Experiment()"
    e_gap = Experiment(l2=0.1, attack="gap")
    assert repr(e_gap) == "Experiment(l2=0.1, attack='gap')"
    assert e_gap.code == "mia.run(mia.Experiment(l2=0.1, attack='gap'))"
    assert bits(eval(e.code, {"mia": mia})) == bits(mia.run(e))


def test_an_experiment_stays_as_it_was():
    with pytest.raises(AttributeError):
        TINY.epochs = 7
    assert {type(value) for value in asdict(Experiment()).values()} <= {
        str,
        int,
        float,
        tuple,
        type(None),
    }


@pytest.mark.parametrize(
    "wrong, message",
    [
        (dict(hide=(("top", 3),)), "hide must name functions among top_k, .*got 'top'"),
        (dict(hide=("noise",)), "hide must name functions .*got 'noise'"),
        (dict(hide="labels_only"), "hide must .*got 'l"),
        (dict(hide=(3,)), "hide must .*got 3"),
        (dict(hide=((),)), r"hide must .*got \(\)"),
        (dict(hide=("top_k",)), "hide must .*top_k"),
        (dict(hide=(("top_k", 3, 4),)), "hide must .*top_k"),
        (dict(hide=(("labels_only", 3),)), "hide must .*labels_only"),
        (dict(hide=(("rounded", -1),)), "decimals must be .*at least 0, got -1"),
        (dict(hide=(("noisy", -1.0),)), "scale must .*got -1.0"),
        (dict(random_state=None), "random_state must .*got None"),
        (dict(random_state=-1), "random_state must .*got -1"),
        (dict(random_state=1.5), "random_state must .*got 1.5"),
        (dict(n_members=1), "n_members must be .*at least 2, got 1"),
        (dict(n_members=50.0), "n_members must be a whole number.*got 50.0"),
        (dict(n_nonmembers=499), "n_nonmembers must be .*at least 500, got 499"),
        (dict(n_nonmembers=1e3), "n_nonmembers must be a whole number.*got 1000.0"),
        (dict(n_nonmembers=500, data="digits"), "n_nonmembers must be None with data 'digits'"),
        (dict(n_nonmembers=500, view="auditor"), "n_nonmembers must be None .*the auditor's view"),
        (dict(n_queries=0), "n_queries must be .*at least 1, got 0"),
        (dict(n_queries=2.0), "n_queries must be a whole number.*got 2.0"),
        (dict(n_queries=2, attack="gap"), "n_queries must be 1 with the attack 'gap', got 2"),
        (dict(n_queries=9, attack="label_only"), "n_queries must be 1 .*'label_only', got 9"),
        (dict(n_shadows=0), "n_shadows must be .*at least 1, got 0"),
        (dict(n_classes=True), "n_classes must .*got True"),
        (dict(n_classes=1), "n_classes must be .*at least 2, got 1"),
        (dict(attack="LiRA"), "attack must be one of shadow, .*got 'LiRA'"),
        (dict(data="mnist"), "data must be one of .*got 'mnist'"),
        (dict(view="owner"), "view must be one of attacker, auditor, got 'owner'"),
        (dict(view="auditor", labels="queried"), "labels must be 'true' in the auditor's view"),
        (dict(pool="none"), "pool must be one of real, .*got 'none'"),
        (dict(view="auditor", pool="noisy"), "pool must be 'real' in the auditor's view, got 'noi"),
        (dict(data="digits", pool="another shop"), "pool must not be 'another shop' with data 'di"),
        (dict(labels=None), "labels must be one of true, queried, got None"),
        (dict(l2=-1e-9), "l2 must be .*at least 0, got -1e-09"),
        (dict(clip=1.0, batch_size=50), "batch_size must .*got 50"),
        (dict(snapshots=(0,)), "snapshots must be epochs from 1 to 20, got 0"),
    ],
)
def test_names_and_numbers_that_are_not_allowed_are_refused_at_once(wrong, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        Experiment(**wrong)


def test_more_records_than_there_are_is_refused_when_they_are_dealt():
    with pytest.raises(ValueError, match=r"n_members .*at most 569.*got 400 \+ 400"):
        mia.run(Experiment("tumours", n_members=400))


@pytest.mark.parametrize(
    "listed",
    [dict(hide=["labels_only"]), dict(hide=(["top_k", 3],)), dict(snapshots=[2, 4])],
    ids=repr,
)
def test_a_list_in_place_of_a_tuple_works_or_is_refused_by_its_name(listed):
    name = next(iter(listed))
    try:
        result = mia.run(replace(TINY, **listed))
    except (TypeError, ValueError) as error:
        assert str(error).startswith(f"{name} must")
    else:
        tuples = {
            name: tuple(
                step if isinstance(step, (int, str)) else tuple(step) for step in listed[name]
            )
        }
        assert bits(result) == bits(cold(replace(TINY, **tuples)))
