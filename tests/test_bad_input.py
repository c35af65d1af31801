"""What is wrong with an argument is said in words: which one, what it was, what is allowed. Nothing
is lost by it."""

from types import SimpleNamespace

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import miaedu as mia
from miaedu import MLP, BlackBox, Dataset, Experiment, ShadowModels

rng = np.random.default_rng(0)
Y = np.arange(40) % 2
X = rng.normal(Y[:, None], 1, (40, 3)).astype(np.float32)
HALVES = rng.random((2, 40)) < 0.5


def with_one(value, dtype=np.float32):
    spoilt = X.astype(dtype)
    spoilt[7, 1] = value
    return spoilt


def mask(*rows):
    return np.array([np.full(40, row) for row in rows])


def things():
    """One of each thing that can be asked something, in working order."""
    net = MLP(epochs=2, random_state=0).fit(X, Y)
    shadows = ShadowModels(MLP(epochs=2), n_models=2, random_state=0).fit(X, Y)
    data = Dataset.from_arrays(X, Y)
    return SimpleNamespace(
        net=net,
        shadows=shadows,
        data=data,
        world=mia.split(data, 10, random_state=0),
        api=BlackBox(net),
        limited=BlackBox(net, budget=15),
        attack=mia.ShadowAttack().fit(shadows),
        report=mia.Report("by hand", np.array([0.9, 0.8, 0.1]), Y[:3] == 0, Y[:3], Y[:3] == 0, 0.5),
    )


def liar(*answers):
    """A black box around a target that gives `answers`, whatever it is asked."""
    return BlackBox(
        SimpleNamespace(classes_=np.array([0, 1]), predict_proba=lambda X: np.array(answers))
    )


def judge(scores, members):
    return mia.Report("by hand", np.array(scores), np.array(members), Y[:2], Y[:2] == 0, 0.5)


# What is done, the class of the error, and what its message must say.
TABLE = {
    # Records and labels
    "NaN in X": (lambda t: t.net.fit(with_one(np.nan), Y), ValueError, "X", "NaN"),
    "infinity in X": (lambda t: t.net.fit(with_one(np.inf), Y), ValueError, "X", "infinity"),
    "too large for float32": (
        lambda t: t.net.fit(with_one(1e300, float), Y),
        ValueError,
        "X",
        "too large",
    ),
    "NaN asked about": (lambda t: t.net.predict_proba(with_one(np.nan)), ValueError, "X", "NaN"),
    "NaN asked of many": (
        lambda t: t.shadows.predict_proba(with_one(np.nan)),
        ValueError,
        "X",
        "NaN",
    ),
    "NaN for shadows": (lambda t: t.shadows.fit(with_one(np.nan), Y), ValueError, "X", "NaN"),
    "NaN in a Dataset": (
        lambda t: Dataset.from_arrays(with_one(np.nan), Y),
        ValueError,
        "X",
        "nan",
        "record 7",
        "finite",
    ),
    "infinity in a Dataset": (
        lambda t: Dataset.from_arrays(with_one(np.inf), Y),
        ValueError,
        "X",
        "inf",
        "feature 1",
    ),
    "text in X": (lambda t: t.net.fit(with_one("a", object), Y), ValueError, "float", "'a'"),
    "text in a Dataset": (
        lambda t: Dataset.from_arrays(with_one("a", object), Y),
        ValueError,
        "X",
        "numbers",
        "'a'",
    ),
    "X without columns": (lambda t: t.net.fit(X[:, 0], Y), ValueError, "2D array"),
    "no records": (lambda t: t.net.fit(X[:0], Y[:0]), ValueError, "0 sample", "minimum of 1"),
    "lengths differ": (lambda t: t.net.fit(X, Y[:9]), ValueError, "[40, 9]"),
    "lengths differ in a Dataset": (
        lambda t: Dataset.from_arrays(X, Y[:9]),
        ValueError,
        "y",
        "40",
        "(9,)",
    ),
    "amounts as labels": (lambda t: t.net.fit(X, X[:, 0]), ValueError, "label", "continuous"),
    "amounts in a Dataset": (
        lambda t: Dataset.from_arrays(X, X[:, 0]),
        ValueError,
        "y",
        "labels, not amounts",
    ),
    "a missing label": (
        lambda t: Dataset.from_arrays(X, [None, *Y[1:]]),
        ValueError,
        "y",
        "None",
        "record 0",
    ),
    "one class only": (
        lambda t: t.net.fit(X, 0 * Y),
        ValueError,
        "y",
        "at least two classes",
        "got one class: 0",
    ),
    "one class only in a Dataset": (
        lambda t: Dataset.from_arrays(X, 0 * Y),
        ValueError,
        "y",
        "at least two classes",
        "got only 0",
    ),
    "one class only for shadows": (
        lambda t: t.shadows.fit(X, 0 * Y),
        ValueError,
        "y",
        "two classes",
        "got one class: 0",
    ),
    "a label that is not public": (
        lambda t: t.net.fit(X, Y, classes=[0, 5]),
        ValueError,
        "classes",
        "every label of y",
        "1",
    ),
    "not public for shadows": (
        lambda t: t.shadows.fit(X, Y, classes=[0, 5]),
        ValueError,
        "classes",
        "1",
    ),
    "not public for shadow trees": (
        lambda t: ShadowModels(DecisionTreeClassifier(), 2).fit(X, Y, classes=[0, 5]),
        ValueError,
        "classes",
        "1",
    ),
    "other features than in fit": (
        lambda t: t.net.predict(X[:, :2]),
        ValueError,
        "2 features",
        "3",
    ),
    "other features asked of many": (
        lambda t: t.shadows.predict_proba(X[:, :2]),
        ValueError,
        "2 features",
        "3",
    ),
    "other features at the door": (
        lambda t: t.api.predict_proba(X[:, :2]),
        ValueError,
        "2 features",
        "3",
    ),
    "other features for an attack": (
        lambda t: t.attack.score(t.api, X[:, :2], Y),
        ValueError,
        "2 features",
        "3",
    ),
    # Splitting
    "more records than there are": (
        lambda t: mia.split(t.data, 21),
        ValueError,
        "n_members",
        "at most 40",
        "21 + 21",
    ),
    "no members": (lambda t: mia.split(t.data, 0), ValueError, "n_members", "at least 1", "got 0"),
    "no non-members": (
        lambda t: mia.split(t.data, 5, 0),
        ValueError,
        "n_nonmembers",
        "at least 1",
        "got 0",
    ),
    "half a member": (
        lambda t: mia.split(t.data, 5.5),
        ValueError,
        "n_members",
        "whole number",
        "got 5.5",
    ),
    "groups there are not": (
        lambda t: mia.split(t.data, 5, by_group=True),
        ValueError,
        "groups",
        "has none",
    ),
    # The network
    "no hidden units": (
        lambda t: MLP(hidden=0).fit(X, Y),
        ValueError,
        "hidden",
        "at least 1",
        "got 0",
    ),
    "hidden units as text": (
        lambda t: MLP(hidden="64").fit(X, Y),
        ValueError,
        "hidden",
        "whole number",
        "'64'",
    ),
    "True for hidden units": (lambda t: MLP(hidden=True).fit(X, Y), ValueError, "hidden", "True"),
    "no epochs": (lambda t: MLP(epochs=0).fit(X, Y), ValueError, "epochs", "at least 1", "got 0"),
    "half an epoch": (
        lambda t: MLP(epochs=0.5).fit(X, Y),
        ValueError,
        "epochs",
        "whole number",
        "got 0.5",
    ),
    "batches of one": (
        lambda t: MLP(batch_size=1).fit(X, Y),
        ValueError,
        "batch_size",
        "at least 2",
        "got 1",
    ),
    "batches by name": (
        lambda t: MLP(batch_size="full").fit(X, Y),
        ValueError,
        "batch_size",
        "auto",
        "None",
        "'full'",
    ),
    "no learning rate": (
        lambda t: MLP(learning_rate=0).fit(X, Y),
        ValueError,
        "learning_rate",
        "above 0",
        "got 0",
    ),
    "NaN as learning rate": (
        lambda t: MLP(learning_rate=np.nan).fit(X, Y),
        ValueError,
        "learning_rate",
        "nan",
    ),
    "a negative penalty": (
        lambda t: MLP(l2=-0.1).fit(X, Y),
        ValueError,
        "l2",
        "at least 0",
        "got -0.1",
    ),
    "a clip of nothing": (lambda t: MLP(clip=0).fit(X, Y), ValueError, "clip", "above 0", "got 0"),
    "negative noise": (
        lambda t: MLP(clip=1.0, noise_multiplier=-1).fit(X, Y),
        ValueError,
        "noise_multiplier",
        "got -1",
    ),
    "noise without a clip": (
        lambda t: MLP(noise_multiplier=2).fit(X, Y),
        ValueError,
        "noise_multiplier",
        "2",
        "clip",
    ),
    "noise without a divisor": (
        lambda t: MLP(clip=1, noise_multiplier=2).fit(X, Y),
        ValueError,
        "expected_members",
    ),
    "noise without public labels": (
        lambda t: MLP(clip=1, noise_multiplier=2, expected_members=9).fit(X, Y),
        ValueError,
        "classes must be given",
    ),
    "a clip in small batches": (
        lambda t: MLP(clip=1, batch_size=20).fit(X, Y),
        ValueError,
        "batch_size",
        "20",
        "clip",
    ),
    "a snapshot after the end": (
        lambda t: MLP(epochs=5, snapshots=[6]).fit(X, Y),
        ValueError,
        "snapshots",
        "1 to 5",
        "got 6",
    ),
    "a snapshot alone": (
        lambda t: MLP(epochs=5, snapshots=3).fit(X, Y),
        (TypeError, ValueError),
        "snapshots",
        "got 3",
    ),
    "an epoch not kept": (lambda t: t.net.at(1), ValueError, "epoch", "[2]", "got 1"),
    "a negative seed": (
        lambda t: MLP(random_state=-1).fit(X, Y),
        ValueError,
        "random_state",
        "got -1",
    ),
    "text as a seed": (
        lambda t: MLP(random_state="x").fit(X, Y),
        (TypeError, ValueError),
        "random_state",
        "'x'",
    ),
    # Many networks
    "no copies": (
        lambda t: t.net.fit_many(X, Y, np.ones((0, 40), bool)),
        ValueError,
        "members",
        "at least one row",
        "(0, 40)",
    ),
    "a mask of other records": (
        lambda t: t.net.fit_many(X, Y, HALVES[:, :9]),
        ValueError,
        "members",
        "40",
        "(2, 9)",
    ),
    "a mask of one row": (
        lambda t: t.net.fit_many(X, Y, HALVES[0]),
        ValueError,
        "members",
        "40",
        "(40,)",
    ),
    "a mask of numbers": (
        lambda t: t.net.fit_many(X, Y, HALVES + 0),
        ValueError,
        "members",
        "boolean",
        "int",
    ),
    "an empty row": (
        lambda t: t.net.fit_many(X, Y, mask(True, False)),
        ValueError,
        "members",
        "at least one record",
        "row 1",
    ),
    "fewer than no threads": (
        lambda t: t.net.fit_many(X, Y, HALVES, n_jobs=-3),
        ValueError,
        "n_jobs",
        "got -3",
    ),
    # Shadow models
    "no shadows": (
        lambda t: ShadowModels(MLP(), 0).fit(X, Y),
        ValueError,
        "n_models",
        "at least 1",
        "got 0",
    ),
    "half a shadow": (
        lambda t: ShadowModels(MLP(), 1.5).fit(X, Y),
        ValueError,
        "n_models",
        "whole number",
        "got 1.5",
    ),
    "shadows without confidences": (
        lambda t: ShadowModels(SVC(), 2).fit(X, Y),
        TypeError,
        "model",
        "predict_proba",
        "SVC",
    ),
    "too few records for shadows": (
        lambda t: t.shadows.fit(X[:3], Y[:3]),
        ValueError,
        "X",
        "at least 4",
        "got 3",
    ),
    "bad settings of a shadow": (
        lambda t: ShadowModels(MLP(epochs=0), 2).fit(X, Y),
        ValueError,
        "epochs",
        "at least 1",
        "got 0",
    ),
    "unfitted shadows": (
        lambda t: ShadowModels(MLP()).predict_proba(X),
        ValueError,
        "ShadowModels",
        "fit",
    ),
    "learning from unfitted shadows": (
        lambda t: t.attack.fit(ShadowModels(MLP())),
        ValueError,
        "ShadowModels",
        "fit",
    ),
    # Targets and their black box
    "a target without confidences": (
        lambda t: BlackBox(SVC().fit(X, Y)),
        TypeError,
        "target",
        "predict_proba",
        "SVC",
    ),
    "an unfitted target": (
        lambda t: BlackBox(LogisticRegression()),
        ValueError,
        "target",
        "fitted",
        "LogisticRegression",
    ),
    "no budget": (lambda t: BlackBox(t.net, budget=0), ValueError, "budget", "at least 1", "got 0"),
    "hiding by a number": (
        lambda t: BlackBox(t.net, hide=[3]),
        TypeError,
        "hide",
        "functions",
        "got 3",
    ),
    "hiding by a number alone": (
        lambda t: BlackBox(t.net, hide=3),
        TypeError,
        "hide",
        "functions",
        "got 3",
    ),
    "more than the budget": (
        lambda t: t.limited.predict_proba(X[:16]),
        ValueError,
        "budget of 15",
        "0 used",
        "16 more",
    ),
    "labels beyond the budget": (
        lambda t: mia.label_by_querying(t.limited, X),
        ValueError,
        "budget of 15",
        "40 more",
    ),
    "an attack beyond the budget": (
        lambda t: mia.evaluate(t.attack, t.limited, t.world),
        ValueError,
        "budget",
        "20 more",
    ),
    "sums that are not 1": (
        lambda t: liar([0.5, 0.5], [0.5, 0.4]).predict_proba(X[:2]),
        ValueError,
        "sum to 1",
        "row 1 is [0.5 0.4]",
    ),
    "a negative probability": (
        lambda t: liar([1.5, -0.5]).predict_proba(X[:1]),
        ValueError,
        "at least 0",
        "row 0 is [ 1.5 -0.5]",
    ),
    "NaN as a probability": (
        lambda t: liar([np.nan, 1]).predict_proba(X[:1]),
        ValueError,
        "confidences",
        "nan",
    ),
    "too few columns": (
        lambda t: liar([1.0]).predict_proba(X[:1]),
        ValueError,
        "confidences",
        "(1, 2)",
        "(1, 1)",
    ),
    "too many columns": (
        lambda t: liar([1.0, 0, 0]).predict_proba(X[:1]),
        ValueError,
        "confidences",
        "(1, 2)",
        "(1, 3)",
    ),
    "too few answers": (
        lambda t: liar([1.0, 0]).predict_proba(X[:2]),
        ValueError,
        "confidences",
        "(2, 2)",
        "(1, 2)",
    ),
    # Attacks and their report
    "labels for other records": (
        lambda t: t.attack.score(t.api, X, Y[:9]),
        ValueError,
        "same length",
        "got 40 and 9",
    ),
    "an unfitted attack": (
        lambda t: mia.ShadowAttack().score(t.api, X, Y),
        ValueError,
        "ShadowAttack",
        "fit",
    ),
    "reporting an unfitted attack": (
        lambda t: mia.evaluate(mia.ThresholdAttack(), t.api, t.world),
        ValueError,
        "ThresholdAttack",
        "fit",
    ),
    "learning through a number": (
        lambda t: t.attack.fit(t.shadows, hide=[3]),
        TypeError,
        "hide",
        "functions",
        "got 3",
    ),
    "infinite scores": (
        lambda t: judge([0.5, np.inf], [True, False]),
        ValueError,
        "scores",
        "finite",
        "inf",
    ),
    "scores that are none": (
        lambda t: judge([np.nan, 0.5], [True, False]),
        ValueError,
        "scores",
        "finite",
        "nan",
    ),
    "members only": (
        lambda t: judge([0.5, 0.1], [True, True]),
        ValueError,
        "members",
        "one non-member",
    ),
    "non-members only": (
        lambda t: judge([0.5, 0.1], [False, False]),
        ValueError,
        "members",
        "one member",
    ),
    "a measure there is not": (
        lambda t: t.report.interval("aucc"),
        ValueError,
        "name",
        "auc",
        "'aucc'",
    ),
    "a measure without its rate": (
        lambda t: t.report.interval("tpr_at"),
        (TypeError, ValueError),
        "tpr_at",
        "fpr",
    ),
    "a rate above 1": (lambda t: t.report.tpr_at(1.5), ValueError, "fpr", "got 1.5"),
    "a rate below 0": (lambda t: t.report.tpr_at(-0.1), ValueError, "fpr", "got -0.1"),
    "NaN as a rate": (lambda t: t.report.tpr_at(np.nan), ValueError, "fpr", "nan"),
    # Experiments
    "unknown data": (
        lambda t: Experiment(data="purchase"),
        ValueError,
        "data",
        "purchases, clinic",
        "'purchase'",
    ),
    "unknown labels": (
        lambda t: Experiment(labels="asked"),
        ValueError,
        "labels",
        "true, queried",
        "'asked'",
    ),
    "an unknown attack": (
        lambda t: Experiment(attack="oracle"),
        ValueError,
        "attack",
        "shadow, threshold",
        "'oracle'",
    ),
    "an experiment with one class": (
        lambda t: Experiment(n_classes=1),
        ValueError,
        "n_classes",
        "at least 2",
        "1",
    ),
    "an experiment without shadows": (
        lambda t: Experiment(n_shadows=0),
        ValueError,
        "n_shadows",
        "at least 1",
        "got 0",
    ),
    "an experiment without epochs": (
        lambda t: Experiment(epochs=0),
        ValueError,
        "epochs",
        "at least 1",
        "got 0",
    ),
    "an experiment too large": (
        lambda t: mia.run(Experiment("tumours", n_members=400)),
        ValueError,
        "n_members",
        "at most 569",
    ),
    "a negative seed of an experiment": (
        lambda t: mia.run(Experiment(random_state=-1)),
        ValueError,
        "random_state",
        "got -1",
    ),
    # Generated data
    "purchases of one class": (
        lambda t: mia.load_purchases(1),
        ValueError,
        "n_classes",
        "at least 2",
        "got 1",
    ),
    "fewer shoppers than classes": (
        lambda t: mia.load_purchases(5, 4),
        ValueError,
        "n_records",
        "at least 5",
        "got 4",
    ),
    "an unknown question": (
        lambda t: mia.load_clinic("weight"),
        ValueError,
        "target",
        '"health" or "visits"',
        "'weight'",
    ),
}


def everything(t):
    """All that the things in `t` know and answer."""
    yield from (t.net.predict_proba(X), t.net.classes_, t.net.n_features_in_, t.net.networks_.seeds)
    yield from (
        t.shadows.members,
        t.shadows.confidences,
        t.shadows.X,
        t.shadows.y,
        t.shadows.classes_,
    )
    yield from (
        t.shadows.predict_proba(X),
        t.attack.threshold_,
        t.data.X,
        t.data.y,
        t.world.members[0],
    )
    yield from (t.api.n_queries, t.limited.n_queries, t.report.auc)
    yield t.attack.score(BlackBox(t.net), X, Y)
    yield t.limited.predict_proba(X[:15])  # the whole budget is still there
    yield t.limited.n_queries


@pytest.mark.parametrize(
    "action, error, said", [(row[0], row[1], row[2:]) for row in TABLE.values()], ids=TABLE
)
def test_bad_input_is_refused_in_words_and_changes_nothing(action, error, said):
    t = things()
    with (
        joblib.parallel_config("threading"),
        np.errstate(over="ignore"),
        pytest.raises(error) as caught,
    ):
        action(t)
    message = str(caught.value)
    assert [words for words in said if words not in message] == [], message
    assert "np." not in message, "values are said as people write them"
    for now, before in zip(everything(t), everything(things()), strict=True):
        np.testing.assert_array_equal(now, before)


def test_text_labels_are_encoded_where_numbers_are_needed():
    names = np.array(["stays", "leaves"])[Y]
    data = Dataset.from_arrays(X, names)
    assert (
        data.y.dtype == np.int64 and [data.class_names[code] for code in data.y] == names.tolist()
    )
    world = mia.split(data, 10, random_state=0)
    report = mia.evaluate(
        mia.GapAttack(), BlackBox(MLP(epochs=2, random_state=0).fit(*world.members)), world
    )
    assert 0 <= report.auc <= 1
    # Without a Dataset, labels may stay texts from one end to the other.
    net = MLP(epochs=20, random_state=0).fit(X, names)
    shadows = ShadowModels(MLP(epochs=2), 2, random_state=0).fit(X, names)
    scores = mia.ShadowAttack().fit(shadows).score(BlackBox(net), X, names)
    assert net.score(X, names) > 0.7 and np.isfinite(scores).all()
