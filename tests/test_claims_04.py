"""What notebook 04 says, measured again on targets that it does not show, each with data and noise
of its own; what it quotes, with its source.

A claim is about the mean over targets. It is held against the ends of a 95 % interval of that mean
(Student's t, a degree of freedom less than there are targets); where two settings are compared, of
the mean difference or the mean ratio on the same seed. The seeds are fixed. What an explorer shows
is run with the explorer's own settings.
"""

import ast
from functools import lru_cache
from typing import NamedTuple

import course
import evidence
import numpy as np
import pytest
from course import cells, sentence
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

import miaedu as mia
from miaedu.attacks.contract import log_odds
from miaedu.explorers.attackers import numbers

SEEDS = range(6, 11)  # the notebook shows 0 to 5
MORE_SEEDS = range(100, 108)  # for what the strongest attacks say
PRIVATE = dict(epochs=60, clip=1.0)
# How far a number of the prose may be from today's: it is rounded, and another machine's BLAS may
# move single records of 500 across a threshold.
ROUNDED = 0.011


@lru_cache
def measured(**change):
    """The measures of an experiment, an array (5,) each; "leak" is the advantage of the attack of
    2017 or of the gap attack, the larger."""
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


STOPS = (1, 2, 3, 4, 6, 8, 12, 20)
CURES = {
    "plain, until epoch 20": {},
    "plain, answers labels only": dict(hide=("labels_only",)),
    "stopped at epoch 8": dict(epochs=8, snapshots=STOPS),
    "L2 of 0.03": dict(l2=0.03),
    "private, noise 2": dict(PRIVATE, noise_multiplier=2.0),
    "private, noise 4": dict(PRIVATE, noise_multiplier=4.0),
    "private, noise 8": dict(PRIVATE, noise_multiplier=8.0),
}
ATTACKERS = {
    "2017": dict(n_shadows=8),
    "calibrated": dict(n_shadows=8, attack="calibrated"),
    "auditor": dict(n_shadows=32, attack="lira", view="auditor"),
}


class Judged(NamedTuple):
    """How one attacker does against one target: on all records, and the auditor on the tenth that
    is most exposed."""

    advantage: float
    gap_advantage: float
    test_accuracy: float
    tenth: float | None


def judge(attacker, change, seed):
    e = mia.Experiment(**dict(hidden=32) | ATTACKERS[attacker] | change, random_state=seed)
    r = mia.run(e).report
    tenth = most_exposed(e, r) if e.view == "auditor" else None
    return Judged(r.advantage, r.gap_advantage, r.test_accuracy, tenth)


def most_exposed(e, report):
    """The auditor's advantage on the tenth of the records on which models with and without them
    differ most: by their own shadow models, which are drawn apart from the target."""
    world, _, shadows = course.parts_of(e)
    X, y = (np.concatenate(part) for part in zip(world.members, world.nonmembers, strict=True))
    phi = log_odds(shadows.predict_proba(X), y, shadows.classes_)
    saw = shadows.saw(X)
    inside = np.ma.masked_array(phi, ~saw)
    outside = np.ma.masked_array(phi, saw)
    spread = np.sqrt((inside.var(axis=0) + outside.var(axis=0)) / 2)
    apart = ((inside.mean(axis=0) - outside.mean(axis=0)) / spread).filled(0)
    tenth = apart >= np.quantile(apart, 0.9)
    flagged = report.scores >= report.threshold
    hits, alarms = (flagged[tenth & side].mean() for side in (report.members, ~report.members))
    return hits - alarms


SETTINGS = {"cures": CURES, "attackers": ATTACKERS, "seeds": list(MORE_SEEDS)}


@pytest.mark.evidence
def test_the_judgements_of_the_cures_are_made_again():
    found = {
        cure: {name: [judge(name, change, seed) for seed in MORE_SEEDS] for name in ATTACKERS}
        for cure, change in CURES.items()
    }
    evidence.keep("04 cures", SETTINGS, found)


@pytest.mark.slow
@pytest.mark.parametrize("attacker", ATTACKERS)
def test_the_first_judgement_of_each_cure_is_found_again(attacker):
    for cure, change in CURES.items():
        expected = evidence.kept("04 cures", SETTINGS)[cure][attacker][0]
        # five of 500 records may change sides on another machine, and one of the tenth
        found = judge(attacker, change, MORE_SEEDS[0])
        assert found[:3] == pytest.approx(expected[:3], abs=0.01), cure
        if found.tenth is not None:
            assert found.tenth == pytest.approx(expected[3], abs=0.05), cure


@lru_cache
def judged(attacker, **change):
    """How one of the ATTACKERS does against 8 targets of the notebook's kind: as it was kept, where
    the change is one of the CURES."""
    for cure, kept in evidence.kept("04 cures", SETTINGS).items():
        if change == CURES[cure]:
            return [Judged(*found) for found in kept[attacker]]
    return [judge(attacker, change, seed) for seed in MORE_SEEDS]


def advantages(attacker, **change):
    return np.array([found.advantage for found in judged(attacker, **change)])


def most_exposed_tenth(**change):
    return np.array([found.tenth for found in judged("auditor", **change)])


HIDING = {
    "top 3": (("top_k", 3),),
    "top 1": (("top_k", 1),),
    "decimals": (("rounded", 1),),
    "temperature": (("softened", 5.0),),
    "noise": (("noisy", 0.1),),
    "labels": ("labels_only",),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["top 1", "temperature", "noise", "labels"])
def test_hiding_looks_like_a_cure_to_a_naive_attacker(name):
    sentence("04", "To the naive attacker, most of these look like a cure.")
    plain = interval(measured()["advantage"])
    assert interval(measured(hide=HIDING[name])["naive_advantage"])[1] < plain[0] / 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["top 3", "top 1", "decimals", "temperature"])
def test_top_k_decimals_and_temperature_do_next_to_nothing_against_an_adaptive_one(name):
    sentence("04", "top k, decimals and temperature do next to nothing")
    low, high = interval(measured(hide=HIDING[name])["advantage"] / measured()["advantage"])
    assert low > 0.9 and high < 1.1, "less than a tenth of it"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["noise", "labels"])
def test_noise_and_labels_take_something_away_but_the_gap_attack_stays(name):
    sentence("04", "Noise and labels take something away, but as long as the label stays, the gap")
    hidden = measured(hide=HIDING[name])
    assert interval(hidden["advantage"] - measured()["advantage"])[1] < -0.02
    low, high = interval(hidden["gap_advantage"] - measured()["gap_advantage"])
    assert low > -0.05 and high < 0.05


def test_hiding_leaves_the_most_confident_class():
    sentence("04", "The most confident class stays the same: so far the customers lose nothing.")
    world = mia.split(mia.load_purchases(random_state=0), n_members=500, random_state=0)
    target = mia.MLP(hidden=32, random_state=0).fit(*world.members)
    basket = world.nonmembers[0][9:10]
    label = target.predict_proba(basket).argmax()
    for hide in (mia.top_k(3), mia.top_k(1), mia.rounded(1), mia.softened(5), mia.labels_only):
        assert mia.BlackBox(target, hide=[hide]).predict_proba(basket).argmax() == label


@lru_cache
def hidden(*hide, attack="calibrated"):
    """The Result of the hiding explorer at one of its positions."""
    settings = {"n_shadows": 4, "n_nonmembers": 1000}
    return mia.run(mia.Experiment(hidden=32, hide=hide, attack=attack, **settings))


@pytest.mark.slow
def test_what_happens_when_hiding_is_dragged():
    hot = hidden(("softened", 20.0))
    sentence(
        "04", "of 2017, not adapted*: its advantage falls from 0.48 to 0.01. The curves of those"
    )
    sentence("04", "hardly move: the calibrated attack has 0.56.")
    before, after = (hidden(*hide, attack="shadow") for hide in ((), (("softened", 20.0),)))
    found = before.naive.advantage, after.naive.advantage, hot.adaptive.advantage
    assert found == pytest.approx((0.48, 0.01, 0.56), abs=ROUNDED)
    assert abs(after.adaptive.advantage - before.adaptive.advantage) < 0.05
    assert abs(hot.adaptive.advantage - hidden().adaptive.advantage) < 0.05
    sentence(
        "04",
        "the explorer trains 4 shadow models in place of 8, and its attack of 2017 starts a little "
        "weaker: at 0.48 in place of 0.52. It asks about 1,000 non-members, so that *more numbers*",
    )
    assert "At no more than 1% false alarms among 1,000" in numbers([hidden(), before])
    eight = mia.run(mia.Experiment(hidden=32, n_shadows=8)).report
    assert eight.advantage == pytest.approx(0.52, abs=ROUNDED)
    sentence("04", "With the top 1 it has 0.60, with labels only 0.34: what the gap attack has")
    top, label = hidden(("top_k", 1)).adaptive, hidden(("top_k", 1), "labels_only").adaptive
    assert (top.advantage, label.advantage) == pytest.approx((0.60, 0.34), abs=ROUNDED)
    assert label.advantage == pytest.approx(label.gap_advantage, abs=0.01)
    sentence("04", "at 0.01 the attack of 2017 has 0.19 in place of 0.48.")
    little = hidden(("noisy", 0.01), attack="shadow").naive.advantage
    assert little == pytest.approx(0.19, abs=ROUNDED)
    assert hidden(attack="shadow").naive.advantage == pytest.approx(0.48, abs=ROUNDED)
    sentence("04", "At 0.1 the adapted calibrated attack still has 0.43, and customers have lost")
    some, much = hidden(("noisy", 0.1)).adaptive, hidden(("noisy", 0.3)).adaptive
    assert some.advantage == pytest.approx(0.43, abs=ROUNDED)
    assert some.test_accuracy > hidden().adaptive.test_accuracy - 0.02
    sentence("04", "at 0.3 it has 0.31, and customers an accuracy of 0.47 in place of 0.66")
    found = much.advantage, much.test_accuracy, hidden().adaptive.test_accuracy
    assert found == pytest.approx((0.31, 0.47, 0.66), abs=ROUNDED)


@pytest.mark.slow
def test_against_labels_alone_the_label_only_attack_beats_the_gap_attack():
    sentence("04", "So twenty labels give back a part of what the confidences would have said.")
    labels = measured(hide=("labels_only",), attack="label_only")
    assert interval(labels["advantage"] - labels["gap_advantage"])[0] > 0.04
    told = measured(attack="calibrated")["advantage"]
    assert interval(told - labels["advantage"])[0] > 0.02, "a part"


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, *SEEDS[:4]])
def test_the_commonest_score_by_labels_alone_is_that_of_easy_baskets(seed):
    sentence(
        "04",
        "The tall peak in the middle is mostly easy baskets, members and non-members alike: every "
        "shadow model is right about them too, so a right label says nothing.",
    )
    hiding = dict(hide=("labels_only",), attack="label_only")
    e = mia.Experiment(hidden=32, n_shadows=8, **hiding, random_state=seed)
    report = mia.run(e).report
    world, target, shadows = course.parts_of(e)
    X, y = (np.concatenate(part) for part in zip(world.members, world.nonmembers, strict=True))
    easy = (shadows.predict_proba(X).argmax(axis=-1) == y).all(axis=0)
    values, counts = np.unique(report.scores.round(6), return_counts=True)
    alike = report.scores.round(6) == values[counts.argmax()]
    assert 0.5 < values[counts.argmax()] < 0.6, "in the middle"
    assert easy[alike].all() and (target.predict_proba(X).argmax(axis=1) == y)[alike].all()
    peak = (report.scores > 0.525) & (report.scores < 0.575)
    assert easy[peak].mean() > 0.75 > 0.5 > easy.mean(), "mostly easy"
    assert 0.4 < report.members[peak].mean() < 0.7, "members and non-members alike"


@pytest.mark.slow
def test_a_moderate_l2_takes_about_half_of_the_advantage_and_no_accuracy():
    sentence(
        "04",
        "the model is no worse on new records, and the attack of 2017 loses about half of its "
        "advantage",
    )
    plain, moderate = measured(), measured(l2=0.03)
    low, high = interval(moderate["leak"] / plain["leak"])
    assert low > 0.35 and high < 0.65
    assert interval(moderate["test_accuracy"] - plain["test_accuracy"])[0] > -0.01


@pytest.mark.slow
def test_a_strong_l2_costs_accuracy():
    sentence("04", "Only beyond that do customers pay.")
    assert interval(measured(l2=0.1)["test_accuracy"] - measured()["test_accuracy"])[1] < -0.05


@pytest.mark.slow
def test_half_of_the_leak_comes_after_the_accuracy_has_stopped_to_rise():
    sentence(
        "04", "about half of what the attack of 2017 gains comes after that. Judged by it, this is"
    )
    early, late = measured(epochs=8, snapshots=(8, 20)), measured(epochs=20, snapshots=(8, 20))
    assert interval(early["test_accuracy"] - late["test_accuracy"])[0] > -0.02
    low, high = interval(early["leak"] / late["leak"])
    assert low > 0.4 and high < 0.65


def test_three_lines_calibrate_the_attack():
    sentence("04", "It takes three lines, the last three here")
    (cell,) = (cell for cell in cells("04", "code") if "calibrated = sure - usual" in cell.source)
    names = [line.split(" = ")[0] for line in cell.source.splitlines()[-3:]]
    assert names == ["sure", "usual", "calibrated"]
    sentence("04", "on other targets they gained more still, some seven hundredths of the AUC")
    gained = []
    for seed in (0, *MORE_SEEDS):
        world = mia.split(mia.load_purchases(random_state=seed), n_members=500, random_state=seed)
        names = {"np": np, "mia": mia, "world": world}
        exec(cell.source.replace("random_state=0", f"random_state={seed}"), names)
        aucs = [roc_auc_score(np.arange(1000) < 500, names[it]) for it in ("sure", "calibrated")]
        gained.append(aucs[1] - aucs[0])
        assert not names["others"].saw(names["X"]).any(), "learned from a record of X"
    low, high = interval(gained[1:])
    assert 0 < gained[0] < low < 0.07 < high < 0.12


@pytest.mark.slow
def test_to_the_strong_attacks_early_stopping_and_l2_are_no_cure():
    sentence("04", "Where the accuracy is best, the cure has all but vanished.")
    sentence(
        "04", "Early stopping and L2 took about half of the advantage from the attack of 2017."
    )
    sentence("04", "On more targets than these they take about a seventh from the calibrated")
    sentence("04", "from the auditor nothing that could be measured")
    sentence("04", "stopping at epoch 8 took about half of its advantage from the attack of 2017")
    for cure in (CURES["stopped at epoch 8"], CURES["L2 of 0.03"]):
        left = {name: interval(advantages(name, **cure) / advantages(name)) for name in ATTACKERS}
        assert 0.4 < left["2017"][0] < left["2017"][1] < 0.65, "about half"
        assert 0.77 < left["calibrated"][0] < left["calibrated"][1] < 0.93, "about six sevenths"
        assert left["auditor"][0] < 1 < left["auditor"][1]
        assert left["auditor"][1] - left["auditor"][0] < 0.15, "a tenth would be seen"
        accuracy = [np.mean([r.test_accuracy for r in judged("2017", **c)]) for c in (cure, {})]
        assert accuracy[0] > accuracy[1] + 0.02


@pytest.mark.slow
def test_to_the_calibrated_attack_top_k_and_temperature_do_next_to_nothing():
    sentence(
        "04",
        "To the calibrated attack, too, top k and temperature do next to nothing, and noise and "
        "labels something.",
    )
    plain = advantages("calibrated")
    for name in ("top 3", "top 1", "temperature"):
        assert interval(advantages("calibrated", hide=HIDING[name]) / plain)[0] > 0.9
    for name in ("noise", "labels"):
        assert interval(advantages("calibrated", hide=HIDING[name]) / plain)[1] < 0.9


@pytest.mark.slow
def test_the_table_to_choose_by_is_what_is_measured():
    sentence("04", "Means of eight targets that this notebook does not show.")
    (cell,) = (
        cell for cell in cells("04", "markdown") if "the most exposed tenth |" in cell.source
    )
    lines = [line.strip("|").split("|") for line in cell.source.splitlines()]
    told = {line[0].strip(): line[1:] for line in lines if line[0].strip() in CURES}
    assert set(told) == set(CURES)
    for name, change in CURES.items():
        found = [np.mean([report.test_accuracy for report in judged("2017", **change)])]
        found += [advantages(attacker, **change).mean() for attacker in ATTACKERS]
        found.append(most_exposed_tenth(**change).mean())
        assert list(map(float, told[name])) == pytest.approx(found, abs=ROUNDED), name


@pytest.mark.slow
def test_an_almost_empty_promise_leaves_less_to_every_attack_than_early_stopping_and_l2():
    sentence("04", "Noise 2 promises mu 3.9, which is next to nothing.")
    assert np.sqrt(60) / 2 == pytest.approx(3.9, abs=0.05)
    sentence("04", "it leaves less to each of these attacks than they do, most clearly so where it")
    sentence("04", "It is right as often as the target that stopped at epoch 8")
    sentence("04", "3 of 100 times less often than the one with L2")
    private, stopped, l2 = (
        CURES[name] for name in ("private, noise 2", "stopped at epoch 8", "L2 of 0.03")
    )
    for cure in (stopped, l2):
        for attacker in ATTACKERS:
            assert interval(advantages(attacker, **private) - advantages(attacker, **cure))[1] < 0
        fewer = advantages("auditor", **cure) - advantages("auditor", **private)
        on_tenth = most_exposed_tenth(**cure) - most_exposed_tenth(**private)
        assert interval(on_tenth)[0] > fewer.mean(), "most clearly so on the most exposed"
    right = {
        name: np.array([report.test_accuracy for report in judged("2017", **change)])
        for name, change in (("private", private), ("stopped", stopped), ("l2", l2))
    }
    low, high = interval(right["private"] - right["stopped"])
    assert -0.03 < low < 0 < high < 0.03
    assert np.mean(right["l2"] - right["private"]) == pytest.approx(0.03, abs=0.01)


@pytest.mark.slow
def test_the_auditor_tells_nearly_all_of_the_most_exposed_though_training_stopped_early():
    sentence(
        "04",
        "of the tenth of the records that is most exposed, the auditor still tells nearly all "
        "members from non-members",
    )
    for name in ("stopped at epoch 8", "L2 of 0.03"):
        assert interval(most_exposed_tenth(**CURES[name]))[0] > 0.85


@pytest.mark.slow
def test_early_stopping_leaves_the_most_exposed_where_they_were_and_noise_does_not():
    sentence("04", "Stopping early takes next to nothing away: whoever has models with and without")
    sentence("04", "the most exposed shoppers still tells nearly all of them.")
    sentence(
        "04", "With a little noise hardly anybody stands out any more: the tenth is told about"
    )
    found = {}
    for name in ("plain, until epoch 20", "stopped at epoch 8", "private, noise 2"):
        told = []
        for seed in range(100, 106):
            many = mia.ManyTargets(
                **dict(hidden=32, n_shadows=8) | CURES[name], n_targets=64, random_state=seed
            )
            exposure = mia.expose(many)
            tenth = [row["auc"] for row in exposure.most_exposed(100)]
            told.append((exposure.half(1).auc.mean(), np.mean(tenth)))
        found[name] = np.array(told).T
    plain, stopped, private = (tenth for _, tenth in found.values())
    assert interval(stopped)[0] > 0.97 and interval(plain - stopped)[1] < 0.02
    everybody = found["private, noise 2"][0]
    assert interval(private - everybody)[1] < 0.04, "about as surely as everybody"
    assert interval(stopped - found["stopped at epoch 8"][0])[0] > 0.07, "there they do stand out"
    assert interval(stopped - private)[0] > 0.15


# Shokri et al. 2017, Table III, purchase data: test accuracy and attack accuracy.
TABLE_III = {
    "nothing": (0.66, 0.92),
    "top 3": (0.66, 0.92),
    "top 1": (0.66, 0.89),
    "temperature 5": (0.66, 0.88),
    "label only": (0.66, 0.66),
    "weak L2": (0.68, 0.87),  # 1e-4
    "moderate L2": (0.72, 0.77),  # 1e-3
    "strong L2": (0.63, 0.53),  # 1e-2
}


def test_the_papers_numbers_are_the_papers():
    (cell,) = (cell for cell in cells("04", "code") if cell.source.startswith("paper = ["))
    rows = ast.parse(cell.source).body[0].value.elts
    quoted = {
        name.value: (test.value, attack.value) for name, test, attack, _ in (r.elts for r in rows)
    }
    assert quoted == TABLE_III
    ours = [ast.unparse(row.elts[3]) for row in rows[-3:]]
    assert ours == ["dict(l2=0.003)", "dict(l2=0.03)", "dict(l2=0.1)"]
    sentence("04", "an L2 of 1e-4, 1e-3 and 1e-2 there is rescaled to 0.003, 0.03 and 0.1 here")


@pytest.mark.slow
def test_the_pattern_of_the_paper_is_found_again():
    sentence(
        "04",
        "hiding does little until only labels are left, a moderate L2 lowers the attack, and a "
        "strong one costs accuracy",
    )
    labels = interval(measured()["leak"] - measured(hide=HIDING["labels"])["leak"])
    assert labels[0] > 0.05
    for name in ("top 3", "top 1", "temperature"):
        assert interval(measured()["leak"] - measured(hide=HIDING[name])["leak"])[1] < labels[0]
    sentence("04", "our generator was tuned so that targets come near the paper's accuracy")
    low, high = interval(measured()["test_accuracy"])
    assert 0.6 < low < high < 0.72
    sentence("04", "there are 10 classes here, 100 there")
    assert mia.Experiment().n_classes == 10


@pytest.mark.slow
def test_with_labels_and_a_strong_l2_the_attacks_agree_and_elsewhere_the_papers_is_better():
    sentence(
        "04",
        "With labels only and with a strong L2 the attacks nearly agree. In every other row the "
        "paper's is right about some ten to fifteen more of 100 records.",
    )
    here = {name: dict(hide=HIDING[name]) for name in ("top 3", "top 1")}
    here |= {"temperature 5": dict(hide=HIDING["temperature"])}
    here |= {"label only": dict(hide=HIDING["labels"]), "nothing": {}}
    here |= {"weak L2": dict(l2=0.003), "moderate L2": dict(l2=0.03), "strong L2": dict(l2=0.1)}
    assert set(here) == set(TABLE_III)
    for name, change in here.items():
        low, high = interval(TABLE_III[name][1] - (1 + measured(**change)["advantage"]) / 2)
        if name in ("label only", "strong L2"):
            assert -0.05 < low < high < 0.05, name
        else:
            assert 0.09 < low < high < 0.17, name


def test_the_accuracy_of_an_attack_follows_from_its_advantage():
    sentence("04", "which is (1 + advantage) / 2 where every second record is a member")
    report = mia.run(mia.Experiment(hidden=32, n_shadows=8)).report
    decided = (report.scores >= report.threshold) == report.members
    assert decided.mean() == pytest.approx((1 + report.advantage) / 2, abs=1e-9)


@pytest.mark.slow
def test_sixteen_answers_give_back_about_half_of_what_noise_took():
    sentence(
        "04",
        "Sixteen answers give back more than half of what the noise took from the attack of 2017, "
        "and about half of what it took from the calibrated one.",
    )
    noise = dict(hide=(("noisy", 0.3),))
    ways = {}, noise, noise | dict(n_queries=16)
    back = {}
    for attack in ("2017", "calibrated"):
        plain, once, often = (advantages(attack, **change) for change in ways)
        back[attack] = interval((often - once) / (plain - once))
    assert back["2017"][0] > 0.5
    assert 0.4 < back["calibrated"][0] < back["calibrated"][1] < 0.7


@pytest.mark.slow
def test_moderate_noise_costs_no_accuracy_and_leaves_little_to_the_attack():
    sentence("04", "Moderate noise costs nothing here")
    plain, private = measured(epochs=60, batch_size=None), measured(**PRIVATE, noise_multiplier=2.0)
    assert interval(private["test_accuracy"] - plain["test_accuracy"])[0] > -0.01
    assert interval(private["leak"] / plain["leak"])[1] < 0.4
    sentence(
        "04",
        "At noise 2 the attack of 2017 gets little, and the calibrated one less than two thirds of "
        "what it has without noise, although the promise is by then close to empty.",
    )
    assert mia.max_advantage(float(private["mu"][0])) > 0.9
    without = advantages("calibrated", epochs=60, batch_size=None)
    left = advantages("calibrated", **CURES["private, noise 2"]) / without
    assert interval(left)[1] < 2 / 3


@pytest.mark.slow
def test_near_the_bend_private_training_leaks_least_and_is_a_little_less_accurate():
    sentence(
        "04",
        "Near the bend private training leaks least, judged by either attack, with a noise whose "
        "promise is close to empty; on more targets than these it was a few hundredths less "
        "accurate there than the others.",
    )
    sentence("04", "From the left picture to the right one all three rise: the attack of 2017 saw")
    sentence("04", "the attack of 2017 saw half of the leak")
    for name in ("stopped at epoch 8", "L2 of 0.03", "private, noise 2"):
        seen = advantages("2017", **CURES[name]) / advantages("calibrated", **CURES[name])
        assert 0.4 < interval(seen)[0] < interval(seen)[1] < 0.7
    private = measured(**PRIVATE, noise_multiplier=2.0)
    lost = []
    for other in (measured(l2=0.03), measured(epochs=8, snapshots=(8, 20))):
        assert interval(private["leak"] - other["leak"])[1] < -0.03
        lost.append(other["test_accuracy"] - private["test_accuracy"])
    low, high = interval(np.mean(lost, axis=0))
    assert 0 < low and high < 0.08


@pytest.mark.slow
def test_judged_by_the_naive_attacker_noise_on_answers_would_look_like_the_best_of_all():
    sentence("04", "judged by the naive attacker, whose points are hollow, some of it would look")
    naive = measured(hide=HIDING["noise"])["naive_advantage"]
    for other in (measured(l2=0.1), measured(**PRIVATE, noise_multiplier=16.0)):
        assert interval(other["leak"] - naive)[0] > 0


@pytest.mark.slow
def test_a_strong_l2_does_no_worse_than_private_training_of_the_same_accuracy():
    sentence(
        "04",
        "a strong L2 does no worse than a private training of the same accuracy, and to the attack "
        "of 2017 it leaves even less",
    )
    beyond = {}
    for attacker in ("2017", "calibrated"):

        def leak(attacker=attacker, **change):
            found = judged(attacker, **change)
            leaks = [max(report.advantage, report.gap_advantage) for report in found]
            return np.array(leaks), np.array([report.test_accuracy for report in found])

        noises = [leak(**CURES[f"private, noise {noise}"]) for noise in (8, 4, 2)]
        # the private curve of each target, at the accuracy that L2 has there
        beyond[attacker] = [
            strong - np.interp(right, [n[1][i] for n in noises], [n[0][i] for n in noises])
            for i, (strong, right) in enumerate(zip(*leak(l2=0.1), strict=True))
        ]
    assert interval(beyond["2017"])[1] < 0
    assert interval(beyond["calibrated"])[1] < 0.02


@pytest.mark.slow
def test_strong_noise_costs_accuracy_and_the_leak_is_far_under_the_ceiling():
    sentence("04", "this much noise makes the target wrong about some 25 of 100 new records more")
    sentence(
        "04",
        "No curve comes near the ceiling, neither the attack of 2017's nor the calibrated one's, "
        "and with so much noise the gap attack does as well as they do.",
    )
    strong = measured(**PRIVATE, noise_multiplier=8.0)
    full_batch = dict(epochs=60, batch_size=None)
    right, less_often = (
        np.array([report.test_accuracy for report in judged("2017", **change)])
        for change in (full_batch, CURES["private, noise 8"])
    )
    low, high = interval(right - less_often)
    assert 0.2 < low < 0.25 < high < 0.3
    assert interval(strong["leak"])[1] < mia.max_advantage(float(strong["mu"][0])) / 2
    low, high = interval(strong["advantage"] - strong["gap_advantage"])
    assert low > -0.06 and high < 0.06, "the gap attack does as well"
    change, ceiling = CURES["private, noise 8"], mia.max_advantage(float(strong["mu"][0]))
    sentence("04", "Why is there so much room, even over the strongest attacks that we have?")
    for attacker in ("calibrated", "auditor"):
        assert interval(advantages(attacker, **change))[1] < ceiling / 2
    gap = np.array([report.gap_advantage for report in judged("calibrated", **change)])
    low, high = interval(advantages("calibrated", **change) - gap)
    assert low > -0.06 and high < 0.06


@pytest.mark.slow
def test_as_noise_vanishes_the_model_tends_to_clipped_training():
    sentence("04", "the model tends to *clipped* training, not to the plain one")
    clipped = measured(**PRIVATE)
    far, near = (measured(**PRIVATE, noise_multiplier=noise) for noise in (1.0, 0.01))
    for key in ("leak", "test_accuracy"):
        low, high = interval(near[key] - clipped[key])
        assert low > -0.04 and high < 0.04
    assert interval(far["leak"] - clipped["leak"])[1] < -0.2
    answers = {}
    for clip, noise in ((None, 0.0), (1.0, 0.0), (1.0, 1e-4)):
        e = dict(hidden=32, epochs=60, batch_size=None, clip=clip, noise_multiplier=noise)
        world = mia.split(mia.load_purchases(random_state=6), n_members=500, random_state=6)
        expected = {"expected_members": 500} if noise else {}
        network = mia.MLP(**e, **expected, random_state=6).fit(*world.members, range(10))
        answers[clip, noise] = network.predict_proba(world.nonmembers[0])
    nearly, limit, plain = answers[1.0, 1e-4], answers[1.0, 0.0], answers[None, 0.0]
    assert np.abs(nearly - limit).mean() < 0.1 * np.abs(nearly - plain).mean(), "not the plain one"


@pytest.mark.slow
def test_the_same_promise_costs_less_accuracy_with_more_records():
    assert "costs less accuracy with more records" in course_praise("04.2")
    noise = mia.noise_for(epsilon=4, delta=1e-5, steps=60)
    promised = PRIVATE | dict(noise_multiplier=noise, n_shadows=1, attack="gap")
    few, many = measured(**promised, n_members=500), measured(**promised, n_members=2000)
    assert interval(many["test_accuracy"] - few["test_accuracy"])[0] > 0.25


def course_praise(key):
    from miaedu.exercises import find

    return find(key).praise


@lru_cache
def full_batch(n_shadows=16, noise="off", attack="calibrated", **change):
    """The Result of the noise explorer, or of the control room, at one of its positions."""
    private = {} if noise == "off" else dict(clip=1.0, noise_multiplier=noise)
    settings = dict(hidden=32, batch_size=None, epochs=60, n_nonmembers=1000) | private | change
    return mia.run(mia.Experiment(**settings, n_shadows=n_shadows, attack=attack))


@pytest.mark.slow
def test_what_happens_when_the_noise_is_dragged():
    sentence("04", "At noise 1 the ceiling allows everything.")
    assert mia.max_advantage(full_batch(noise=1.0).mu) > 0.995
    sentence(
        "04",
        "It bites from noise 4 on: an advantage of at most 0.67, then 0.37 at 8 and 0.19 at 16.",
    )
    assert mia.max_advantage(full_batch(noise=2.0).mu) > 0.9
    ceilings = [mia.max_advantage(full_batch(noise=noise).mu) for noise in (4.0, 8.0, 16.0)]
    # Dong, Roth & Su 2022: 2 Phi(mu / 2) - 1, with mu = sqrt(60) / noise
    proven = [2 * norm.cdf(np.sqrt(60) / noise / 2) - 1 for noise in (4, 8, 16)]
    assert ceilings == pytest.approx(proven)
    assert proven == pytest.approx((0.67, 0.37, 0.19), abs=0.005)
    sentence("04", "The calibrated attack has 0.45 at noise 1, 0.24 at 4 and 0.08 at 16.")
    found = [full_batch(noise=noise).report.advantage for noise in (1.0, 4.0, 16.0)]
    assert found == pytest.approx((0.45, 0.24, 0.08), abs=ROUNDED)
    sentence(
        "04", "Clipping alone takes little from it: its advantage is 0.53, and 0.57 with *off*."
    )
    found = [full_batch(noise=noise).report.advantage for noise in (0.0, "off")]
    assert found == pytest.approx((0.53, 0.57), abs=ROUNDED)


@pytest.mark.slow
def test_what_happens_in_the_control_room():
    kept = {"snapshots": (5, 10, 20, 30, 40, 60), "n_shadows": 8}
    plain = {epochs: full_batch(epochs=epochs, **kept).report for epochs in kept["snapshots"]}
    sentence("04", "Epoch 20: the accuracy is 0.69, at epoch 30 0.68.")
    sentence("04", "The attack of 2017 has an advantage of 0.29, where 60 epochs end at 0.57;")
    sentence("04", "the calibrated attack has 0.47, where they end at 0.60")
    of_2017 = {
        epochs: full_batch(epochs=epochs, attack="shadow", **kept).report for epochs in (20, 60)
    }
    accuracies = plain[20].test_accuracy, plain[30].test_accuracy
    assert accuracies == pytest.approx((0.69, 0.68), abs=ROUNDED)
    found = [kind[epochs].advantage for kind in (of_2017, plain) for epochs in (20, 60)]
    assert found == pytest.approx([0.29, 0.57, 0.47, 0.60], abs=ROUNDED)
    assert max(report.test_accuracy for report in plain.values()) < plain[20].test_accuracy + 0.01
    sentence("04", "leaves the attack of 2017 with 0.37 and the calibrated one with 0.36.")
    label, label_2017 = (
        full_batch(hide=("labels_only",), attack=attack, **kept).adaptive.advantage
        for attack in ("calibrated", "shadow")
    )
    assert (label_2017, label) == pytest.approx((0.37, 0.36), abs=ROUNDED)
    sentence("04", "Stopping at epoch 20 takes more from the first, and less from the second.")
    assert of_2017[20].advantage < label_2017 and plain[20].advantage > label
    private = {epochs: full_batch(noise=4.0, epochs=epochs, **kept) for epochs in kept["snapshots"]}
    sentence("04", "mu grows from 0.56 to 1.94, and the accuracy from 0.15 to 0.61.")
    ends = private[5], private[60]
    assert [result.mu for result in ends] == pytest.approx([np.sqrt(5) / 4, np.sqrt(60) / 4])
    assert [result.mu for result in ends] == pytest.approx([0.56, 1.94], abs=0.005)
    accuracies = [result.report.test_accuracy for result in ends]
    assert accuracies == pytest.approx([0.15, 0.61], abs=ROUNDED)
    sentence("04", "The calibrated attack ends at 0.22.")
    assert private[60].report.advantage == pytest.approx(0.22, abs=ROUNDED)
    sentence("04", "the calibrated attack goes from 0.09 to 0.25, under a ceiling of 0.67")
    few, many = (full_batch(noise=4.0, **kept | {"n_shadows": count}) for count in (1, 32))
    found = few.report.advantage, many.report.advantage, mia.max_advantage(many.mu)
    assert found == pytest.approx((0.09, 0.25, 0.67), abs=ROUNDED)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 4))
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

    sentence(
        "04", "its lower bound on mu holds with 95 % probability, and if it exceeds the promise"
    )
    honest = found(4.0)
    # Honest noise may break its bound in 5 of 100 audits at most; these seeds are fixed.
    assert honest.level == 0.95
    assert honest.mu <= honest.promised == pytest.approx(np.sqrt(15) / 4)
    assert found(1.0).mu > 2 * honest.promised
    assert np.sqrt(15) / 4 == pytest.approx(np.sqrt(60) / 8), "a small model of the same promise"


def test_averaging_noisy_answers_needs_an_epsilon_that_promises_nothing():
    sentence("04", "By the time the average says something, the epsilon spent promises nothing.")
    sentence("04", "A single answer is useless to the customers too.")
    errors, single = [], []
    for seed in SEEDS:
        rng = np.random.default_rng(100 + seed)
        sent = np.repeat(rng.dirichlet(np.ones(10), 1), 1000, axis=0)
        noisy = mia.noisy(epsilon=1.0, random_state=seed)(sent)
        errors.append(np.abs(noisy.mean(axis=0) - sent[0]).mean())
        single.append(np.abs(noisy - sent).mean())
    # Laplace noise of scale 2 has variance 8, so a mean of 1,000 is off by sqrt(8 / 1000) sqrt(2 /
    # pi) = .071; a single answer by its scale.
    low, high = interval(np.array(errors))
    assert low < np.sqrt(8 / 1000) * np.sqrt(2 / np.pi) < high
    assert np.mean(single) == pytest.approx(2, abs=0.05)
    assert mia.max_advantage(epsilon=100, delta=0) > 0.999


# What is quoted and not measured here: the sentence, and where it comes from.
SOURCES = {
    "> hits ≤ e^epsilon × false alarms + delta,": (
        "Dwork et al. 2006; as a test between two worlds: Wasserman & Zhou 2010, Kairouz, Oh & "
        "Viswanath 2015"
    ),
    "delta is a small allowance, below 1 divided by the number of records": (
        "TensorFlow Privacy's guide"
    ),
    "the best attack does as well as somebody who must tell a bell curve around 0 from the same "
    "curve around mu": "Dong, Roth & Su 2022, definition 4",
    "> mu = √T / noise_multiplier": "Dong, Roth & Su 2022, corollary 2: composition of T steps",
    "| each record by a coin of its own (what we do) | mu |": "add or remove one: sensitivity clip",
    "| a split of fixed size: if you are out, somebody else is in | 2 mu |": (
        "replace one: sensitivity twice the clip"
    ),
    "| g records by one coin, such as a household | g mu |": "Dong, Roth & Su 2022: groups",
    "against somebody who knows all other records and sees the noisy sum of every step": (
        "the mechanism whose composition is counted releases every noisy sum"
    ),
    "the promise is about decisions pooled over targets": (
        "membership by an independent fair coin a record: the ceiling holds for decisions pooled "
        "over records and targets at thresholds fixed without the target's membership"
    ),
    "Ponomareva et al. (2023) sort what is in use: epsilon up to 1 is a strong promise, up to 10 a "
    "reasonable one.": "Ponomareva et al. 2023, How to DP-fy ML, tiers 1 and 2",
    "models trained so resist the attacks that are known in practice (Lowy et al. 2024)": (
        "Lowy et al. 2024: formal guarantees from epsilon 7 on are near vacuous as bounds on "
        "membership inference, and resist known attacks"
    ),
    "an answer with Laplace noise of scale 2 / epsilon is epsilon-differentially private": (
        "Dwork et al. 2006: scale is sensitivity / epsilon; a vector that sums to 1 moves by 2"
    ),
    "a toy set, as later authors say (Carlini et al. 2022)": (
        "Carlini et al. 2022 on Purchase and Texas"
    ),
    "This is the label-only attack of Choquette-Choo et al. (2021).": "ICML 2021",
    "which can leak more than the epsilon that is quoted for them (Chua et al. 2024)": (
        "Chua et al., ICML 2024"
    ),
    "Shokri et al. tried the same countermeasures in 2017": "Shokri et al. 2017, section VIII",
    "[arXiv 2010.12112](https://arxiv.org/abs/2010.12112): how epsilon bounds the advantage": (
        "Humphries et al."
    ),
    "[arXiv 2403.17673](https://arxiv.org/abs/2403.17673): shuffled batches": "Chua et al. 2024",
    "Aerni, Zhang and Tramèr (2024) found the same on other data: none of five published "
    "countermeasures beat private training that was tuned for accuracy.": (
        "Aerni, Zhang & Tramèr, ACM CCS 2024: five case studies, none beats high-utility DP-SGD"
    ),
    "Aerni, Zhang, Tramèr: ACM CCS 2024, [arXiv 2404.17399](https://arxiv.org/abs/2404.17399)": (
        "the paper"
    ),
    "[**Calibration**](00_start_here.ipynb#calibration) (Watson et al. 2022) is to ask them.": (
        "Watson et al. 2022, section 3: difficulty calibration"
    ),
    "Watson et al.: ICLR 2022, [arXiv 2111.08440](https://arxiv.org/abs/2111.08440)": "the paper",
    "uses LiRA (Carlini et al. 2022): how do models with this record answer, and how do models "
    "without it?": "Carlini et al. 2022, section V",
    "Carlini et al.: IEEE S&P 2022, [arXiv 2112.03570](https://arxiv.org/abs/2112.03570): LiRA": (
        "the paper"
    ),
    "[arXiv 2302.07956](https://arxiv.org/abs/2302.07956): audits that find bugs": (
        "Nasr et al. 2023"
    ),
    "[arXiv 1610.05820](https://arxiv.org/abs/1610.05820), Table III": "Shokri et al. 2017",
    "Ponomareva et al.: *How to DP-fy ML*, JAIR 2023": "JAIR 2023",
}


@pytest.mark.parametrize("text", SOURCES)
def test_what_is_quoted_stands_as_its_source_has_it(text):
    sentence("04", text)


def test_the_quoted_theory_is_what_the_module_computes():
    for mu in (0.5, 1.0, 2.0):
        fpr = np.array([0.001, 0.1, 0.5])
        assert mia.roc_ceiling(fpr, mu) == pytest.approx(norm.sf(norm.isf(fpr), loc=mu))
    # T sums, each with its own noise: the record moves the total by T clips, the noise by sqrt(T)
    total = np.random.default_rng(0).normal(scale=8.0, size=(20000, 60)).sum(axis=1)
    noise_per_mu = 60 / total.std()
    assert noise_per_mu == pytest.approx(np.sqrt(60) / 8, rel=0.03)
    sentence("04", "an epsilon of 8 is close to empty as a proof against membership inference")
    assert mia.max_advantage(epsilon=8, delta=1e-5) > 0.999
