"""The data sets: against the files themselves, scikit-learn, the datasheets, and the paper's Table
II."""

import csv
import gzip
import re
import shutil
from collections import Counter, defaultdict
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

import miaedu as mia
from miaedu import data, places

FOLDER = Path(__file__).resolve().parents[1] / "data"
LOADERS = {
    "purchases": [mia.load_purchases],
    "clinic": [mia.load_clinic, partial(mia.load_clinic, "visits")],
    "census": [mia.load_census, partial(mia.load_census, "occupation")],
    "digits": [mia.load_digits],
    "tumours": [mia.load_tumours],
}


def rows(name):
    with gzip.open(FOLDER / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def column(dataset, name):
    return dataset.X[:, dataset.feature_names.index(name)]


# Every data set


@pytest.mark.parametrize("name, load", [(name, load) for name in LOADERS for load in LOADERS[name]])
def test_a_data_set_is_complete_and_cannot_be_written_to(name, load):
    d = load()
    assert d.name == name and len(d.story) > 100
    assert d.X.dtype == np.float32 and d.X.flags.c_contiguous and d.y.dtype == np.int64
    assert d.X.shape == (len(d.y), len(d.feature_names)) and len(set(d.feature_names)) == len(
        d.feature_names
    )
    assert np.isfinite(d.X).all() and sorted(set(d.y)) == list(range(d.n_classes))
    with pytest.raises(ValueError, match="read-only"):
        load().X[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        load().y[0] = 1


@pytest.mark.parametrize("name", LOADERS)
def test_a_datasheet_says_what_it_has_to(name):
    sheet = (FOLDER / f"{name}.md").read_text("utf-8")
    for heading in (
        "**Source.**",
        "**Terms.**",
        "**Who is in it, and when.**",
        "What it is not for",
        "olumns",
    ):
        assert heading in sheet
    assert re.search(
        "sha256 `[0-9a-f]{64}`" if name != "purchases" else "no checksum", " ".join(sheet.split())
    )
    columns = list(rows(name)[0]) if name in ("clinic", "census") else []
    named = [feature.split("=")[0] for load in LOADERS[name] for feature in load().feature_names]
    if name == "digits":
        named = ["pixel 0 0", "pixel 7 7"]
    if name == "tumours":
        named = {re.sub("^(mean|worst) | error$", "", feature) for feature in named}
    if name == "purchases":
        named = ["item 0", "style k"]
    for word in {*columns, *named}:
        assert f"`{word}`" in sheet, word


@pytest.mark.parametrize("name, n_numbers", [("clinic", 18), ("census", 4)])
def test_the_constants_of_a_datasheet_are_those_of_the_file(name, n_numbers):
    table, found = rows(name), 0
    for line in (FOLDER / f"{name}.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 5 and re.search("number|count", cells[2]):
            values = np.array([float(row[cells[0].strip("`")] or "nan") for row in table])
            values = np.log1p(values) if "count" in cells[2] else values
            for stated, true in zip(cells[3:], (np.nanmean(values), np.nanstd(values))):
                digits = len(stated.partition(".")[2])
                assert abs(float(stated) - true) <= 0.5001 * 10**-digits, line
            for load in LOADERS[name]:
                if cells[0].strip("`") in load().feature_names:
                    expected = np.nan_to_num((values - np.nanmean(values)) / np.nanstd(values))
                    np.testing.assert_allclose(
                        column(load(), cells[0].strip("`")), expected, rtol=1e-5, atol=1e-6
                    )
                    found += 1
    assert found >= n_numbers


# Clinic and census


@pytest.mark.parametrize(
    "name, target, label, leave_out",
    [
        ("clinic", "health", lambda row: row["health"], {"health"}),
        (
            "clinic",
            "visits",
            lambda row: row["visits"].replace("9", "9 or more"),
            {"visits", "totadm", "mentvis", "notmdvis"},
        ),
        ("census", "income", lambda row: row["income"], {"income", "fnlwgt", "education-num"}),
        (
            "census",
            "occupation",
            lambda row: row["occupation"],
            {"occupation", "fnlwgt", "education-num"},
        ),
    ],
)
def test_labels_are_those_of_the_file_and_no_feature_gives_them_away(
    name, target, label, leave_out
):
    d, table = getattr(mia, f"load_{name}")(target), rows(name)
    assert [d.class_names[code] for code in d.y] == [label(row) for row in table]
    dollars = {column for column in table[0] if column.endswith("dol")}
    used = {feature.split("=")[0] for feature in d.feature_names} - {"ghindx missing"}
    assert used == set(table[0]) - leave_out - dollars


def test_health_is_in_order_and_visits_are_counts():
    assert mia.load_clinic().class_names == ("poor", "fair", "good", "excellent")
    assert mia.load_clinic("visits").class_names == (*"012345678", "9 or more")


@pytest.mark.parametrize(
    "name, code, n_values", [("clinic", "plan", 18), ("clinic", "site", 6), ("census", "race", 5)]
)
def test_a_code_is_one_column_a_value(name, code, n_values):
    d = LOADERS[name][0]()
    columns = [feature for feature in d.feature_names if feature.startswith(code + "=")]
    assert len(columns) == n_values
    assert sum(column(d, feature) for feature in columns).tolist() == [1] * len(d)
    for feature in columns:
        assert column(d, feature).tolist() == [
            float(f"{code}={row[code]}" == feature) for row in rows(name)
        ]


def test_a_missing_health_index_is_marked_and_becomes_the_mean():
    missing = np.array([row["ghindx"] == "" for row in rows("clinic")])
    d = mia.load_clinic()
    assert missing.sum() == 1217
    assert column(d, "ghindx missing").tolist() == missing.tolist()
    assert not column(d, "ghindx")[missing].any() and column(d, "ghindx")[~missing].all()


def test_households_are_of_the_size_that_the_file_says():
    table, groups = rows("clinic"), mia.load_clinic().groups
    assert groups.tolist() == mia.load_clinic("visits").groups.tolist()
    homes = defaultdict(list)
    for row, group in zip(table, groups):
        homes[group].append(row)
    for people in homes.values():
        assert len({(row["site"], row["plan"], row["income"], row["num"]) for row in people}) == 1
    right = [len(people) == float(people[0]["num"]) for people in homes.values()]
    assert (len(right), sum(right)) == (1966, 1930)  # as the datasheet says


def test_households_of_a_table_worked_by_hand():
    # A family of two parted by a stranger; then three families of two that share a stand-in income,
    # told apart by their neighbours where they can be: the last two stand side by side.
    family, stranger, stand_in = (1, 1, 900, 2), (1, 1, 800, 1), (1, 1, 0, 2)
    people = [
        family,
        stranger,
        family,
        stand_in,
        stand_in,
        stranger[:2] + (700, 1),
        *[stand_in] * 4,
    ]
    table = dict(zip(("site", "plan", "income", "num"), np.array(people, float).T))
    assert data._households(table).tolist() == [0, 1, 0, 2, 2, 3, 4, 4, 4, 4]


@pytest.mark.parametrize("target", ["health", "visits"])
def test_twins_stay_on_one_side_unless_their_household_is_parted(target):
    clinic = mia.load_clinic(target)
    alike = Counter(map(bytes, clinic.X)).values()
    assert sum(n - 1 for n in alike) == {"health": 1, "visits": 5}[target]
    mia.split(clinic, 1500, random_state=0)
    parted = 0
    for seed in range(10):
        try:
            mia.split(clinic, 1500, by_group=False, random_state=seed)
        except ValueError as error:
            parted += "exactly the same features" in str(error)
    assert parted > 0


@pytest.mark.parametrize("load", [mia.load_clinic, mia.load_census])
@pytest.mark.parametrize("target", ["age", "", None])
def test_another_target_is_refused(load, target):
    with pytest.raises(ValueError, match=rf"target must be .*, got {target!r}"):
        load(target)


# Scikit-learn's


def test_digits_and_tumours_are_those_of_scikit_learn():
    digits, theirs = mia.load_digits(), sklearn.datasets.load_digits()
    assert np.array_equal(digits.X * 16, theirs.data) and np.array_equal(digits.y, theirs.target)
    tumours, theirs = mia.load_tumours(), sklearn.datasets.load_breast_cancer()
    np.testing.assert_allclose(
        tumours.X, StandardScaler().fit_transform(theirs.data), rtol=1e-4, atol=1e-5
    )
    assert np.array_equal(tumours.y, theirs.target) and tumours.class_names == tuple(
        theirs.target_names
    )
    assert tumours.feature_names == tuple(theirs.feature_names)


# Damage


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A copy of data/ to damage, which the loaders read for the length of a test."""

    def forget():
        for cached in (
            data._table,
            data.load_clinic,
            data.load_census,
            data.load_digits,
            data.load_tumours,
        ):
            cached.cache_clear()

    shutil.copytree(FOLDER, tmp_path / "data")
    monkeypatch.setattr(data, "course", lambda *parts: tmp_path.joinpath(*parts))
    forget()
    yield tmp_path / "data"
    forget()


@pytest.mark.parametrize("name", ["clinic", "census"])
def test_a_damaged_or_missing_file_is_named(course, name):
    load, file = LOADERS[name][0], course / f"{name}.csv.gz"
    stated = re.search("[0-9a-f]{64}", (course / f"{name}.md").read_text("utf-8"))[0]
    load()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.chmod(0o644)
    file.write_bytes(content)
    load.cache_clear()
    data._table.cache_clear()
    with pytest.raises(
        ValueError,
        match=rf"{name}.csv.gz .*{stated}, that of the data is [0-9a-f]{{64}}; reinstall",
    ):
        load()
    file.unlink()
    with pytest.raises(FileNotFoundError, match=rf"{name}.csv.gz is missing; reinstall miaedu"):
        load()


@pytest.mark.parametrize("name", ["clinic", "census", "digits", "tumours"])
def test_what_is_checked_is_the_datasheet_alone(course, name):
    sheet = course / f"{name}.md"
    text = sheet.read_text("utf-8")
    sheet.write_text(re.sub("`[0-9a-f]{64}`", "`" + "0" * 64 + "`", text), "utf-8")
    with pytest.raises(ValueError, match=f"the sha256 there is {'0' * 64}"):
        LOADERS[name][0]()
    sheet.write_text(re.sub("`[0-9a-f]{64}`", "`?`", text), "utf-8")
    with pytest.raises(ValueError, match="the sha256 there is missing"):
        LOADERS[name][0]()
    sheet.unlink()
    with pytest.raises(FileNotFoundError, match=f"{name}.md is missing"):
        LOADERS[name][0]()


@pytest.mark.parametrize(
    "name, theirs", [("digits", "load_digits"), ("tumours", "load_breast_cancer")]
)
def test_another_copy_of_scikit_learns_data_is_noticed(course, monkeypatch, name, theirs):
    bunch = getattr(sklearn.datasets, theirs)()
    bunch.target[0] = 1 - bunch.target[0]
    monkeypatch.setattr(sklearn.datasets, theirs, lambda: bunch)
    with pytest.raises(ValueError, match=f"scikit-learn's copy of {name} .*reinstall scikit-learn"):
        LOADERS[name][0]()


def test_the_course_is_beside_miaedu_or_inside_it(tmp_path, monkeypatch):
    assert places.course("data") == FOLDER
    module = tmp_path / "miaedu" / "places.py"
    module.parent.mkdir()
    monkeypatch.setattr(places, "__file__", str(module))
    assert places.course("data", "x.md") == tmp_path.resolve() / "data" / "x.md"
    (tmp_path / "miaedu" / "course").mkdir()
    assert places.course() == tmp_path.resolve() / "miaedu" / "course"


# Purchases


@settings(max_examples=25)
@given(st.integers(2, 30), st.integers(0, 300), st.integers(10, 60), st.integers(0, 1000))
def test_baskets_are_of_the_asked_size_balanced_and_decided_by_the_seed(
    n_classes, more, n_items, seed
):
    d = mia.load_purchases(n_classes, n_classes + more, n_items, seed)
    assert d.X.shape == (n_classes + more, n_items) and d.n_classes == n_classes
    assert set(np.unique(d.X)) <= {0, 1} and d.X.sum(axis=1).min() >= 3
    assert np.ptp(np.bincount(d.y, minlength=n_classes)) <= 1
    again = mia.load_purchases(n_classes, n_classes + more, n_items, np.random.RandomState(seed))
    assert np.array_equal(again.X, d.X) and np.array_equal(again.y, d.y)
    assert (
        not np.array_equal(
            mia.load_purchases(n_classes, n_classes + more, n_items, seed + 1).X, d.X
        )
        or more < 5
    )


def test_other_shoppers_are_of_the_same_shop_and_another_shop_has_other_ones():
    ours = mia.load_purchases(random_state=0)
    again, others = (mia.load_purchases(random_state=0, shoppers=s) for s in (1, 2))
    other_shop = mia.load_purchases(random_state=3, shoppers=1)
    assert np.array_equal(again.X, mia.load_purchases(random_state=0, shoppers=1).X)
    assert not np.array_equal(again.X, others.X) and not np.array_equal(again.X, ours.X)

    def sold(data):
        return np.concatenate([data.X[data.y == k].mean(axis=0) for k in range(10)])

    for same in (again, others):
        # 400 shoppers a style: the standard error of a rate is at most 0.025
        assert np.abs(sold(same) - sold(ours)).max() < 4.5 * 2**0.5 * 0.025
        assert np.corrcoef(sold(same), sold(ours))[0, 1] > 0.98
    assert np.corrcoef(sold(other_shop), sold(ours))[0, 1] < 0.6


def test_baskets_vary_in_size_items_have_a_long_tail_and_styles_share_it():
    d = mia.load_purchases(20, 4000, 600, random_state=0)
    sizes = d.X.sum(axis=1)
    # uniform baskets, 61 with 7, have 0.11
    assert 40 < sizes.mean() < 65 and sizes.std() > 0.35 * sizes.mean()
    sold = np.sort(d.X.sum(axis=0))[::-1]
    assert sold[:60].sum() > 0.3 * sold.sum() and sold[0] > 10 * np.median(sold)
    rates = np.array([d.X[d.y == k].mean(axis=0) for k in range(20)])
    assert np.corrcoef(rates).min() > 0.5


def test_ordinary_splits_of_purchases_do_not_warn(recwarn):
    for seed in range(5):
        mia.split(mia.load_purchases(random_state=seed), 1000, random_state=seed)
    assert not recwarn.list


@pytest.mark.parametrize(
    "arguments, said",
    [
        ({"n_classes": 1}, "n_classes must be a whole number of at least 2, got 1"),
        ({"n_classes": 2.5}, "n_classes must be a whole number of at least 2, got 2.5"),
        ({"n_items": 9}, "n_items must be a whole number of at least 10, got 9"),
        ({"n_records": 0}, "n_records must be a whole number of at least 10, got 0"),
        (
            {"n_records": 49, "n_classes": 50},
            "n_records must be a whole number of at least 50, got 49",
        ),
        ({"random_state": "seed"}, "seed"),
        ({"shoppers": "seed"}, "seed"),
    ],
)
def test_purchases_that_cannot_be_are_refused(arguments, said):
    with pytest.raises(ValueError) as error:
        mia.load_purchases(**arguments)
    assert said in str(error.value)


def attacked(d, n_members, seed, **settings):
    """Train and test accuracy of the course's network, and the AUC of the confidence in the true
    class."""
    world = mia.split(d, n_members, random_state=seed, duplicates="allow")
    target = mia.MLP(random_state=seed, **settings).fit(*world.members, classes=world.classes)
    sure = [
        target.predict_proba(X)[np.arange(len(y)), y] for X, y in (world.members, world.nonmembers)
    ]
    auc = roc_auc_score(np.repeat([1, 0], [len(sure[0]), len(sure[1])]), np.concatenate(sure))
    return target.score(*world.members), target.score(*world.nonmembers), auc


# THE property of the generator, after Table II of Shokri et al. 2017 (transcribed). It takes about
# five seconds. Over ten seeds the smallest fall in test accuracy, from 10 to 20 classes, was 0.041
# on average (sd 0.012); the smallest rise in AUC, there too, 0.054 (sd 0.020); the largest distance
# from the paper 0.09, at 100 classes.
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_more_classes_are_harder_to_learn_and_leak_more_as_in_table_ii(seed):
    paper = {2: 0.984, 10: 0.866, 20: 0.781, 50: 0.693, 100: 0.659}
    found = [attacked(mia.load_purchases(n, 4000, 600, seed), 2000, seed) for n in paper]
    train, test, auc = np.transpose(found)
    assert train.min() >= 0.99
    assert (np.diff(test) < 0).all() and (np.diff(auc) > 0).all()
    assert np.abs(test - list(paper.values())).max() < 0.15


@pytest.mark.parametrize("n_classes, low, high", [(10, 0.68, 0.80), (20, 0.78, 0.90)])
def test_leakage_is_graded_at_the_size_of_the_explorers(n_classes, low, high):
    # Six seeds gave 0.729 to 0.776 for 10 classes and 0.830 to 0.858 for 20; about that spread is
    # allowed on top.
    found = [
        attacked(mia.load_purchases(n_classes, random_state=seed), 500, seed)[2]
        for seed in range(3)
    ]
    assert low < np.mean(found) < high


def audited(d, n_members, seed, **settings):
    """What `attacked` finds, and the AUC of LiRA and of the calibrated attack in the auditor's
    view, with 32 shadow models; and LiRA's mode."""
    world = mia.split(d, n_members, random_state=seed, duplicates="allow")
    network = mia.MLP(random_state=seed, **settings)
    api = mia.BlackBox(network.fit(*world.members, classes=world.classes))
    X, y = (np.concatenate(part) for part in zip(world.members, world.nonmembers))
    shadows = mia.ShadowModels(network, 32, random_state=seed + 1)
    shadows.fit(X, y, classes=world.classes, groups=world.groups.both_sides)
    attacks = {kind: kind().fit(shadows) for kind in (mia.LiRA, mia.CalibratedAttack)}
    reports = mia.evaluate(attacks, api, world)
    aucs = [roc_auc_score(report.members, report.scores) for report in reports.values()]
    return [*attacked(d, n_members, seed, **settings), *aucs], reports[mia.LiRA].mode


def stated(name):
    """The cells of the datasheet's tables that tell what the attacks do."""
    for line in (FOLDER / f"{name}.md").read_text("utf-8").splitlines():
        cells = [cell.strip(" `") for cell in line.strip("|").split("|")]
        if re.fullmatch(r"\d+", cells[0]) or len(cells) == 7 and re.fullmatch(r"\d+", cells[1]):
            yield cells


# Both tests repeat fits that a datasheet reports, with its seeds: 0.01 is room for another
# machine's rounding. The slow tests draw once, and hold a draw to what its table says of draws.

one_or_all = pytest.mark.parametrize(
    "whole",
    [
        pytest.param(False, id="one draw", marks=pytest.mark.slow),
        pytest.param(True, id="all draws", marks=pytest.mark.evidence),
    ],
)


@one_or_all
def test_the_accuracies_of_the_datasheet_of_purchases_are_true(whole):
    table = list(stated("purchases"))
    assert len(table) == 5
    for n_classes, accuracy, _, *leakage in table:
        draws = []
        for seed in range(3 if whole else 1):
            d = mia.load_purchases(int(n_classes), 4000, 600, seed)
            found, mode = audited(d, 2000, seed, epochs=20, learning_rate=0.01)
            assert mode == "online"
            draws.append(found[1:])
        for values, cell in zip(np.transpose(draws), (accuracy, *leakage), strict=True):
            mean, lowest, highest = map(float, re.findall(r"[\d.]+", cell))
            assert lowest - 0.01 < values.min() and values.max() < highest + 0.01
            if whole and cell in leakage[1:]:  # of these three draws alone
                assert values.mean() == pytest.approx(mean, abs=0.01)


@one_or_all
@pytest.mark.parametrize(
    "name, n_members", [("clinic", 1000), ("census", 1000), ("digits", 898), ("tumours", 284)]
)
def test_the_accuracies_of_the_other_datasheets_are_true(name, n_members, whole):
    table = list(stated(name))
    assert len(table) == 2 * len(LOADERS[name]) or name in ("digits", "tumours") and len(table) == 1
    for target, epochs, *cells in table:
        d = LOADERS[name][target in ("visits", "occupation")]()
        settings = {"epochs": int(epochs), "learning_rate": 0.01}
        seeds = range(5 if whole else 1)
        found, modes = zip(*(audited(d, n_members, seed, **settings) for seed in seeds))
        told = np.array([list(map(float, cell.split(" ± "))) for cell in cells[2:]])
        means, spreads = told.T
        if not whole:
            # of five draws none is further from their mean than 4 / sqrt(5) standard deviations
            far = 4 / 5**0.5 * (spreads + 0.005) + 0.015
            assert (np.abs(found[0][2:] - means) < far).all(), (target, epochs, found)
            continue
        average = np.mean(found, axis=0)
        assert np.abs(average - [float(cell.split(" ± ")[0]) for cell in cells]).max() < 0.015
        found_spreads = np.std(found, axis=0, ddof=1)[2:]
        assert np.abs(found_spreads - spreads).max() < 0.015, (target, epochs, found_spreads)
        assert modes.count("offline") == {"income": 1, "occupation": 5}.get(target, 0)


@pytest.mark.slow
def test_what_the_datasheet_of_tumours_says_of_many_targets_is_true():
    sheet = " ".join((FOLDER / "tumours.md").read_text("utf-8").split())
    settings = {"n_members": 284, "n_shadows": 64, "view": "auditor", "attack": "lira"}
    assert f"settings = {settings}".replace("'", '"') in sheet
    assert 'many = mia.ManyTargets("tumours", n_targets=512, **settings)' in sheet
    many = mia.ManyTargets("tumours", n_targets=512, **settings)
    said = (
        "0.53 by the attack of Shokri et al. 2017, 0.55 by LiRA and 0.56 by the calibrated attack"
    )
    assert said in sheet
    for attack, auc in {"shadow": 0.53, "lira": 0.55, "calibrated": 0.56}.items():
        found = mia.expose(replace(many, attack=attack))
        assert found.members.shape == (512, 568)
        # rounded, and a further 0.005 for another machine's rounding
        aucs = [roc_auc_score(was_in, s) for was_in, s in zip(found.members, found.scores)]
        assert np.mean(aucs) == pytest.approx(auc, abs=0.01)
        assert np.std(aucs) == pytest.approx(0.02, abs=0.01)
        assert np.std(aucs) / 512**0.5 < 0.0015
    assert "with an AUC of 0.98 on average" in sheet
    judged = [record["auc"] for record in found.most_exposed(10)]
    assert np.mean(judged) == pytest.approx(0.98, abs=0.01)


def test_what_a_reader_does_to_the_columns_is_not_seen_by_others():
    columns = mia.read_columns("census")
    columns.pop("income")
    columns["age"][:] = 0
    again = mia.read_columns("census")
    assert "income" in again and again["age"].min() >= 17
    assert mia.load_census().n_classes == 2


def test_only_files_of_the_course_have_columns_to_read():
    with pytest.raises(ValueError, match='name must be "census" or "clinic", got \'digits\''):
        mia.read_columns("digits")
