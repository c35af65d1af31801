"""The audit of a reader's own model: what it runs, finds, refuses and keeps."""

import json
import re
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import miaedu as mia
from miaedu.auditing.models import draw_evenly
from miaedu.auditing.page import page
from miaedu.auditing.report import difference

QUIET = {"progress": False}


def drawn_evenly(shadows, audit):
    """Let unfitted shadow models learn from the same records as those of an audit did."""
    _, seeds = shadows.draw(audit.labels)
    shadows.draw = lambda y, groups: (audit.seen, seeds)


def blobs(n, seed, classes=2, apart=1.0):
    """n records of a few overlapping clouds: (X, y)."""
    rng = np.random.default_rng(seed)
    y = rng.integers(classes, size=n)
    return rng.normal(size=(n, 6)) + apart * y[:, None], y


@cache
def forest():
    """An overfitted forest, its members and as many others."""
    members, others = blobs(200, 0), blobs(200, 1)
    model = RandomForestClassifier(20, random_state=0).fit(*members)
    return SimpleNamespace(model=model, members=members, others=others)


@cache
def of_forest():
    f = forest()
    pool = blobs(400, 2)
    return mia.audit(f.model, f.members, f.others, n_models=10, pool=pool, **QUIET)


def test_what_is_run_depends_on_what_is_given():
    f = forest()
    told = mia.audit(f.model.predict_proba, f.members, f.others, classes=[0, 1], **QUIET)
    assert list(told.views) == ["answers only"] and told.exposed() == []
    assert any("Pass an estimator" in line for line in told.not_shown)
    untrained = mia.audit(f.model, f.members, f.others, n_models=0, **QUIET)
    assert list(untrained.views) == ["answers only"]
    assert "Most exposed members" not in page(untrained, records=True)  # nobody can be named
    every = of_forest().views
    assert {view: list(reports) for view, reports in every.items()} == {
        "answers only": ["gap attack", "threshold attack"],
        "auditor's view": ["calibrated attack", "LiRA"],
        "attacker's view": ["calibrated attack", "attack of 2017", "RMIA"],
    }


def test_it_finds_what_the_same_attacks_find_one_by_one():
    """The long way: models kept, records as they are; the audit knows answers and numbers alone."""
    f = forest()
    X, y = (np.concatenate(both) for both in zip(f.members, f.others))
    world = mia.World.from_arrays(*f.members, *f.others, blobs(400, 2))
    shadows = mia.ShadowModels(RandomForestClassifier(20), 10, random_state=0, train_size=200)
    drawn_evenly(shadows, of_forest())
    long_way = mia.evaluate(mia.LiRA().fit(shadows.fit(X, y)), mia.BlackBox(f.model), world)
    report = of_forest().views["auditor's view"]["LiRA"]
    np.testing.assert_allclose(report.scores, long_way.scores, rtol=1e-5)
    assert report.mode == long_way.mode == "online"
    of_pool = mia.ShadowModels(RandomForestClassifier(20), 10, random_state=0, train_size=200)
    attack = mia.CalibratedAttack().fit(of_pool.fit(*blobs(400, 2)))
    long_way = mia.evaluate(attack, mia.BlackBox(f.model), world)
    report = of_forest().views["attacker's view"]["calibrated attack"]
    np.testing.assert_allclose(report.scores, long_way.scores, rtol=1e-4, atol=1e-6)
    assert report.untouched.auc == pytest.approx(long_way.untouched.auc, abs=1e-3)
    assert report.blind.auc == long_way.blind.auc


@pytest.mark.parametrize("size", [40, 50, 75])
def test_every_record_is_in_some_shadow_models_and_out_of_some(size):
    y = np.arange(100) % 2
    for seed in range(20):
        shadows = mia.ShadowModels(None, 12, seed, train_size=size)
        masks, _ = draw_evenly(shadows, y, None)
        count = masks.sum(axis=0)
        assert count.min() >= 2 and count.max() <= 10
        assert (masks.sum(axis=1) == size).all()
        of_class = masks[:, y == 1].sum(axis=1)
        assert (np.abs(of_class - size / 2) <= 1).all()
        if size == 50:
            assert (count == 6).all()


def test_relatives_share_their_shadow_models():
    groups = np.repeat(np.arange(25), 4)
    shadows = mia.ShadowModels(None, 8, 0, train_size=50)
    masks, _ = draw_evenly(shadows, np.arange(100) % 2, groups)
    assert (masks.reshape(8, 25, 4).sum(axis=2) % 4 == 0).all()
    assert (masks.sum(axis=0) == 4).all()


def test_a_mlp_is_trained_in_lockstep_to_the_same_bits():
    members, others = blobs(100, 0), blobs(100, 1)
    model = mia.MLP(hidden=16, epochs=10, random_state=0).fit(*members)
    told = mia.audit(model, members, others, n_models=8, **QUIET)
    X, y = (np.concatenate(both) for both in zip(members, others))
    shadows = mia.ShadowModels(mia.MLP(hidden=16, epochs=10), 8, random_state=0, train_size=100)
    drawn_evenly(shadows, told)
    attack = mia.LiRA().fit(shadows.fit(X, y))
    scores = attack.score(mia.BlackBox(model), X, y)
    assert (told.views["auditor's view"]["LiRA"].scores == scores).all()


def test_an_overfitted_model_leaks_and_says_so_in_its_first_sentence():
    first = of_forest().verdict[0]
    start = r"A (clear|severe) leak: the calibrated attack \(auditor's view\) reaches AUC 0\.\d{3}"
    assert re.match(start, first)
    assert not of_forest().broken


@pytest.mark.parametrize("more_right, found", [(33, False), (80, True)])
def test_another_attack_is_believed_only_beyond_what_several_attacks_find_by_chance(
    more_right, found
):
    # by hand: of 500 members, 250 + more_right are right; of 500 others 250. AUC .533 and .58, with
    # standard errors of .016; beyond 2.24 of them, the interval of two attacks excludes .5
    n, members = 500, np.arange(1000) < 500
    right = np.arange(1000) % 500 < np.where(members, 250 + more_right, 250)
    alternating = np.arange(1000) % 2.0  # tells nothing

    def report(name, scores):
        return mia.Report(name, scores, members, np.zeros(2 * n), right, threshold=0.5)

    attacks = {
        "gap attack": report("gap attack", right.astype(float)),
        "threshold attack": report("threshold attack", alternating),
    }
    told = mia.AuditReport("by hand", {"answers only": attacks}, np.zeros(2 * n), np.arange(2 * n))
    assert attacks["gap attack"].interval("auc")[0] > 0.5, "one interval is not enough"
    start = "A weak leak: the gap attack" if found else "No leak was found: the threshold attack"
    assert told.verdict[0].startswith(start)


def test_where_nothing_leaks_nothing_is_found():
    members, others = blobs(300, 5), blobs(300, 6)
    model = LogisticRegression(C=0.01).fit(*blobs(300, 7))  # it has seen neither
    told = mia.audit(model, members, others, n_models=8, **QUIET)
    assert told.verdict[0].startswith("No leak was found")
    assert not any("stand" in line for line in told.verdict)
    low, high = told.headline.interval("auc")
    assert low <= 0.5 <= high


def test_a_record_that_is_memorised_on_purpose_is_named():
    """A nearest-neighbour rule on a record far from all others, with a label like none near it."""
    members, others = blobs(300, 0, apart=3), blobs(300, 1, apart=3)
    members[0][17] = -4.0  # deep in class 0
    members[1][17] = 1
    model = KNeighborsClassifier(1).fit(*members)
    ids = [f"m{i}" for i in range(300)], [f"n{i}" for i in range(300)]
    told = mia.audit(model, members, others, n_models=16, ids=ids, **QUIET)
    rows = told.exposed()
    assert rows[0]["record"] == "m17" and rows[0]["beyond chance"]
    assert min(rows[0]["with it"]) > max(rows[0]["without it"])
    assert any("out: m17" in line for line in told.verdict), told.verdict
    assert "stands out. Shadow models" in " ".join(str(told).split()) and "m17" not in str(told)


def test_chance_names_a_record_in_few_audits():
    """Answers in which nobody was in anything: with 0.01 a record named, over 400 draws at most 3 %
    of them name one (1 %, three standard errors of .5 %, and the doubling by heavy tails)."""
    rng, named = np.random.default_rng(0), 0
    for _ in range(400):
        phi = rng.standard_t(5, size=(16, 200))
        seen = rng.random((16, 200)) < 0.5
        chosen = np.argsort(-difference(phi[::2], seen[::2])[0])[:10]
        named += (difference(phi[1::2], seen[1::2])[1][chosen] < 0.01 / 10).any()
    assert 0 <= named <= 12


def test_the_difference_of_many_models_is_that_of_a_t_test():
    rng = np.random.default_rng(0)
    phi, seen = rng.normal(size=(4000, 1)), np.arange(4000)[:, None] % 2 == 0
    phi[::2] += 0.1
    apart, p = difference(phi, seen)
    found = ttest_ind(phi[::2, 0], phi[1::2, 0], alternative="greater")
    assert apart[0] == pytest.approx(found.statistic, rel=1e-3)
    assert p[0] == pytest.approx(found.pvalue, rel=0.02)


def test_where_one_kind_of_model_is_missing_nothing_is_said():
    apart, p = difference(np.array([[1.0], [2.0]]), np.array([[True], [True]]))
    assert (apart[0], p[0]) == (0, 1)


def test_non_members_of_another_origin_are_named_first_and_nothing_is_judged():
    members, (X, y) = blobs(300, 0), blobs(300, 1)
    model = RandomForestClassifier(20, random_state=0).fit(*members)
    told = mia.audit(model, members, (X + 0.8, y), n_models=8, **QUIET)
    assert told.verdict[0].startswith("Members and non-members differ before the model is asked")
    assert str(told).splitlines()[3].strip().startswith("Members and non-members differ")
    with pytest.raises(ValueError, match="judges nothing: Members and non-members differ"):
        told.ok(max_auc=0.99)


def test_exchanged_sides_are_noticed():
    f = forest()
    told = mia.audit(f.model, f.others, f.members, n_models=0, **QUIET)
    assert "were the two sides exchanged" in told.verdict[0]


def test_labels_that_the_model_does_not_know_are_refused_or_remarked():
    f = forest()
    words = np.array(["no", "yes"])
    with pytest.raises(ValueError, match="knows none of them; code both alike"):
        mia.audit(f.model, (f.members[0], words[f.members[1]]), (f.others[0], words[f.others[1]]))
    members, others = blobs(200, 0, classes=4), blobs(200, 1, classes=4)
    model = RandomForestClassifier(20, random_state=0).fit(*members)
    shifted = ((X, y + 1) for X, y in (members, others))
    told = mia.audit(model, *shifted, n_models=0, **QUIET)
    assert told.notes[0].startswith("The records' labels are 1, 2, 3, 4, but the target answers")
    assert "less than by guessing" in told.verdict[0]


def test_rare_positives_are_seen_on_the_first_screen():
    """1 % of the records are of class 1, and only these are memorised."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20_000, 3)), (np.arange(20_000) % 100 == 0).astype(int)
    members, others = (X[:10_000], y[:10_000]), (X[10_000:], y[10_000:])
    known = {row.tobytes() for row in members[0][members[1] == 1]}

    def model(asked):
        positive = np.array([0.9 if row.tobytes() in known else 0.01 for row in asked])
        return np.column_stack([1 - positive, positive])

    told = mia.audit(model, members, others, classes=[0, 1], **QUIET)
    assert any("Worse in class 1, 100 members: AUC 1.000" in line for line in told.verdict)
    assert told.classes()[0]["class"] == 1
    assert told.classes()[0]["auc"] == 1 > told.headline.auc


def test_intervals_of_classes_are_as_wide_as_their_number_asks_for():
    f = forest()
    told = mia.audit(f.model, *(blobs(1000, seed) for seed in (3, 4)), n_models=0, **QUIET)
    rows = {row["class"]: row for row in told.classes()}
    part = told.headline.part(told.labels == 1)
    low, high = part.interval("auc")
    # Bonferroni for two: the normal quantile at 1 - .05 / 4 is 2.2414, at 1 - .05 / 2 it is 1.9600
    half = (high - low) / 2 * 2.2414 / 1.9600
    assert rows[1]["low"] == pytest.approx(part.auc - half, abs=1e-4)
    assert rows[1]["high"] == pytest.approx(part.auc + half, abs=1e-4)


def test_groups_get_results_of_their_own():
    f = forest()
    sites = np.repeat(["east", "west"], 100), np.repeat(["east", "west"], 100)
    told = mia.audit(f.model, f.members, f.others, n_models=0, groups=sites, **QUIET)
    assert {row["group"] for row in told.by_group()} == {"east", "west"}
    assert "By group" in str(told)
    with pytest.raises(ValueError, match=r"groups must be a pair of sequences, of 200 members"):
        mia.audit(f.model, f.members, f.others, n_models=0, groups=sites[0])


def test_what_a_flag_is_worth_is_bayes_rule():
    rows = of_forest().priors()
    tpr, fpr = rows[0]["tpr"], rows[0]["fpr"]
    assert [row["one in"] for row in rows] == [2, 100, 10_000]
    for row in rows:
        prior = 1 / row["one in"]
        assert row["precision"] == pytest.approx(tpr * prior / (tpr * prior + fpr * (1 - prior)))
        assert row["low"] < row["precision"] < row["high"]


def test_ok_holds_every_attack_to_the_bound_by_the_upper_end_of_its_interval():
    told = of_forest()
    highest = max(
        report.interval("auc")[1] for view in told.views.values() for report in view.values()
    )
    assert told.ok(max_auc=min(highest + 1e-6, 1)) and not told.ok(max_auc=highest - 1e-3)
    with pytest.raises(ValueError, match="needs max_auc, max_tpr_at_1_percent or both"):
        told.ok()
    with pytest.raises(ValueError, match="max_auc must be a number"):
        told.ok(max_auc=2)
    with pytest.raises(ValueError, match="needs at least 1000 non-members, the audit has 200"):
        told.ok(max_tpr_at_1_percent=0.05)


# What a model may be


@pytest.fixture
def people():
    """A table with texts, a category and missing values, and labels in words."""
    rng = np.random.default_rng(0)

    def draw(n):
        frame = pd.DataFrame(
            {
                "job": rng.choice(["baker", "smith", "clerk"], n),
                "age": rng.integers(18, 80, n).astype(float),
                "city": pd.Categorical(rng.choice(["Oslo", "Rome"], n)),
            },
            index=rng.permutation(10_000)[:n],
        )
        frame.loc[frame.index[::7], "age"] = np.nan
        return frame, np.where(frame["age"].fillna(40) + rng.normal(0, 20, n) > 45, "yes", "no")

    return draw(150), draw(150)


def test_a_pipeline_on_a_table_with_texts_and_missing_values(people):
    members, others = people
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["job", "city"]), remainder="passthrough"
    )
    model = make_pipeline(columns, HistGradientBoostingClassifier(max_iter=20)).fit(*members)
    allowed = {"n_models": 8, "duplicates": "allow", **QUIET}
    told = mia.audit(model, members, others, **allowed)
    assert set(np.unique(told.labels)) == {"no", "yes"}
    assert told.exposed()[0]["record"] in set(members[0].index)
    json.dumps(told.to_dict(records=True))


def test_records_of_other_columns_are_refused(people):
    (X, y), others = people
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()).fit(X, y)
    with pytest.raises(ValueError, match="city"):
        mia.audit(model, (X, y), (others[0].drop(columns="city"), others[1]))


def test_a_model_of_another_kind_than_the_estimator_is_remarked():
    f = forest()
    told = mia.audit(
        f.model, f.members, f.others, estimator=LogisticRegression(), n_models=8, **QUIET
    )
    assert "of another kind (LogisticRegression) than the model (RandomForest" in told.notes[0]


def test_what_a_private_network_does_not_promise_is_said():
    members, others = blobs(60, 0), blobs(60, 1)
    private = mia.MLP(
        hidden=8, epochs=5, clip=1.0, noise_multiplier=1.0, expected_members=60, random_state=0
    )
    model = make_pipeline(StandardScaler(), private).fit(*members, mlp__classes=[0, 1])
    told = mia.audit(model, members, others, n_models=0, **QUIET)
    assert any("such as a scaler, are outside it" in note for note in told.notes)
    wide = [(X * [1, 1, 1, 1, 1, 1000], y) for X, y in (members, others)]
    told = mia.audit(private.fit(*wide[0], classes=[0, 1]), *wide, n_models=0, **QUIET)
    assert any("scaled by bounds" in note for note in told.notes)


class Service:
    """A function of records that counts its calls, and may answer badly."""

    def __init__(self, change=lambda answers, call: answers):
        self.change, self.sizes = change, []

    def __call__(self, X):
        self.sizes.append(len(X))
        return self.change(forest().model.predict_proba(X), len(self.sizes))


def test_a_service_is_asked_in_batches_within_its_budget():
    f = forest()
    service = Service()
    told = mia.audit(service, f.members, f.others, classes=[0, 1], batch=50, budget=120, **QUIET)
    assert max(service.sizes) <= 50 and sum(service.sizes) <= 120
    assert (
        "The budget of 120 queries covers a random part of the records: 60 of 200"
        in (told.notes[0])
    )
    assert told.headline.members.sum() == 60
    with pytest.raises(ValueError, match="budget must cover at least 20 records on each side"):
        mia.audit(service, f.members, f.others, classes=[0, 1], budget=30)


def test_a_service_that_answers_otherwise_when_asked_again_is_remarked():
    f = forest()
    noise = np.random.default_rng(0)

    def change(answers, _):
        first = np.clip(answers[:, 0] + noise.normal(0, 0.02, len(answers)), 0, 1)
        return np.column_stack([first, 1 - first])

    told = mia.audit(Service(change), f.members, f.others, classes=[0, 1], **QUIET)
    assert any("does not answer the same question in the same way" in note for note in told.notes)


def broken_service(answers, call):
    raise ConnectionError("the line is dead")


@pytest.mark.parametrize(
    "change, message",
    [
        (broken_service, "asked about records 0 to 399 of 400: ConnectionError: the line is dead"),
        (lambda answers, _: answers * np.nan, "nan|NaN"),
        (lambda answers, _: answers * 3, "sum"),
        (lambda answers, _: -answers, "at least 0"),
    ],
)
def test_bad_answers_are_refused(change, message):
    f = forest()
    with pytest.raises(ValueError, match=message):
        mia.audit(Service(change), f.members, f.others, classes=[0, 1], **QUIET)


@pytest.mark.parametrize(
    "bad, message",
    [
        (lambda m, o: (LinearRegression().fit(*m), m, o), "classifier with predict_proba"),
        (lambda m, o: (RandomForestClassifier(), m, o), "fitted"),
        (lambda m, o: (forest().model, (m[0][:5], m[1][:5]), o), "members must hold at least 20"),
        (lambda m, o: (forest().model, m, (o[0][:5], o[1][:5])), "nonmembers must hold at least"),
        (lambda m, o: (forest().model, m, (m[0][:50], m[1][:50])), "50 of the 50 records"),
        (lambda m, o: (forest().model, (m[0], m[1] * 0), (o[0], o[1] * 0)), "at least two classes"),
        (lambda m, o: (forest().model, (m[0][:, :3], m[1]), o), "column|feature"),
    ],
)
def test_what_cannot_be_audited_is_refused(bad, message):
    f = forest()
    with pytest.raises((ValueError, TypeError), match=message):
        mia.audit(*bad(f.members, f.others), **QUIET)


def test_texts_without_a_pipeline_are_refused_with_the_models_own_words():
    f = forest()
    texts = [
        (np.full((len(y), 6), "a", object) + X.astype(str), y) for X, y in (f.members, f.others)
    ]
    with pytest.raises(ValueError, match="the model failed .* could not convert string to float"):
        mia.audit(f.model, *texts)


def test_too_few_models_are_refused_before_any_is_trained():
    members, others = blobs(400, 0), blobs(100, 1)
    model = RandomForestClassifier(5, random_state=0).fit(*members)
    with pytest.raises(ValueError, match=r"n_models must be at least 20, .* got 16"):
        mia.audit(model, members, others)


def test_a_pool_needs_an_estimator():
    f = forest()
    with pytest.raises(ValueError, match="pool needs an estimator"):
        mia.audit(f.model.predict_proba, f.members, f.others, classes=[0, 1], pool=blobs(100, 2))


# What is kept and written


class Stopping(RandomForestClassifier):
    """A forest whose training is stopped from outside after a few copies."""

    fits = 0
    stop_after = None

    def fit(self, X, y):
        if Stopping.stop_after is not None and Stopping.fits >= Stopping.stop_after:
            raise KeyboardInterrupt
        Stopping.fits += 1
        return super().fit(X, y)


def test_work_that_was_stopped_goes_on_where_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr(Stopping, "fits", 0)
    f = forest()
    model = Stopping(10, random_state=0, n_jobs=1).fit(*f.members)
    again = {"n_models": 8, "cache": tmp_path / "kept", **QUIET}
    monkeypatch.setattr(Stopping, "stop_after", 5)
    import joblib

    with joblib.parallel_config(n_jobs=1):
        with pytest.raises(KeyboardInterrupt):
            mia.audit(model, f.members, f.others, **again)
        kept = len(list((tmp_path / "kept").glob("*.npz")))
        assert 3 <= kept <= 4
        monkeypatch.setattr(Stopping, "stop_after", None)
        monkeypatch.setattr(Stopping, "fits", 0)
        told = mia.audit(model, f.members, f.others, **again)
        assert Stopping.fits == 8 - kept
        whole = mia.audit(model, f.members, f.others, n_models=8, **QUIET)
        other = mia.audit(model, f.members, f.others, **again | {"random_state": 1})
    assert (told.headline.scores == whole.headline.scores).all()
    assert (told.headline.scores != other.headline.scores).any()  # another call, other models
    assert "personal data" in (tmp_path / "kept/PERSONAL-DATA.txt").read_text()


def test_a_folder_that_cannot_be_written_is_refused_first(tmp_path):
    f = forest()
    (tmp_path / "file").write_text("")
    for bad in (tmp_path / "file", "", 5):
        with pytest.raises(ValueError, match="cache must be a folder of its own"):
            mia.audit(f.model, f.members, f.others, cache=bad)
    with pytest.raises(ValueError, match="holds other files; name a new or an empty folder"):
        mia.audit(f.model, f.members, f.others, cache=tmp_path)
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(ValueError, match="path must be one that can be written"):
        of_forest().save(tmp_path / "folder.html")
    (tmp_path / "folder.html").rmdir()
    with pytest.raises(ValueError, match="can be written, got .*: there is no folder '.*none'"):
        of_forest().save(tmp_path / "none/report.html")
    with pytest.raises(ValueError, match=r"path must end in .html or .json"):
        of_forest().save(tmp_path / "report.pdf")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_records_are_written_only_where_they_are_asked_for(tmp_path):
    f = forest()
    ids = [f"member-{i}" for i in range(200)], [f"other-{i}" for i in range(200)]
    told = mia.audit(f.model, f.members, f.others, n_models=8, ids=ids, **QUIET)
    for kind in ("html", "json"):
        plain = told.save(tmp_path / f"plain.{kind}").read_text()
        named = told.save(tmp_path / f"named.{kind}", records=True).read_text()
        assert (
            str(told.exposed()[0]["record"]) in named
            and "This file tells who was in the training set" in named
        )
        assert "member-" not in plain and "other-" not in plain


def test_json_holds_the_report(tmp_path):
    told = of_forest()
    read = json.loads(told.save(tmp_path / "report.json").read_text())
    auc = read["views"]["auditor's view"]["LiRA"]["auc"]
    report = told.views["auditor's view"]["LiRA"]
    assert auc["value"] == report.auc
    assert auc["interval"] == list(report.interval("auc"))
    assert read["provenance"]["random_state"] == 0 and read["verdict"][0] == told.verdict[0]
    assert read["views"]["answers only"]["gap attack"]["TPR at 0.1 % FPR"] is None


def test_the_page_stands_alone_and_its_pictures_have_words(tmp_path):
    path = of_forest().save(tmp_path / "report.html", records=True)
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_size < 1_500_000
    elsewhere = set(re.findall(r"https?://[^\s\"'<>]+", text))
    assert all("www.w3.org" in name for name in elsewhere), elsewhere  # names, not addresses
    assert "<script" not in text and "<link" not in text and "@import" not in text
    labels = re.findall(r'<figure role="img" aria-label="([^"]+)"', text)
    assert len(labels) == 3 and all("threshold attack" in label for label in labels[:2])


def test_the_same_call_gives_the_same_report():
    f = forest()
    first, second = (mia.audit(f.model, f.members, f.others, n_models=8, **QUIET) for _ in "12")
    assert str(first) == str(second)
    assert first.save.__doc__ and first.to_dict(True) == second.to_dict(True)


def test_a_notebook_shows_what_print_says():
    html = of_forest()._repr_html_()
    assert "<html" not in html and of_forest().verdict[0].split(":")[0] in html


def test_several_audits_stand_side_by_side():
    f = forest()
    smooth = RandomForestClassifier(20, min_samples_leaf=20, random_state=0).fit(*f.members)
    audits = {
        "as it was": of_forest(),
        "large leaves": mia.audit(smooth, f.members, f.others, n_models=10, **QUIET),
    }
    table = mia.compare(audits)
    first, second = table.rows()
    assert first["auc"] == of_forest().headline.auc > second["auc"]
    assert "large leaves" in str(table) and "leak" in str(table)
    assert len(table.plot().lines) == 5
    answers = mia.audit(f.model, f.members, f.others, n_models=0, **QUIET)
    with pytest.raises(
        ValueError, match="judged by the same attack, got the model by calibrated attack, x by"
    ):
        mia.compare({"the model": of_forest(), "x": answers})
    with pytest.raises(ValueError, match="different names"):
        mia.compare([of_forest(), of_forest()])


# What a data scientist met, trying it


def test_a_rare_class_that_leaks_is_named_and_fails_a_guard():
    rng = np.random.default_rng(0)
    y = (rng.random(1600) < 0.05).astype(int)
    X = rng.normal(size=(1600, 4))
    members, others = (X[:800], y[:800]), (X[800:], y[800:])
    model = KNeighborsClassifier(2).fit(*members)
    told = mia.audit(model, members, others, n_models=8, **QUIET)
    assert any("Worse in class 1" in line for line in told.verdict), told.verdict
    assert "under 100: 1 (" in " ".join(str(told).split())
    assert not told.ok(max_auc=0.7)


def test_no_false_alarm_in_few_records_is_no_certainty():
    f = forest()
    known = {row.tobytes() for row in f.members[0]}

    def model(asked):
        sure = np.array([0.99 if row.tobytes() in known else 0.6 for row in asked])
        return np.column_stack([sure, 1 - sure])

    zeros = [(X, np.zeros(200, int)) for X, _ in (f.members, f.others)]
    zeros[1][1][0] = 1  # a class needs two labels
    told = mia.audit(model, *zeros, classes=[0, 1], **QUIET)
    rare = told.priors()[-1]
    # of 200 non-members none flagged: an FPR up to 1 - .025 ** (1 / 200) = 1.8 %
    assert rare["precision"] is None and rare["low"] < 0.01
    assert re.search(r"10,000 +at least 0\.5", str(told))


@pytest.mark.parametrize(
    "change",
    [lambda X: X.astype(np.float32), lambda X: X + 1e-12, lambda X: np.round(X, 7)],
    ids=["float32", "a last digit", "rounded"],
)
def test_copies_that_were_rounded_are_found(change):
    f = forest()
    others = change(f.members[0]), f.members[1]
    told = mia.audit(f.model, f.members, others, n_models=0, **QUIET)
    # a number that lies between two roundings may go either way: a few of a hundred records
    found = int(re.match(r"At least (\d+) of the 200 non-members", told.verdict[0])[1])
    assert found >= 190
    half = np.concatenate([change(f.members[0])[:100], f.others[0][:100]])
    told = mia.audit(f.model, f.members, (half, f.others[1]), n_models=0, **QUIET)
    assert re.match(r"At least (9\d|100) of the 200 non-members", told.verdict[0])


def test_words_with_blanks_are_the_same_words():
    words = np.array([["a ", "b"]] * 10 + [["c", f"{i}"] for i in range(20)], object)
    from miaedu.auditing.given import near_copies

    world = mia.World.from_arrays(
        np.char.strip(words.astype(str)).astype(object)[:15],
        np.arange(15) % 2,
        words[:10],
        np.arange(10) % 2,
        duplicates="allow",
    )
    assert near_copies(world)[0].startswith("At least 10 of the 10 non-members")


def test_the_word_of_the_verdict_is_that_of_the_attack_it_names():
    """Shadow models of another kind: the calibrated attack is misled, and an AUC below 0.5 is no
    leak that it found."""
    f = forest()
    told = mia.audit(f.model, f.members, f.others, estimator=DummyClassifier(), n_models=8, **QUIET)
    first = told.verdict[0]
    word, value = re.match(r"A (\w+) leak: .*? reaches AUC (0\.\d+)", first).groups()
    assert float(value) >= {"severe": 0.8, "clear": 0.6, "weak": 0.5}[word]
    if "calibrated" not in first:
        assert told.verdict[1].startswith("The attack named beforehand: the calibrated attack")


def test_with_a_budget_shadow_models_still_learn_from_all_records():
    f = forest()
    told = mia.audit(f.model, f.members, f.others, n_models=8, budget=120, **QUIET)
    assert told.seen.shape == (8, 120) and told.headline.members.sum() == 60
    learned = told.provenance["records a shadow model learns from"]
    assert learned == {"auditor's view": 200}


def test_a_cache_of_other_code_or_a_damaged_one_is_not_believed(tmp_path):
    f = forest()
    settings = {"n_models": 8, "cache": tmp_path, **QUIET}
    first = mia.audit(f.model, f.members, f.others, **settings)
    files = sorted(tmp_path.glob("*.npz"))
    files[0].write_bytes(files[0].read_bytes()[:100])
    files[1].write_bytes(b"")
    files[2].write_bytes(files[2].read_bytes().replace(b"\x00\x00", b"\x01\x00", 40))
    again = mia.audit(f.model, f.members, f.others, **settings)
    assert (first.headline.scores == again.headline.scores).all()

    class Forest(RandomForestClassifier):
        pass

    from miaedu.auditing.models import _sources

    assert _sources(Forest()) != _sources(RandomForestClassifier())


@pytest.mark.parametrize(
    "pool, message",
    [
        (lambda X, y: (X, y + 3), "pool must hold labels that the model knows, 0, 1, got 3, 4"),
        (lambda X, y: X, "pool must be a pair"),
    ],
)
def test_a_pool_that_cannot_serve_is_refused(pool, message):
    f = forest()
    with pytest.raises(ValueError, match=message):
        mia.audit(f.model, f.members, f.others, pool=pool(*blobs(100, 2)), **QUIET)


def test_a_pool_that_serves_ill_is_remarked():
    f = forest()
    X, y = blobs(100, 2)
    told = mia.audit(f.model, f.members, f.others, pool=(X, y), n_models=0, **QUIET)
    assert any("The pool was not used" in note for note in told.notes)
    told = mia.audit(f.model, f.members, f.others, pool=(X, y), n_models=8, **QUIET)
    assert any("The pool holds 100 records, fewer than" in note for note in told.notes)


def test_a_household_on_both_sides_is_remarked():
    f = forest()
    told = mia.audit(
        f.model,
        f.members,
        f.others,
        together=(np.arange(200) // 2, np.arange(200) // 2),
        n_models=8,
        **QUIET,
    )
    assert any("100 values of `together` have records on both sides" in n for n in told.notes)


def test_a_series_in_another_order_than_its_table_is_refused():
    f = forest()
    frame = pd.DataFrame(f.members[0], columns=list("abcdef"))
    y = pd.Series(f.members[1]).iloc[::-1]
    others = pd.DataFrame(f.others[0], columns=list("abcdef")), f.others[1]
    with pytest.raises(ValueError, match="members must have X and y in the same order"):
        mia.audit(f.model, (frame, y), others)


def test_groups_of_mixed_kinds_are_texts_and_none_is_left_out_unsaid():
    f = forest()
    kinds = np.array([1, "x", None] * 66 + [1, 1], object)
    told = mia.audit(f.model, f.members, f.others, groups=(kinds, kinds), n_models=0, **QUIET)
    text = " ".join(str(told).split())
    assert "None (66 and 66)" in text and "x (66 and 66)" in text


def test_ids_that_repeat_are_refused_and_indexes_that_do_are_replaced():
    f = forest()
    with pytest.raises(ValueError, match="ids must name each record of a side once"):
        mia.audit(f.model, f.members, f.others, ids=([1] * 200, [2] * 200), n_models=0)
    frames = [
        (pd.DataFrame(X, index=[1] * 200, columns=list("abcdef")), y)
        for X, y in (f.members, f.others)
    ]
    model = RandomForestClassifier(5, random_state=0).fit(*frames[0])
    told = mia.audit(model, *frames, n_models=0, **QUIET)
    assert "named by their row numbers" in told.notes[0] and told.ids.max() == 199


@pytest.mark.parametrize(
    "estimator", ["forest", RandomForestClassifier, LinearRegression(), object()]
)
def test_what_is_no_classifier_to_clone_is_refused_by_its_argument(estimator):
    f = forest()
    with pytest.raises(TypeError, match="estimator must be"):
        mia.audit(f.model, f.members, f.others, estimator=estimator)


def test_what_is_no_pair_is_refused_by_its_argument():
    f = forest()
    for bad in (f.members[0], None, (*f.members, 1)):
        with pytest.raises(ValueError, match="members must be a pair"):
            mia.audit(f.model, bad, f.others)
    with pytest.raises(ValueError, match="non-members' X|nonmembers"):
        mia.audit(f.model, f.members, (f.others[0][:, 0], f.others[1]))


def test_rounded_answers_of_a_service_can_be_audited():
    f = forest()
    service = Service(lambda answers, _: answers.round(2))
    told = mia.audit(service, f.members, f.others, classes=[0, 1], **QUIET)
    assert told.headline.auc > 0.5


def test_the_remark_says_which_records_failed_in_a_batch():
    f = forest()

    def change(answers, call):
        if call == 3:
            raise ConnectionError("the line is dead")
        return answers

    with pytest.raises(ValueError, match="asked about records 100 to 149 of 400"):
        mia.audit(Service(change), f.members, f.others, classes=[0, 1], batch=50)


def test_audits_of_other_records_are_not_compared_unsaid():
    f = forest()
    other = mia.audit(f.model, blobs(100, 8), blobs(100, 9), n_models=10, name="other", **QUIET)
    table = mia.compare({"the model": of_forest(), "other": other})
    assert "differ in their records or settings" in str(table)
    with pytest.raises(TypeError, match="reports must be what mia.audit returns, got str"):
        mia.compare([of_forest(), "x"])
    with pytest.raises(TypeError, match="reports must be a dict or a list"):
        mia.compare(5)


def test_the_page_explains_its_words():
    text = " ".join(str(of_forest()).split())
    for word in ("AUC: how often", "TPR: the share", "phi is the log odds", "-: not to be judged"):
        assert word in text
    assert "random_state: 0" in text and "date: 20" in text
    assert text.index("Checks of the evaluation") < text.index("Attacks: answers only")


def test_a_scaler_that_works_in_place_spoils_no_shadow_model():
    members, others = blobs(100, 0), blobs(100, 1)
    found = []
    for copy in (True, False):
        model = make_pipeline(StandardScaler(copy=copy), KNeighborsClassifier(3))
        model.fit(members[0].copy(), members[1])
        told = mia.audit(model, members, others, n_models=8, **QUIET)
        found.append(told.headline.scores)
    assert (found[0] == found[1]).all()
