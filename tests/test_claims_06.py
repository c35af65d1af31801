"""What notebook 06 says: of the course's frozen results, again on seeds that are not in their file;
and of the paper, from the transcription.

The mean over draws is held against the ends of a 95 % interval (Student's t); where two rows are
compared, that of the mean difference or ratio on the same seed.
"""

import re
from dataclasses import replace
from functools import lru_cache

import course
import evidence
import numpy as np
import pytest
from course import cells, one_line, sentence
from sklearn.metrics import precision_score

import miaedu as mia
from miaedu import reproduce as made
from miaedu.cache import more_room

SHOPS = [f"purchases, {c} classes" for c in (2, 10, 20, 50, 100)]
SEEDS = range(200, 205)  # those of the file are 100 to 109
AGAIN = {part: list(made.PARTS[part].rows) for part in ("table-2", "table-3")}
AGAIN["shadow-count"] = ["1 shadow model", "20 shadow models"]
REAL, MADE, STATISTICS, FLIPPED = made.PARTS["data-quality"].rows
AGAIN["data-quality"] = [MADE, STATISTICS, FLIPPED]  # with real ones they are 20 shadow models


def interval(values):
    return course.interval(np.asarray(values), 0.95)


def draw(part, seed):
    """The measures of each row that is drawn again, from one seed: {row: {measure: number}}."""
    with more_room(made.ROOM):  # rows that differ in hiding alone share a training
        return {row: made.measures(drawn(part, row, seed)) for row in AGAIN[part]}


def drawn(part, row, seed):
    return replace(made.PARTS[part].rows[row], random_state=seed)


def settings(part):
    return {row: [repr(drawn(part, row, seed)) for seed in SEEDS] for row in AGAIN[part]}


@pytest.mark.evidence
@pytest.mark.parametrize("part", AGAIN)
def test_the_fresh_draws_are_made_again(part):
    evidence.keep(f"06 {part}", settings(part), [draw(part, seed) for seed in SEEDS])


@pytest.mark.slow
@pytest.mark.parametrize("part", AGAIN)
def test_the_first_fresh_draw_is_found_again(part):
    for row, measured in draw(part, SEEDS[0]).items():
        # another machine's rounding may change the side of some of 4,000 records
        expected = evidence.kept(f"06 {part}", settings(part))[0][row]
        assert measured == pytest.approx(expected, abs=0.01), row


@lru_cache
def fresh(part):
    """The measures of each row on seeds that the file does not have: {row: {measure: array}}."""
    draws = evidence.kept(f"06 {part}", settings(part))
    return {
        row: {name: np.array([each[row][name] for each in draws]) for name in draws[0][row]}
        for row in AGAIN[part]
    }


def both(part, row):
    """The measures of a row in the file, and on fresh seeds."""
    return [mia.our_draws(part)[row], fresh(part)[row]]


def paper(name, measure="precision"):
    return {row["row"]: row.get(measure) for row in mia.paper_table(name)}


# What is said of settings and of the paper


def test_the_table_of_what_there_is_to_reproduce_is_true():
    sentence("06", "2,000 in most of this notebook, then as many as in the paper")
    sentence("06", "Ours was measured on ten draws: each has shoppers, members and networks")
    sentence("06", "of its own, 2,000 members, and 20 shadow models.")
    sentence("06", "made up, 600 items, each with a style")
    sentence("06", "Here are 2,000 members, there 10,000. At the paper's own size ours is lower:")
    sentence("06", "takes 20 for its shoppers")
    sizes = {row["row"]: row for row in mia.paper_table("sizes")}["purchases"]
    assert (sizes["n_members"], sizes["n_shadows"], sizes["features"]) == (10_000, 20, 600)
    for e in made.PARTS["table-2"].rows.values():
        assert (e.n_members, e.n_shadows) == (2000, 20)
        assert e.data == "census" or e.n_items == 600
    assert len(made.PARTS["table-2"].seeds) == 10


def test_the_full_table_is_at_the_papers_sizes():
    sentence(
        "06",
        "The same five rows with the paper's 10,000 members, pool of 20,000, 128 hidden units and "
        "20 shadow models, one draw.",
    )
    sentence("06", "With five times as many members each class has five times as many")
    sentence("06", "With a fifth of the members our targets")
    part = made.PARTS["table-2-full"]
    assert len(part.rows) == 5 and len(part.seeds) == 1
    for e in part.rows.values():
        assert (e.n_members, e.hidden, e.n_shadows, e.n_items) == (10_000, 128, 20, 600)
    small = mia.run(mia.Experiment(n_members=50, n_shadows=1, epochs=1)).report
    world = course.parts_of(mia.Experiment(n_members=50, n_shadows=1, epochs=1))[0]
    assert len(small.members) == 100 and len(world.pool[1]) == 100, "a pool of twice the members"


def test_the_prices_of_l2_are_the_papers_own():
    sentence(
        "06",
        "so are the prices of L2: not rescaled, as they had to be in [notebook 04]"
        "(04_countermeasures.ipynb#Compare-with-the-paper) for 10 classes",
    )
    assert any('("moderate L2", 0.72, 0.77, dict(l2=0.03))' in c.source for c in cells("04"))
    for price, text in ((1e-4, "L2 1e-4"), (1e-3, "L2 1e-3"), (1e-2, "L2 1e-2")):
        assert made.PARTS["table-3"].rows[text].l2 == price and text in paper("table-3")
    sentence("06", "Five draws; the attacker adapts.")
    assert len(made.PARTS["table-3"].seeds) == 5


def test_what_is_quoted_from_the_paper_is_in_the_transcription():
    sentence("06", "closer to the paper's 0.935")
    sentence(
        "06",
        "on the same shoppers with 100 classes, its attack had a precision of 0.935 against "
        "Google's model, and of 0.87 against a network",
    )
    assert paper("table-2")[SHOPS[-1]] == 0.935 and paper("table-3")["nothing"] == 0.87
    sentence("06", "In the paper, Adult leaks a little less than the shoppers with 2 classes.")
    assert 0 < paper("table-2")[SHOPS[0]] - paper("table-2")["adult"] < 0.005
    sentence("06", "The more classes, the higher the precision.")
    assert (np.diff([paper("table-2")[shop] for shop in SHOPS]) > 0).all()
    sentence("06", "in the paper it also made the target better, up to a point")
    right = [paper("table-3", "test_accuracy")[r] for r in ("nothing", "L2 1e-3", "L2 1e-2")]
    assert right[0] < right[1] > right[2]
    sentence("06", "In the paper: poorer data, weaker attack, but an attack all the same.")
    sentence("06", "The paper's attacker lost little by it.")
    assert paper("data-quality")[REAL] - paper("data-quality")[MADE] < 0.05
    quality = list(paper("data-quality").values())
    assert quality == [*sorted(quality[:3])[::-1], *sorted(quality[3:])[::-1]]
    assert min(quality) > 0.6


def test_the_gap_attacks_precision_follows_from_two_accuracies():
    sentence("06", "its precision is train / (train + test)")
    members = np.repeat([True, False], 100)
    right = np.concatenate([np.arange(100) < 90, np.arange(100) < 60])
    assert precision_score(members, right) == pytest.approx(0.9 / (0.9 + 0.6))


def test_the_generator_was_tuned_to_the_test_accuracies():
    sentence("06", "The generator of our shoppers was tuned until they did")
    sheet = one_line(mia.places.course("data", "purchases.md").read_text(encoding="utf-8"))
    assert "chosen by trial, so that the test accuracy" in sheet
    sentence("06", "The attack's precision was not tuned.")


# Table II


@pytest.mark.slow
def test_the_order_is_found_on_fresh_seeds_too_and_the_gap_attack_has_it():
    sentence("06", "**The order agrees.**")
    sentence("06", "the gap attack, which looks at labels alone, rises in the same way")
    for measure in ("precision", "gap_precision"):
        for draws in zip(*(both("table-2", shop) for shop in SHOPS)):
            columns = np.array([draw[measure] for draw in draws])
            kept = (np.diff(columns, axis=0) > 0).all(axis=0)
            assert kept.mean() >= 0.9, measure


@pytest.mark.slow
def test_few_classes_leak_more_here_and_many_less():
    sentence("06", "Few classes leak more here than in the paper, and many classes less.")
    for draws in zip(*(both("table-2", shop) for shop in SHOPS)):
        low, high = zip(*(interval(draw["precision"]) for draw in draws))
        printed = [paper("table-2")[shop] for shop in SHOPS]
        assert (np.array(low[:3]) > printed[:3]).all() and (np.array(high[3:]) < printed[3:]).all()


@pytest.mark.slow
def test_the_test_accuracies_come_near_the_papers():
    sentence("06", "**The test accuracies come near the paper's, and that means nothing.**")
    for shop in SHOPS:
        for draw in both("table-2", shop):
            printed = paper("table-2", "test_accuracy")[shop]
            assert draw["test_accuracy"].mean() == pytest.approx(printed, abs=0.1), shop


@pytest.mark.slow
def test_adult_leaks_next_to_nothing():
    sentence("06", "**Adult agrees in what matters:** next to nothing leaks.")
    sentence(
        "06", "The gap between members and others is small, and the precision close to one half"
    )
    for draw in both("table-2", "adult"):
        assert interval(draw["precision"])[1] < 0.55
        assert interval(draw["train_accuracy"] - draw["test_accuracy"])[1] < 0.15
    assert paper("table-2")["adult"] < 0.55


def test_at_the_papers_size_ours_is_further_away_and_the_gap_attack_is_not():
    sentence("06", "Further away.")
    sentence("06", "The order is the same again; for few classes the numbers are now close to")
    sentence("06", "Here paper and course agree: as many records are known by heart in both.")
    full = mia.our_table("table-2-full")
    precision = [full[shop]["precision"][0] for shop in SHOPS]
    assert (np.diff(precision) > 0).all()
    printed = [paper("table-2")[shop] for shop in SHOPS]
    small = [mia.our_table("table-2")[shop]["precision"][0] for shop in SHOPS]
    assert precision[-1] < small[-1] < printed[-1]
    assert precision[:3] == pytest.approx(printed[:3], abs=0.02)
    for shop in SHOPS:
        train, test = (paper("table-2", f"{side}_accuracy")[shop] for side in ("train", "test"))
        gap = full[shop]["gap_precision"][0]
        assert gap == pytest.approx(train / (train + test), abs=0.03), shop


# Table III


HIDING = ("top 3", "top 1", "label only", "3 decimals", "1 decimal", "temperature 5")


@pytest.mark.slow
def test_hiding_agrees_but_for_temperature():
    sentence("06", "The label alone takes most, one decimal and top 1 a little, three decimals and")
    sentence("06", "top 3 next to nothing; the target stays as it was.")
    sentence("06", "it took something from the paper's attack, and takes nothing from ours")
    plain = both("table-3", "nothing")
    for i, base in enumerate(plain):
        lost = {
            row: interval(base["accuracy"] - both("table-3", row)[i]["accuracy"]) for row in HIDING
        }
        assert lost["label only"][0] > 0.1
        for row in ("top 1", "1 decimal"):
            assert 0.02 < lost[row][0] and lost[row][1] < 0.1, row
        for row in ("top 3", "3 decimals", "temperature 5"):
            assert lost[row][1] < 0.02, row
        for row in HIDING:
            same = both("table-3", row)[i]["test_accuracy"]
            assert same == pytest.approx(base["test_accuracy"], abs=0.01), row
    told = paper("table-3", "accuracy")
    assert told["nothing"] - told["temperature 20"] > told["nothing"] - told["temperature 5"] > 0.03


@pytest.mark.slow
def test_l2_takes_more_and_more_but_much_less_from_the_calibrated_attack():
    sentence(
        "06",
        "From the lowest price to the highest it takes more and more from the attack of 2017, here "
        "as there.",
    )
    sentence(
        "06",
        "Ours, with a fifth of the records, gets better at no price, and worse at the highest.",
    )
    sentence(
        "06",
        "The highest price of L2 takes much less from the calibrated attack than from the attack "
        "of 2017.",
    )
    told = [paper("table-3", "accuracy")[f"L2 1e-{k}"] for k in (4, 3, 2)]
    assert told == sorted(told)[::-1]
    for i, base in enumerate(both("table-3", "nothing")):
        low, middle, high = (both("table-3", f"L2 1e-{k}")[i] for k in (4, 3, 2))
        assert interval(low["accuracy"] - middle["accuracy"])[0] > 0
        assert interval(middle["accuracy"] - high["accuracy"])[0] > 0.05
        for priced in (low, middle, high):
            assert interval(priced["test_accuracy"] - base["test_accuracy"])[1] < 0.02
        assert interval(base["test_accuracy"] - high["test_accuracy"])[0] > 0
        old, new = (base[key] - high[key] for key in ("accuracy", "calibrated_accuracy"))
        assert interval(new / old)[1] < 0.6


@pytest.mark.slow
def test_the_label_alone_takes_most_from_the_calibrated_attack_and_leaves_the_gap_attack():
    sentence("06", "What takes most from it is the label alone: then it has no more than the gap")
    rows = (*HIDING, "L2 1e-4", "L2 1e-3", "L2 1e-2")
    for i in range(2):
        found = {row: both("table-3", row)[i]["calibrated_accuracy"].mean() for row in rows}
        assert min(found, key=found.get) == "label only"
        label = both("table-3", "label only")[i]
        assert interval(label["calibrated_precision"] - label["gap_precision"])[1] < 0.01


def test_that_the_number_comes_near_is_luck():
    sentence("06", "**Without a countermeasure even the number comes near, and that is luck.**")
    small = mia.our_table("table-3")["nothing"]["accuracy"][0]
    assert small == pytest.approx(paper("table-3", "accuracy")["nothing"], abs=0.03)
    assert mia.our_table("table-2-full")[SHOPS[-1]]["accuracy"][0] < small - 0.1


# Shadow models


@pytest.mark.slow
def test_one_shadow_model_is_enough_for_the_attack_of_2017_and_not_for_the_calibrated_one():
    sentence("06", "The attack of 2017 loses next to nothing")
    sentence("06", "already one shadow model answers about thousands of records")
    sentence("06", "So the paper's sentence is true here, and the difference too small to matter.")
    sentence("06", "with one shadow model it has nobody to ask")
    for i in range(2):
        one, twenty = (
            both("shadow-count", row)[i] for row in ("1 shadow model", "20 shadow models")
        )
        gained = interval(twenty["precision"] - one["precision"])
        assert -0.001 < gained[0] and gained[1] < 0.015
        assert interval(twenty["auc"] - one["auc"])[0] > 0
        assert interval(twenty["calibrated_precision"] - one["calibrated_precision"])[0] > 0.03
        assert (one["calibrated_precision"] == one["precision"]).all()


@pytest.mark.slow
def test_statistics_serve_as_well_as_in_the_paper_and_made_records_do_not():
    sentence("06", "With each item drawn by itself our precision is close to the paper's.")
    sentence("06", "A tenth of the items flipped costs our attacker more than it cost the paper's")
    sentence("06", "Ours falls behind the gap attack, which needs no shadow model.")
    twenty = made.PARTS["shadow-count"].rows["20 shadow models"]
    assert made.PARTS["data-quality"].rows[REAL] == twenty
    told = paper("data-quality")
    on_places = told["location, real records"] - told["location, 10 % of the features flipped"]
    for i, real in enumerate(both("shadow-count", "20 shadow models")):
        statistics, flipped, invented = (
            both("data-quality", row)[i] for row in (STATISTICS, FLIPPED, MADE)
        )
        low, high = interval(statistics["precision"] - told[STATISTICS])
        assert -0.03 < low and high < 0.05
        assert interval(real["precision"] - statistics["precision"])[0] > 0.02, "weaker"
        assert interval(real["precision"] - flipped["precision"])[0] > on_places
        assert interval(invented["precision"] - invented["gap_precision"])[1] < 0


@pytest.mark.slow
def test_shadow_models_hardly_learn_made_baskets():
    sentence("06", "A made basket holds about half of the items, a real one about one in twelve")
    sentence("06", "they are right on fewer than one in ten of their own members")
    own = []
    for seed in SEEDS:
        # four shadow models of the same pool
        e = replace(made.PARTS["data-quality"].rows[MADE], n_shadows=4, random_state=seed)
        with more_room(made.ROOM):
            world, _, shadows = course.parts_of(e)
        assert shadows.X.mean() == pytest.approx(1 / 2, abs=0.02)
        assert world.pool[0].mean() == pytest.approx(1 / 12, abs=0.01)
        right = shadows.confidences.argmax(axis=-1) == shadows.y
        own.append(right[shadows.members].mean())
    assert interval(own)[1] < 0.1


def test_the_block_that_reads_a_published_table_runs(tmp_path, monkeypatch, capsys):
    (cell,) = (c for c in cells("06", "markdown") if "mia.load_table(" in c.source)
    block = re.search(r"```python\n(.*?)```", cell.source, re.S)[1]
    shops = mia.load_purchases(n_classes=5, n_records=800, random_state=0)
    rows = np.column_stack([shops.y + 1, shops.X.astype(int)])
    np.savetxt(tmp_path / "dataset_purchase.tgz", rows, "%d", ",")
    monkeypatch.chdir(tmp_path)
    smaller = {"n_records=8000": "n_records=700", "n_members=2000": "n_members=150"}
    for old, new in smaller.items():
        assert old in block
        block = block.replace(old, new)
    exec(block, {"mia": mia})
    said = capsys.readouterr().out
    assert "700 records of 200 features, all of them 0 or 1; 5 classes" in said
    assert "ShadowAttack: 150 members, 150 non-members" in said
