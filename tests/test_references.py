"""The attacks that ask what other models say of the same record: CalibratedAttack, LiRA, RMIA."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import roc_auc_score
from test_attacks import MadeUp, Oracle, made_up, numbers

import miaedu as mia
from miaedu.attacks import Answers, best_threshold
from miaedu.attacks.contract import log_odds, strict_threshold
from miaedu.attacks.references import of_all, of_the_others


def answering(phi):
    """Confidences (..., 2) of two classes whose log odds of class 1 are phi (...)."""
    p = 1 / (1 + np.exp(-np.asarray(phi, float)))
    return np.stack([1 - p, p], axis=-1)


def those_who_say(phi, members):
    """Shadow models whose log odds of each record's true class, 1, are phi (K, n)."""
    members = np.asarray(members, bool)
    return MadeUp(answering(phi), members, np.ones(members.shape[1], int), [0, 1])


def bells(K=12, n=40, shift=2.0, seed=0):
    """Log odds (K + 1, n) of K shadows and a target: normal around a mean of each record's own,
    which rises by `shift` in; and who was in."""
    rng = np.random.default_rng(seed)
    members = rng.random((K + 1, n)) < 0.5
    phi = rng.normal(rng.normal(0, 2, n), rng.uniform(0.5, 1.5, n), (K + 1, n))
    return phi + shift * members, members


# The statistic


def test_log_odds_by_hand():
    confidences = np.array([[0.8, 0.1, 0.1], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]])
    found = log_odds(confidences, np.array([0, 0, 0]), np.arange(3))
    np.testing.assert_allclose(found, [np.log(4), np.log(1 / 3), -8 * np.log(10)])
    # a class that has no column has nothing, and all the others have all
    assert log_odds(confidences[:1], np.array([9]), np.arange(3))[0] == pytest.approx(
        -8 * np.log(10)
    )


def test_log_odds_tell_answers_apart_that_round_to_one_in_float32():
    others = np.array([1.4e-8, 1e-8, 6e-9], np.float32)
    confidences = np.column_stack([np.float32(1) - 2 * others, others, others])
    assert (confidences[:, 0] == 1).all(), "this does not test what it should"
    found = log_odds(confidences, np.zeros(3, int), np.arange(3))
    np.testing.assert_allclose(found, -np.log(2 * others.astype(float)), rtol=1e-6)


@pytest.mark.parametrize("row", [[0, 0, 0], [1, 0, 0], [-0.3, 1.2, 0.1], [0, -1, -1], [2, -1, 0]])
def test_log_odds_of_hidden_answers_are_finite_and_bounded(row):
    confidences = np.array([row], np.float32)
    for label in range(3):
        value = log_odds(confidences, np.array([label]), np.arange(3))[0]
        assert abs(value) <= 8 * np.log(10) + np.log(3)


# The references


def test_references_are_the_others_without_the_record_and_never_oneself():
    phi, members = bells()
    reference, pooled = of_the_others(phi, ~members)
    for k in range(len(phi)):
        others = [j for j in range(len(phi)) if j != k]
        scatters, degrees, all_values = 0, 0, []
        for i in range(phi.shape[1]):
            values = [phi[j, i] for j in others if not members[j, i]]
            assert reference.count[k, i] == len(values)
            if values:
                assert reference.mean[k, i] == pytest.approx(np.mean(values))
            all_values += values
            if len(values) > 1:
                scatters += np.var(values, ddof=1) * (len(values) - 1)
                degrees += len(values) - 1
        for i in range(phi.shape[1]):
            values = [phi[j, i] for j in others if not members[j, i]]
            own = np.var(values) * len(values) if values else 0
            expected = (own + 4 * scatters / degrees) / (max(len(values) - 1, 0) + 4)
            assert reference.spread[k, i] ** 2 == pytest.approx(expected)
            if not values:
                assert reference.mean[k, i] == pytest.approx(np.mean(all_values))


@pytest.mark.parametrize("K", [1, 2, 3, 12])
def test_a_models_own_membership_and_answers_leave_its_reference_as_it_is(K):
    phi, members = bells(K - 1)
    before = of_the_others(phi, ~members)[0]
    rng = np.random.default_rng(1)
    for k in range(K):
        shuffled, moved = members.copy(), phi.copy()
        shuffled[k] = rng.permutation(members[k])
        if K > 1:
            moved[k] += rng.normal(size=phi.shape[1])
        after = of_the_others(moved, ~shuffled)[0]
        for part, same in zip(before, after):
            np.testing.assert_allclose(part[k], same[k], atol=1e-9)


def test_a_target_is_compared_with_all_models_that_are_marked():
    phi, members = bells(3)
    reference, pooled = of_the_others(phi, ~members)
    found = of_all(phi[1:], ~members[1:], pooled)
    # what a model that holds no value of its own would be compared with
    np.testing.assert_allclose(found.mean[found.count > 0], reference.mean[0][found.count > 0])
    assert of_all(phi, np.zeros_like(members), pooled).mean == pytest.approx(pooled.mean)


# LiRA, from the formulas


def transcribed_lira(phi, k, i, told, saw, online):
    """Carlini et al. 2022, algorithm 1, or IV-D offline, of the value phi of model k, record i."""
    sides = {}
    for side in (True, False) if online else (False,):
        spreads, degrees = 0.0, 0
        for record in range(told.shape[1]):
            values = [
                told[j, record] for j in range(len(told)) if j != k and saw[j, record] == side
            ]
            if len(values) > 1:
                spreads += np.sum((np.array(values) - np.mean(values)) ** 2)
                degrees += len(values) - 1
        values = [told[j, i] for j in range(len(told)) if j != k and saw[j, i] == side]
        around = np.sum((np.array(values) - np.mean(values)) ** 2)
        variance = (around + 4 * spreads / degrees) / (len(values) - 1 + 4)
        sides[side] = norm(np.mean(values), variance**0.5)
    if online:
        return sides[True].logpdf(phi) - sides[False].logpdf(phi)
    return norm.ppf(sides[False].cdf(phi))


@pytest.mark.parametrize("online", [True, False])
def test_lira_is_the_formula_of_its_authors_with_the_spread_drawn_to_that_of_all(online):
    phi, members = bells(16, 12, shift=1.0)
    told, saw = phi[:-1], members[:-1]
    if not online:
        saw = saw.copy()
        saw[1:, 3] = False  # one record that only one model has seen: all are judged offline
        saw[0, 3] = True
    attack = mia.LiRA().fit(those_who_say(told, saw))
    mode = "online" if online else "offline"
    answers = Answers(Oracle(answering(phi[-1]), [0, 1]), numbers(12), np.ones(12, int))
    assert attack.facing(answers).mode == mode
    found = attack.score_answers(answers)
    # of the shadows, each compared with the others
    by_hand = [
        [transcribed_lira(told[k, i], k, i, told, saw, online) for i in range(12)]
        for k in range(16)
    ]
    centre = best_threshold(np.ravel(by_hand), saw.ravel())
    assert attack.modes_[mode].centre_ == pytest.approx(centre, abs=1e-4)
    assert attack.threshold_ == 0
    expected = np.array(
        [transcribed_lira(phi[-1, i], None, i, told, saw, online) for i in range(12)]
    )
    # The target is drawn towards the mean of the sixteen pooled variances, not towards that of all
    # shadows: they differ by a few per cent, and carry a fifth of the weight.
    np.testing.assert_allclose(found, expected - centre, rtol=0.03, atol=0.05)


def test_one_call_of_lira_or_rmia_is_judged_in_one_mode():
    phi, members = bells(8, 30)
    members[:2], members[2:4] = True, False
    members[:, 7] = False  # nobody saw record 7
    shadows = those_who_say(phi[:-1], members[:-1])
    for kind in (mia.LiRA, mia.RMIA):
        attack, target = kind().fit(shadows), Oracle(answering(phi[-1]), [0, 1])
        seen = Answers(target, np.delete(numbers(30), 7, axis=0), np.ones(29, int))
        all_of_them = Answers(target, numbers(30), np.ones(30, int))
        assert attack.facing(seen).mode == "online"
        assert attack.facing(all_of_them).mode == "offline"
        np.testing.assert_array_equal(
            attack.score_answers(all_of_them), attack.modes_["offline"].score_answers(all_of_them)
        )


# RMIA, from the formulas


@pytest.mark.parametrize("online", [True, False])
def test_rmia_ranks_as_the_share_of_population_records_that_a_record_beats(online):
    phi, members = bells(10, 60, shift=1.5)
    members[:2], members[2:4] = True, False
    if not online:
        members[:, 0] = False
    p, saw = answering(phi)[..., 1], members[:-1]
    attack = mia.RMIA().fit(those_who_say(phi[:-1], saw))
    target = Oracle(answering(phi[-1]), [0, 1])
    found = attack.score(target, numbers(60), np.ones(60, int))
    ratio = np.empty(60)
    for i in range(60):
        mean_out = np.mean([p[j, i] for j in range(10) if not saw[j, i]])
        if online:
            general = (np.mean([p[j, i] for j in range(10) if saw[j, i]]) + mean_out) / 2
        else:
            general = 0.5 * ((1 + attack.a_) * mean_out + (1 - attack.a_))
        ratio[i] = p[-1, i] / general
    np.testing.assert_allclose(np.diff(found), np.diff(np.log(ratio)), atol=1e-5)
    # The authors' score, with all records as the population: where it tells two records apart, so
    # does the ratio, in the same way.
    share = (ratio[:, None] / ratio > 1).mean(axis=1)
    order = np.argsort(found)
    assert (np.diff(share[order]) >= 0).all()


def test_rmia_chooses_a_on_the_shadows_alone():
    phi, members = bells(10, 200)
    members[3:6, ::2], members[6:9, 1::2] = False, False  # references for every record
    attack = mia.RMIA().fit(those_who_say(phi[:-1], members[:-1]))
    aucs = {}
    for a in np.linspace(0, 1, 11):
        by_model = []
        for k in range(4):
            p = answering(phi[:-1])[..., 1]
            mean = [
                np.mean([p[j, i] for j in range(10) if j != k and not members[j, i]])
                for i in range(200)
            ]
            ratio = p[k] / (0.5 * ((1 + a) * np.array(mean) + 1 - a))
            by_model.append(roc_auc_score(members[k], ratio))
        aucs[round(float(a), 1)] = np.mean(by_model)
    assert aucs[round(attack.a_, 1)] == pytest.approx(max(aucs.values()), abs=1e-6)


# Calibration


def easy_and_hard(K=16, n=300, seed=0):
    """Members are a little surer than others, but records differ by far more: what Shokri's attack
    cannot see."""
    rng = np.random.default_rng(seed)
    members = rng.random((K + 1, n)) < 0.5
    return rng.normal(0, 4, n) + rng.normal(0, 0.5, (K + 1, n)) + 1.5 * members, members


@pytest.mark.parametrize("kind", [mia.CalibratedAttack, mia.LiRA, mia.RMIA])
def test_who_asks_other_models_tells_members_from_records_that_are_easy_for_every_model(kind):
    phi, members = easy_and_hard()
    shadows = those_who_say(phi[:-1], members[:-1])
    target = Oracle(answering(phi[-1]), [0, 1]), numbers(300), np.ones(300, int)
    plain = roc_auc_score(members[-1], mia.ShadowAttack().fit(shadows).score(*target))
    # The difference of 1.5 against noise of .5, each known to some .5 / sqrt(8): Phi(1.5 / .5 /
    # sqrt(2)) = .98 for who knows the records' means. Both ends of RMIA's ratio are flat.
    told = roc_auc_score(members[-1], kind().fit(shadows).score(*target))
    assert plain < 0.65 and told > (0.75 if kind is mia.RMIA else 0.93)


def test_without_another_model_the_calibrated_attack_is_shokris():
    shadows, target = made_up(K=1), Oracle(made_up(seed=3).confidences[0], range(3))
    scores = [
        kind().fit(shadows).score(target, numbers(90), shadows.y)
        for kind in (mia.CalibratedAttack, mia.ShadowAttack)
    ]
    np.testing.assert_allclose(*scores, atol=1e-7)


@pytest.mark.parametrize("kind", [mia.CalibratedAttack, mia.LiRA, mia.RMIA])
@pytest.mark.parametrize("K", [1, 2, 3])
def test_the_fewest_models_will_do(kind, K):
    shadows = made_up(K=K, n=300)
    answers = made_up(n=300, seed=9)
    target = Oracle(answers.confidences[0], range(3))
    scores = kind().fit(shadows).score(target, numbers(300), shadows.y)
    assert np.isfinite(scores).all() and roc_auc_score(answers.members[0], scores) > 0.6


@pytest.mark.parametrize("kind", [mia.CalibratedAttack, mia.LiRA, mia.RMIA])
def test_a_records_score_does_not_depend_on_the_records_beside_it(kind):
    shadows = made_up(K=8)
    attack, target = kind().fit(shadows), Oracle(made_up(seed=3).confidences[0], range(3))
    together = attack.score(target, numbers(90), shadows.y)
    order = np.random.default_rng(0).permutation(90)
    some = order[:20]
    for rows in (order, some):
        alone = attack.score(target, numbers(90)[rows], shadows.y[rows])
        np.testing.assert_allclose(alone, together[rows], atol=1e-9)


# The threshold for few false alarms


@given(
    st.lists(st.integers(0, 6).map(float), min_size=1, max_size=40),
    st.floats(0, 1) | st.sampled_from([0.01, 0.1, 0.5]),
)
def test_the_strict_threshold_is_the_lowest_that_keeps_to_the_rate(scores, fpr):
    scores = np.sort(scores)
    found = strict_threshold(scores, fpr)
    assert (scores >= found).mean() <= fpr + 1e-9
    lower = [t for t in scores if t < found]
    if lower:
        assert (scores >= max(lower)).mean() > fpr


@pytest.mark.parametrize("name", mia.attacks.ATTACKS)
def test_every_attack_has_a_threshold_for_few_false_alarms(name):
    attack = mia.attacks.ATTACKS[name]().fit(made_up(K=8, n=300))
    strict = [attack.threshold_at(fpr) for fpr in (0, 0.01, 0.2, 0.9)]
    assert strict == sorted(strict, reverse=True)
    with pytest.raises(ValueError, match="fpr must be a number of at least 0 and at most 1, got 2"):
        attack.threshold_at(2)


def test_a_strict_threshold_keeps_its_rate_on_another_draw():
    phi, members = bells(60, 500)
    attack = mia.LiRA().fit(those_who_say(phi[:40], members[:40]))
    alarms, asked = 0, 0
    for k in range(41, 61):
        target = Oracle(answering(phi[k]), [0, 1])
        answers = Answers(target, numbers(500), np.ones(500, int))
        judge = attack.facing(answers)
        scores = judge.score_answers(answers)[~members[k]]
        alarms, asked = alarms + (scores >= judge.threshold_at(0.05)).sum(), asked + len(scores)
    # some 5,000 answers: one standard error of a share of .05 is .003
    assert abs(alarms / asked - 0.05) < 4 * (0.05 * 0.95 / asked) ** 0.5


def test_answers_of_the_shadows_are_asked_for_once_by_all_attacks():
    shadows, asked = made_up(), []

    class Counting(SimpleNamespace):
        def predict_proba(self, X):
            asked.append(len(X))
            return shadows.predict_proba(X)

        def saw(self, X):
            return shadows.saw(X)

    counting = Counting(**vars(shadows))
    attacks = {kind.__name__: kind().fit(counting) for kind in (mia.CalibratedAttack, mia.LiRA)}
    answers = Answers(Oracle(shadows.confidences[0], range(3)), numbers(90), shadows.y)
    for attack in attacks.values():
        attack.score_answers(answers)
    assert asked == [90]


@pytest.mark.parametrize("kind", [mia.CalibratedAttack, mia.LiRA, mia.RMIA, mia.LabelOnlyAttack])
def test_scoring_twice_gives_the_same_scores_though_shadows_answer_with_noise(kind):
    shadows = made_up(K=6)
    hide = [mia.noisy(0.2, random_state=0)]
    attack = kind().fit(shadows, hide)
    target = Oracle(made_up(seed=3).confidences[0], range(3)), numbers(90), shadows.y
    np.testing.assert_array_equal(attack.score(*target), attack.score(*target))
    naive = kind().fit(shadows).score(*target)
    assert not np.array_equal(naive, attack.score(*target))
