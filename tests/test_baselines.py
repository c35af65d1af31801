"""The untouched run and the blind baseline: at chance in a sound evaluation, and not in a broken
one."""

import re

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import miaedu as mia
from miaedu.baselines import blind_scores, both_sides, untouched_scores
from miaedu.dataset import Groups


def shop(seed, n_members=150):
    data = mia.load_purchases(n_records=4 * n_members, n_items=60, random_state=seed)
    return mia.split(data, n_members=n_members, duplicates="allow", random_state=seed)


def network(seed=None):
    return mia.MLP(hidden=16, epochs=10, random_state=seed)


def shadows_of(X, y, seed, n_models=4):
    return mia.ShadowModels(network(), n_models, random_state=seed).fit(X, y, classes=range(10))


def auc_error(n):
    """The standard error of an AUC of n against n records drawn alike (Mann & Whitney 1947)."""
    return ((2 * n + 1) / (12 * n * n)) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize("view", ["attacker", "auditor"])
@pytest.mark.parametrize("kind", [mia.ShadowAttack, mia.CalibratedAttack, mia.LiRA])
def test_both_are_at_chance_in_sound_evaluations(kind, view):
    untouched, blind = [], []
    for seed in range(20):
        world = shop(seed)
        X, y, members = both_sides(world)
        pool = world.pool if view == "attacker" else (X, y)
        attack = kind().fit(shadows_of(*pool, seed + 100))
        untouched.append(roc_auc_score(members, untouched_scores(attack, world)))
        blind.append(roc_auc_score(*blind_scores(world)[::-1]))
    for name, aucs in {"untouched run": untouched, "blind baseline": blind}.items():
        assert name and abs(np.mean(aucs) - 0.5) < 3 * auc_error(150) / 20**0.5


def test_the_model_in_the_targets_place_has_no_part_in_the_attack():
    world, fitted_with = shop(0), []

    class Watching(mia.ThresholdAttack):
        def fit(self, shadows, hide=()):
            fitted_with.append(shadows)
            return super().fit(shadows, hide)

    shadows = shadows_of(*world.pool, 0, n_models=3)
    scores = untouched_scores(Watching().fit(shadows), world)
    assert [len(each.members) for each in fitted_with] == [3, 2]
    X, y, _ = both_sides(world)
    left_out = shadows.networks[2].predict_proba(X)[np.arange(len(y)), y]
    np.testing.assert_allclose(scores, left_out, atol=1e-6)
    np.testing.assert_array_equal(fitted_with[1].members, shadows.members[:2])
    np.testing.assert_allclose(
        fitted_with[1].predict_proba(X), shadows.predict_proba(X)[:2], atol=1e-6
    )


def test_an_attack_without_a_shadow_to_spare_is_not_run():
    world = shop(0)
    assert untouched_scores(mia.GapAttack(), world) is None
    alone = mia.ThresholdAttack().fit(shadows_of(*world.pool, 0, n_models=1))
    assert untouched_scores(alone, world) is None
    api = mia.BlackBox(network(0).fit(*world.members))
    text = str(mia.evaluate(alone, api, world))
    assert re.search("untouched run's AUC +- +not run", text)


def test_the_blind_baseline_is_computed_once_a_world(monkeypatch):
    world = shop(3)
    first = blind_scores(world)
    monkeypatch.setattr("miaedu.baselines._blind_scores", lambda *_: pytest.fail("again"))
    assert blind_scores(world) is first


def test_the_blind_baseline_reads_labels_too():
    rng, y = np.random.default_rng(0), np.repeat([0, 1], 100)
    X = rng.normal(size=(200, 3)).astype(np.float32)
    world = mia.World((X[:100], y[:100]), (X[100:], y[100:]), (X, y), classes=np.arange(2))
    assert roc_auc_score(*blind_scores(world)[::-1]) > 0.99


def families(seed, n=120, size=3):
    """A World of random families whose members are as like as twins, and the same without groups:
    nothing but the relatives tells on which side one is."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(2 * n, 5)).repeat(size, axis=0)
    X = (X + rng.normal(scale=0.01, size=X.shape)).astype(np.float32)
    y, home, half = np.tile([0, 1], n * size), np.arange(2 * n).repeat(size), n * size
    sides = [(X[:half], y[:half]), (X[half:], y[half:])]
    groups = Groups(home[:half], home[half:], home[:0])
    return tuple(
        mia.World(*sides, (X[:0], y[:0]), np.arange(2), each) for each in (groups, Groups())
    )


@pytest.mark.slow
def test_relatives_do_not_tell_the_blind_baseline_on_which_side_one_is():
    kept, parted = (
        [roc_auc_score(*blind_scores(world)[::-1]) for world in worlds]
        for worlds in zip(*map(families, range(8)))
    )
    # 120 against 120 families decide, eight times
    assert abs(np.mean(kept) - 0.5) < 4 * auc_error(120) / 8**0.5
    assert min(parted) > 0.9, "a fold that parts a family finds what is not there"


def test_too_few_families_are_not_judged():
    few, many = families(0, n=9), families(0, n=10)
    assert blind_scores(few[0]) is None and blind_scores(few[1]) is not None
    assert blind_scores(many[0]) is not None


@pytest.mark.slow
def test_both_are_at_chance_where_households_were_dealt():
    untouched, blind = [], []
    for seed in range(20):
        world = mia.split(mia.load_clinic(), n_members=300, random_state=seed)
        shadows = mia.ShadowModels(network(), 4, random_state=seed + 100)
        shadows.fit(*world.pool, classes=world.classes, groups=world.groups.pool)
        scores = untouched_scores(mia.CalibratedAttack().fit(shadows), world)
        untouched.append(roc_auc_score(both_sides(world)[2], scores))
        blind.append(roc_auc_score(*blind_scores(world)[::-1]))
    # some 100 households a side, of three people each, decide about the blind baseline
    assert abs(np.mean(blind) - 0.5) < 3 * auc_error(100) / 20**0.5
    assert abs(np.mean(untouched) - 0.5) < 3 * auc_error(100) / 20**0.5


# The broken evaluations of the exercises


def test_non_members_from_another_season_are_found_by_both():
    """Exercise 02.3: non-members from another distribution."""
    world = shop(0)
    other = mia.load_purchases(n_records=150, n_items=60, random_state=77)
    late = mia.World(world.members, (other.X, other.y), world.pool, world.classes)
    attack = mia.ShadowAttack().fit(shadows_of(*world.pool, 0))
    members = both_sides(late)[2]
    far = 0.5 + 4 * auc_error(150)
    assert roc_auc_score(*blind_scores(late)[::-1]) > far
    assert roc_auc_score(members, untouched_scores(attack, late)) > far


def test_the_colleagues_own_records_are_found_by_the_blind_baseline():
    """Exercise 02.3, as the notebook has it: every fifth item is missing from the non-members. The
    untouched run sees less of it, since its shadow model is hardly less sure of such baskets."""
    shoppers = mia.load_purchases(n_classes=10, n_records=2000, random_state=0)
    world = mia.split(shoppers, n_members=500, random_state=0)
    X, y = world.nonmembers
    shortened = X.copy()
    shortened[:, ::5] = 0
    late = mia.World(world.members, (shortened, y), world.pool, world.classes)
    assert roc_auc_score(*blind_scores(late)[::-1]) > 0.9
    attack = mia.ThresholdAttack().fit(
        mia.ShadowModels(mia.MLP(), 2, random_state=1).fit(*world.pool)
    )
    found = roc_auc_score(both_sides(late)[2], untouched_scores(attack, late))
    assert found > roc_auc_score(both_sides(world)[2], untouched_scores(attack, world)) + 0.03


def test_shadow_models_with_the_targets_own_members_are_found_by_the_untouched_run():
    """Exercise 03.5: every shadow model learned from the target's members."""
    world = shop(0)
    X, y, members = both_sides(world)
    shadows = shadows_of(X, y, 0)
    shadows.members = np.tile(members, (4, 1))
    shadows.networks = network(0).fit_many(X, y, shadows.members, classes=range(10))
    shadows.confidences = shadows.networks.predict_proba(X)
    found = untouched_scores(mia.ThresholdAttack().fit(shadows), world)
    assert roc_auc_score(members, found) > 0.5 + 4 * auc_error(150)
    # the records themselves are as they should be, and a classifier that asks no target sees that
    assert abs(roc_auc_score(*blind_scores(world)[::-1]) - 0.5) < 3 * auc_error(150)


def test_lines_that_were_chosen_on_the_answers_are_found_by_neither():
    """Exercise 03.4: one line a class, the best on the very records it is judged by. An AUC has no
    line, so that neither number sees it; shuffled membership before the whole procedure does."""
    world = shop(0)
    X, y, members = both_sides(world)
    target = network(0).fit(*world.members, classes=range(10))
    sure = target.predict_proba(X)[np.arange(300), y]

    def advantage_of_chosen_lines(members):
        flagged = np.zeros(300, bool)
        for label in np.unique(y):
            of_class = y == label
            lines = [
                (sure[of_class & members] >= at).mean() - (sure[of_class & ~members] >= at).mean()
                for at in sure[of_class]
                if (of_class & members).any() and (of_class & ~members).any()
            ]
            if lines:
                flagged[of_class] = sure[of_class] >= sure[of_class][np.argmax(lines)]
        return flagged[members].mean() - flagged[~members].mean()

    attack = mia.ThresholdAttack().fit(shadows_of(*world.pool, 0))
    for scores, who in ((untouched_scores(attack, world), members), blind_scores(world)):
        assert abs(roc_auc_score(who, scores) - 0.5) < 3 * auc_error(150)
    rng = np.random.default_rng(0)
    shuffled = [advantage_of_chosen_lines(rng.permutation(members)) for _ in range(20)]
    assert min(shuffled) > 0.1, "where there is nothing to find, it finds something every time"
