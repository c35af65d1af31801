"""What is asked in notebook 03: each typical mistake named, and what cannot be judged."""

import numpy as np
import pytest
from course import cells, solved
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

import miaedu as mia
from miaedu.exercises.nb03 import EXERCISES

# Typical wrong answers, and what the feedback must name.
WRONG = [
    ("03.1", (0.82, "a"), "no shadow model is better for having others beside it"),
    ("03.1", (0.82, "c"), "no shadow model has seen a member of the target"),
    ("03.1", (0.95, "b"), "less than you thought"),
    ("03.1", (0.7, "b"), "more than you thought"),
    ("03.1", (95, "b"), "must be a number from 0 to 1, got 95"),
    ("03.2", 0.9, "the advantage is not 0.900"),
    ("03.2", -0.4, "must be a number from 0 to 1, got -0.4"),
    ("03.2", "lower", "must be one number"),
    ("03.3", 0.8, "must be your function my_attack"),
    ("03.4", ("a", 0.1), "drawn alike"),
    ("03.4", ("c", 0.1), "no shadow model was trained at all"),
    ("03.4", ("d", 0.1), "as many members as non-members"),
    ("03.4", ("b", 0.05), "a sound test does not give 0.050"),
    ("03.4", ("b", 0.5), "a sound test does not give 0.500"),
    ("03.5", ("a", 0.8), "drawn alike"),
    ("03.5", ("b", 0.8), "no line was chosen here"),
    ("03.5", ("c", 0.6), "a sound test does not give 0.600"),
    ("03.q1", "a", "teaches the wrong line"),
    ("03.q1", "c", "of the target's he knows nobody"),
    ("03.q2", "a", "999 can now raise a false alarm"),
    ("03.q2", "c", "one record at a time"),
]


def said(key, answer):
    verdict = mia.check(key, answer)
    assert verdict.state == "wrong", verdict
    return verdict.message


@pytest.mark.parametrize("key, answer, named", WRONG)
def test_a_wrong_answer_is_told_its_mistake(key, answer, named):
    assert named in said(key, answer)


def test_every_exercise_but_the_function_has_two_wrong_answers_in_the_table():
    assert all(
        sum(key == tried for tried, _, _ in WRONG) >= 2 for key in EXERCISES if key != "03.3"
    )


@pytest.mark.parametrize(
    "old, new, named",
    [
        ("epochs=60", "epochs=20", "nothing was changed yet"),
        (
            "mia.MLP(random_state=0)",
            "mia.MLP(epochs=60, random_state=0)",
            "when the target learns for 60 epochs too",
        ),
        (".advantage", ".recall", "this is the recall"),
        (".advantage", ".precision", "this is the precision"),
        (".advantage", ".auc", "this is the AUC"),
    ],
)
def test_a_wrong_change_is_recognised(old, new, named):
    assert named in said("03.2", solved("03.2", old, new))


@pytest.mark.parametrize(
    "old, new", [("n_models=8", "n_models=16"), ("random_state=1", "random_state=3")]
)
def test_a_harmless_difference_in_the_shadow_models_stays_right(old, new):
    assert mia.check("03.2", solved("03.2", old, new)).state == "right"


def test_the_first_colleagues_own_number_is_recognised():
    world = mia.split(mia.load_digits(), n_members=200, random_state=0)
    X, y = (np.concatenate(part) for part in zip(world.members, world.nonmembers))
    members, target = np.arange(400) < 200, mia.MLP(random_state=0).fit(*world.members)
    sure, hits, alarms = target.predict_proba(X)[np.arange(400), y], 0, 0
    for digit in range(10):
        inside, outside = sure[(y == digit) & members], sure[(y == digit) & ~members]
        gain = lambda line: np.mean(inside >= line) - np.mean(outside >= line)  # noqa: B023, E731
        best = max(sure[y == digit], key=gain)
        hits, alarms = hits + np.sum(inside >= best), alarms + np.sum(outside >= best)
    assert "still the colleague's own number" in said("03.4", ("b", (hits - alarms) / 200))


def test_the_second_colleagues_own_number_is_recognised():
    world = mia.split(
        mia.load_purchases(n_classes=10, n_records=2000, random_state=0),
        n_members=500,
        random_state=0,
    )
    target = mia.MLP(random_state=0).fit(*world.members)
    X, y = (np.concatenate(part) for part in zip(world.members, world.nonmembers))
    inside = np.arange(1000) < 500
    copies = mia.MLP(random_state=1).fit_many(X, y, np.stack([inside] * 4))
    forest = RandomForestClassifier(30, random_state=0)
    forest.fit(np.vstack(copies.predict_proba(X)), np.concatenate([inside] * 4))
    claimed = roc_auc_score(inside, forest.predict_proba(target.predict_proba(X))[:, 1])
    assert "still the colleague's own number" in said("03.5", ("c", claimed))
    assert mia.check("03.5", ("c", solved("03.5", "n_models=4", "n_models=12")[1])).state == "right"


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

    yield "one model for all", one_model, "one model for all classes"
    yield "rows out of order", out_of_order, "stand in another order"


@pytest.mark.parametrize("name, attack, named", list(attacks()))
def test_a_wrong_attack_is_told_its_mistake(name, attack, named):
    assert named in said("03.3", attack)


@pytest.mark.parametrize("kind", [LogisticRegression, RandomForestClassifier])
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
