"""What is asked in notebook 03: each typical mistake named, and what cannot be judged."""

from contextlib import redirect_stdout
from functools import cache
from io import StringIO
from types import SimpleNamespace

import numpy as np
import pytest
from course import cells, solved
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve

import miaedu as mia
from miaedu.exercises.nb03 import EXERCISES

WORLD = mia.split(
    mia.load_purchases(n_classes=10, n_records=2000, random_state=0), n_members=500, random_state=0
)
POOL = WORLD.pool[0]
# Typical wrong answers, and what the feedback must name.
WRONG = [
    ("03.1", (0.82, "a"), "no shadow model is better for having others beside it"),
    ("03.1", (None, "c"), "no shadow model has seen a member of the target"),
    ("03.2", 0.9, "0.900 is more than what comes out"),
    ("03.2", 0.1, "0.100 is less than what comes out"),
    ("03.2", -0.4, "must be a number from 0 to 1, got -0.4"),
    ("03.2", "lower", "must be one number"),
    ("03.3", 0.8, "must be your function my_attack"),
    ("03.4", ("a", 0.1), "drawn alike"),
    ("03.4", ("c", 0.1), "no shadow model was trained at all"),
    ("03.4", ("d", 0.1), "as many members as non-members"),
    ("03.4", ("b", 0.05), "a sound test does not give 0.050"),
    ("03.4", ("b", 0.5), "a sound test does not give 0.500"),
    ("03.5", ("a", 0.8, POOL), "drawn alike"),
    ("03.5", ("b", 0.8, POOL), "no threshold was chosen here"),
    ("03.5", ("c", 0.6, POOL), "a sound test does not give 0.600"),
    ("03.5", ("c", 0.78, POOL[:, :3]), "an array (n, 200), got shape (1000, 3)"),
    ("03.q1", "a", "teaches the wrong threshold"),
    ("03.q1", "c", "of the target's they know nobody"),
    ("03.q2", "a", "999 can now raise a false alarm"),
    ("03.q2", "c", "one record at a time"),
    ("03.q3", "a", "can make these up"),
    ("03.q3", "c", "do not know it"),
]


def complaint(key, answer):
    verdict = mia.check(key, answer)
    assert verdict.state == "wrong", verdict
    return verdict.message


@pytest.mark.parametrize("key, answer, named", WRONG)
def test_a_wrong_answer_is_told_its_mistake(key, answer, named):
    assert named in complaint(key, answer)


@pytest.mark.parametrize("guess", [None, 0.4, 0.82, 95, "much"])
def test_a_guess_is_answered_and_not_judged(guess):
    reports = [
        mia.run(mia.Experiment(hidden=32, n_shadows=16, random_state=seed)).report
        for seed in range(3)
    ]
    auc = np.mean([roc_auc_score(report.members, report.scores) for report in reports])
    verdict = mia.check("03.1", (guess, "b"))
    assert verdict.state == "right"
    assert verdict.message.startswith(
        f"It is {auc:.2f}: " if guess is None else f"You said {guess}, it is {auc:.2f}: "
    )


@cache
def mismatched():
    """The advantage of 03.2 by hand: scores, flags and shares."""
    world = mia.split(
        mia.load_purchases(n_classes=10, n_records=2000, random_state=0),
        n_members=500,
        random_state=0,
    )
    target = mia.MLP(random_state=0).fit(*world.members)
    labels = target.predict_proba(world.pool[0]).argmax(axis=1)
    shadows = mia.ShadowModels(mia.MLP(epochs=60), n_models=8, random_state=1)
    attack = mia.ShadowAttack().fit(shadows.fit(world.pool[0], labels))
    hits, alarms = (
        np.mean(attack.score(mia.BlackBox(target), *side) >= attack.threshold_)
        for side in (world.members, world.nonmembers)
    )
    return hits - alarms


@cache
def digits_by_one_threshold():
    """The advantage of 03.4 by hand: the best single threshold on the shadows' confidences."""
    small = mia.split(mia.load_digits(), n_members=200, random_state=0)
    target = mia.MLP(random_state=0).fit(*small.members)
    shadows = mia.ShadowModels(mia.MLP(), n_models=8, random_state=1).fit(*small.pool)
    sure = shadows.confidences[:, np.arange(len(shadows.y)), shadows.y]
    fpr, tpr, thresholds = roc_curve(shadows.members.ravel(), sure.ravel())
    threshold = thresholds[np.argmax(tpr - fpr)]
    hits, alarms = (
        np.mean(target.predict_proba(X)[np.arange(len(y)), y] >= threshold)
        for X, y in (small.members, small.nonmembers)
    )
    return hits - alarms


@cache
def forest_on_the_pool():
    """The AUC of 03.5 by hand."""
    world = mia.split(
        mia.load_purchases(n_classes=10, n_records=2000, random_state=0),
        n_members=500,
        random_state=0,
    )
    target = mia.MLP(random_state=0).fit(*world.members)
    shadows = mia.ShadowModels(mia.MLP(), n_models=4, random_state=1).fit(*world.pool)
    forest = RandomForestClassifier(30, random_state=0)
    forest.fit(np.concatenate(shadows.confidences), np.concatenate(shadows.members))
    X = np.concatenate([world.members[0], world.nonmembers[0]])
    return roc_auc_score(np.arange(1000) < 500, forest.predict_proba(target.predict_proba(X))[:, 1])


# The truth of each judged number, worked out here, and how far off an answer may be.
TOLERANCE = [
    ("03.2", mismatched, 0.03, lambda value: value),
    ("03.4", digits_by_one_threshold, 0.02, lambda value: ("b", value)),
    ("03.5", forest_on_the_pool, 0.03, lambda value: ("c", value, POOL)),
]


@pytest.mark.parametrize("key, truth, tolerance, answer", TOLERANCE)
def test_a_number_is_right_up_to_its_tolerance(key, truth, tolerance, answer):
    for part, state in ((-1.1, "wrong"), (-0.9, "right"), (0.9, "right"), (1.1, "wrong")):
        assert mia.check(key, answer(truth() + part * tolerance)).state == state


def test_every_exercise_but_the_function_has_two_wrong_answers_in_the_table():
    assert all(
        sum(key == tried for tried, _, _ in WRONG) >= 2 for key in EXERCISES if key != "03.3"
    )


AFRESH = """api = mia.BlackBox(mia.MLP(epochs=60, random_state=0).fit(*world.members))
guessed.fit"""


@pytest.mark.parametrize(
    "old, new, named",
    [
        ("epochs=60", "epochs=20", "nothing was changed yet"),
        (
            "mia.MLP(random_state=0)",
            "mia.MLP(epochs=60, random_state=0)",
            "when the target learns for 60 epochs too",
        ),
        (  # trained again below the labels
            "guessed.fit",
            AFRESH,
            "when the target learns for 60 epochs too",
        ),
        (".advantage", ".gap_advantage", "this is the gap attack's advantage"),
        (".advantage", ".recall", "this is the recall"),
        (".advantage", ".precision", "this is the precision"),
        (".advantage", ".auc", "this is the AUC"),
    ],
)
def test_a_wrong_change_is_recognised(old, new, named):
    assert named in complaint("03.2", solved("03.2", old, new))


@pytest.mark.parametrize(
    "old, new", [("n_models=8", "n_models=16"), ("random_state=1", "random_state=3")]
)
def test_a_harmless_difference_in_the_shadow_models_stays_right(old, new):
    assert mia.check("03.2", solved("03.2", old, new)).state == "right"


def test_the_praise_says_what_the_mismatch_costs():
    verdict = mia.check("03.2", mismatched())
    assert "worse than the gap attack" in verdict.message


@pytest.mark.parametrize("key, letter", [("03.4", "b"), ("03.5", "c")])
def test_the_colleagues_own_number_is_recognised(key, letter):
    """The number that the notebook's own cell prints."""
    codes = cells("03", "code")
    last = next(i for i, cell in enumerate(codes) if cell.metadata.get("exercise") == key) - 1
    names = {"mia": mia, "np": np}
    if key == "03.5":
        exec(codes[1].source, names)
    with redirect_stdout(StringIO()) as printed:
        exec(codes[last].source, names)
    reported = float(printed.getvalue().split()[-1])
    parts = (letter, reported, POOL) if key == "03.5" else (letter, reported)
    assert "still the colleague's own number" in complaint(key, parts)


def test_another_number_of_shadow_models_stays_right():
    answer = solved("03.5", "n_models=4", "n_models=12")
    assert mia.check("03.5", answer).state == "right"


def test_fresh_halves_of_the_targets_own_records_are_recognised_by_the_records():
    halves = solved("03.5", "fit(*world.pool)", "fit(X, y)")
    assert abs(halves[1] - forest_on_the_pool()) < 0.03, "the number alone would be right"
    assert "1000 of the 1000 records are the target's own" in complaint("03.5", halves)
    some = np.concatenate([POOL, WORLD.members[0][:7]])
    assert "7 of the 1007 records" in complaint("03.5", (*halves[:2], some))


# Attacks that readers write, and what the feedback must name.
def attacks():
    right = solved("03.3")
    yield "upside down", lambda s, b, X, y: 1 - right(s, b, X, y), "upside down"
    yield "nothing returned", lambda s, b, X, y: None, "returns nothing"
    yield (
        "a column too many",
        lambda s, b, X, y: np.stack([right(s, b, X, y)] * 2, axis=1),
        "got shape (24, 2)",
    )
    yield "not a number", lambda s, b, X, y: right(s, b, X, y) * np.nan, "finite"
    yield (
        "asked thrice",
        lambda s, b, X, y: sum(right(s, b, X, y) for _ in range(3)),
        "72 queries about 24 records",
    )
    yield "all alike", lambda s, b, X, y: np.zeros(len(y)), "mixed up"
    yield "verdicts", lambda s, b, X, y: right(s, b, X, y) > 0.5, "two different scores"
    yield (
        "no shadow models",
        lambda s, b, X, y: b.predict_proba(X)[np.arange(len(y)), y],
        "class is not used",
    )
    yield "noise", lambda s, b, X, y: np.random.default_rng(0).random(len(y)), "mixed up"
    yield (
        "works by hand only",
        lambda s, b, X, y: right(s, b, X, y) if len(y) < 30 else y,
        "on a small real world",
    )

    def one_model(s, b, X, y):
        model = LogisticRegression().fit(
            s.confidences.reshape(-1, s.confidences.shape[2]), s.members.ravel()
        )
        return model.predict_proba(b.predict_proba(X))[:, 1]

    def out_of_order(s, b, X, y):
        turned = type(s)(**(vars(s) | {"members": s.members.T.reshape(s.members.shape)}))
        return right(turned, b, X, y)

    def first_shadow_alone(s, b, X, y):
        first = {"confidences": s.confidences[:1], "members": s.members[:1]}
        return right(type(s)(**(vars(s) | first)), b, X, y)

    def by_the_targets_class(s, b, X, y):
        answers = b.predict_proba(X)
        given = type(b)(SimpleNamespace(classes_=s.classes_, predict_proba=lambda X: answers))
        return right(s, given, X, answers.argmax(axis=1))

    def every_class(s, b, X, y):
        answers, scores = b.predict_proba(X), np.zeros(len(y))
        for label in range(10):
            rows = s.confidences[:, s.y == label].reshape(-1, 10)
            model = LogisticRegression().fit(rows, s.members[:, s.y == label].ravel())
            scores[y == label] = model.predict_proba(answers[y == label])[:, 1]
        return scores

    def fitted_on_the_target(s, b, X, y):
        was_in = s.members[:, s.y == y[0]].ravel()
        return LogisticRegression().fit(b.predict_proba(X), was_in)

    yield "first shadow alone", first_shadow_alone, "it follows shadow model 0"
    yield "by the target's class", by_the_targets_class, "when the classes in y change"
    yield "every class", every_class, "Loop over np.unique(y)"
    yield "fitted on the target", fitted_on_the_target, "The target's answers are only judged"
    yield "one model for all", one_model, "one model for all classes"
    yield "rows out of order", out_of_order, "stand in another order"


@pytest.mark.parametrize("name, attack, named", list(attacks()))
def test_a_wrong_attack_is_told_its_mistake(name, attack, named):
    assert named in complaint("03.3", attack)


@pytest.mark.parametrize(
    "kind", [LogisticRegression, pytest.param(RandomForestClassifier, marks=pytest.mark.slow)]
)
def test_another_right_attack_is_right(kind):
    def attack(shadows, black_box, X, y):
        answers, models = black_box.predict_proba(X), {}
        for label in set(shadows.y.tolist()):  # row after row, where the solution reshapes
            places = [(k, i) for k, i in np.ndindex(shadows.members.shape) if shadows.y[i] == label]
            rows, was_in = (
                [part[place] for place in places] for part in (shadows.confidences, shadows.members)
            )
            models[label] = kind(random_state=0).fit(rows, was_in)
        return [
            models[label].predict_proba(answer[None])[0, 1] for answer, label in zip(answers, y)
        ]

    assert mia.check("03.3", attack).state == "right"


def test_an_attack_with_the_notebooks_own_number_of_classes_is_right():
    assert mia.check("03.3", solved("03.3", "answers.shape[1]", "10")).state == "right"


def test_the_notebooks_stub_is_not_attempted_and_a_body_that_raises_is_an_error():
    stub = next(
        cell.source for cell in cells("03", "code") if cell.metadata.get("exercise") == "03.3"
    )
    names = {"mia": mia, "np": np}
    exec(stub, names)
    assert mia.check("03.3", names["my_attack"]).state == "not attempted"
    verdict = mia.check("03.3", lambda shadows, black_box, X, y: undefined)  # noqa: F821
    assert verdict.state == "error" and "undefined" in verdict.message


def test_an_answer_that_cannot_be_judged_is_an_error():
    assert mia.check("03.1", (0.8, "b", "and more")).state == "error"
    assert mia.check("03.4", "b").state == "error"
    assert mia.check("03.3", lambda X: X).state == "error"
