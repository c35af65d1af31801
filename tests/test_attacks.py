import types
from collections import OrderedDict

import numpy as np
import pandas as pd
import pytest
import refusals
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import rankdata
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier

import miaedu as mia
from miaedu import lockstep
from miaedu.attacks import ATTACKS, Answers, best_threshold, features, true_class_confidence
from miaedu.attacks.shadow import attack_model
from miaedu.records import take


class Oracle:
    """A target of which nothing is there but its answers, counted. A record is its own number."""

    __slots__ = "_answers", "classes_", "asked"

    def __init__(self, answers, classes):
        self._answers, self.classes_, self.asked = np.asarray(answers), np.asarray(classes), []

    def predict_proba(self, X):
        self.asked += np.ravel(X).tolist()
        return self._answers[places(X, len(self._answers))]


def places(X, n):
    """The numbers from 0 to n - 1 next to the records X (m, 1), which may have been perturbed."""
    return np.rint(np.ravel(X)).astype(int) % n


def numbers(n):
    """The records 0, 1, ..., n - 1, as a table (n, 1)."""
    return np.arange(n, dtype=np.float32)[:, None]


class MadeUp:
    """What an attack may know of fitted ShadowModels, for (K, n, c) confidences made up by a
    test."""

    def __init__(self, confidences, members, y, classes):
        self.confidences, self.members = np.asarray(confidences, np.float32), np.asarray(members)
        self.X, self.y, self.classes_ = numbers(len(y)), np.asarray(y), np.asarray(classes)

    def saw(self, X):
        return self.members[:, places(X, len(self.y))]

    def predict_proba(self, X):
        return self.confidences[:, places(X, len(self.y))]


def made_up(K=6, n=90, c=3, seed=0):
    """Shadows for which the true class gets more of the confidence in than out, with much
    overlap."""
    rng = np.random.default_rng(seed)
    y, members = np.arange(n) % c, rng.random((K, n)) < 0.5
    scores = rng.normal(size=(K, n, c))
    scores[:, np.arange(n), y] += 1 + 1.5 * members
    confidences = np.exp(scores) / np.exp(scores).sum(axis=2, keepdims=True)
    return MadeUp(confidences, members, y, range(c))


scored = st.floats(0, 1) | st.sampled_from([0.0, 0.25, 0.5, 1.0, 1 - 2**-53, 1 - 2**-52])
records = st.lists(st.tuples(scored, st.booleans()), min_size=2, max_size=20)


@given(records.filter(lambda records: {member for _, member in records} == {True, False}))
@example([(1 - 2**-53, False), (1.0, True)])
@example([(0.0, False), (5e-324, True)])
def test_the_best_threshold_is_as_good_as_the_best_of_all(records):
    scores, members = (np.array(column) for column in zip(*records))

    def advantage(threshold):
        called = scores >= threshold
        return called[members].mean() - called[~members].mean()

    best = max(advantage(threshold) for threshold in [*scores, 2.0])
    assert advantage(best_threshold(scores, members)) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize(
    "classes, y, expected",
    [
        ([0, 1, 2], [2, 0], [0.1, 0.6]),
        (["ant", "bee", "cat"], ["bee", "cat"], [0.2, 0.2]),
        ([3, 5, 9], [5, 3], [0.2, 0.6]),
        ([3, 5, 9], [4, 10], [0, 0]),
        ([2, 0, 1], [2, 1], [0.7, 0.2]),
        (["cat", "ant", "bee"], ["ant", "cat"], [0.2, 0.6]),
    ],
)
def test_the_column_of_the_true_class_is_found_through_the_classes(classes, y, expected):
    confidences = np.array([[0.7, 0.2, 0.1], [0.6, 0.2, 0.2]])
    found = true_class_confidence(confidences, np.array(y), np.array(classes))
    np.testing.assert_array_equal(found, expected)


def test_features_by_hand():
    confidences = np.array([[0.5, 0.25, 0.125, 0.125], [0.5, 0.25, 0.125, 0.125], [0.25] * 4])
    log2 = np.log(2)
    # margin to the best other class; the three highest logs; entropy in units of log 2
    expected = log2 * np.array([[1, -1, -2, -3, 1.75], [-2, -1, -2, -3, 1.75], [0, -2, -2, -2, 2]])
    np.testing.assert_allclose(
        features(confidences, np.array([0, 2, 1]), np.arange(4))[:, :5], expected, atol=1e-12
    )


@pytest.mark.parametrize("c", [2, 3, 5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_features_are_finite_where_confidences_are_none_or_all(c, dtype):
    one_hot = np.eye(c, dtype=dtype)[[0, 1, 0]]
    # right, wrong, and a class without a column
    seen = features(one_hot, np.array([0, 0, 77]), np.arange(c))
    assert np.isfinite(seen).all()
    assert seen[0, 0] > seen[1, 0] and seen[0, 0] > seen[2, 0]


def test_the_gap_attacks_advantage_is_the_generalisation_gap():
    X, y = load_digits(return_X_y=True)
    data = mia.Dataset.from_arrays(X, y)
    world = mia.split(data, n_members=300, random_state=0)
    tree = DecisionTreeClassifier(max_depth=8, random_state=0).fit(*world.members)
    report = mia.evaluate(mia.GapAttack().fit(), mia.BlackBox(tree), world)
    inside, outside = (
        accuracy_score(y, tree.predict(X)) for X, y in (world.members, world.nonmembers)
    )
    assert 0.1 < inside - outside == pytest.approx(report.advantage, abs=1e-12)


def test_the_threshold_attack_ranks_by_log_loss_and_takes_its_threshold_from_the_shadows():
    shadows = made_up()
    attack = mia.ThresholdAttack().fit(shadows)
    answers = shadows.confidences[0].astype(float)
    losses = [
        log_loss([label], [row / row.sum()], labels=range(3))
        for label, row in zip(shadows.y, answers)
    ]
    scores = attack.score(Oracle(answers, range(3)), numbers(90), shadows.y)
    # Equal ranks, not values: log_loss wants rows that sum to 1 in float64, which moves confidences
    # by 1e-7 at most.
    assert np.abs(rankdata(scores) - rankdata(-np.array(losses))).max() <= 1
    of_all = shadows.confidences[:, np.arange(90), shadows.y]
    called = of_all >= attack.threshold_
    gains = [
        (of_all >= t)[shadows.members].mean() - (of_all >= t)[~shadows.members].mean()
        for t in np.unique(of_all)
    ]
    assert called[shadows.members].mean() - called[~shadows.members].mean() == pytest.approx(
        max(gains), abs=1e-12
    )


def test_the_shadow_attack_finds_what_differs_between_classes():
    rng = np.random.default_rng(0)
    y, members = np.arange(120) % 3, rng.random((4, 120)) < 0.5
    # A member of class 0 gets .9 and others .6, in class 1 it is .6 and .3; in class 2 members are
    # in the middle.
    level = np.where(members, np.array([0.9, 0.6, 0.7])[y], np.array([0.6, 0.3, 0.7])[y])
    level += np.where((y == 2) & ~members, rng.choice([-0.25, 0.25], (4, 120)), 0)
    level += rng.uniform(-0.02, 0.02, (4, 120))
    confidences = np.repeat((1 - level)[..., None] / 2, 3, axis=2)
    confidences[:, np.arange(120), y] = level
    shadows = MadeUp(confidences[:3], members[:3], y, range(3))
    target = Oracle(confidences[3], range(3))
    scores = mia.ShadowAttack().fit(shadows).score(target, numbers(120), y)
    assert roc_auc_score(members[3], scores) > 0.99
    assert ((scores >= 0) & (scores <= 1)).all()
    simple = mia.ThresholdAttack().fit(shadows).score(target, numbers(120), y)
    assert roc_auc_score(members[3], simple) < 0.9, (
        "one threshold for all classes was to be too little here"
    )


@pytest.mark.parametrize("side", [True, False])
def test_a_class_seen_on_one_side_only_or_never_is_judged_by_all_the_others(side):
    shadows = made_up()
    shadows.members[:, shadows.y == 2] = side
    y = np.array([0, 1, 2, 3] * 5)
    answers = np.random.default_rng(1).dirichlet(np.ones(4), 20)
    scores = mia.ShadowAttack().fit(shadows).score(Oracle(answers, range(4)), numbers(20), y)
    assert ((scores > 0) & (scores < 1)).all()
    # By the same model: an answer scores the same whether its true class is the one or the other.
    swapped = Oracle(answers[:, [0, 1, 3, 2]], range(4)), numbers(20), np.array([0, 1, 3, 2] * 5)
    mirrored = mia.ShadowAttack().fit(shadows).score(*swapped)
    np.testing.assert_allclose(scores[y > 1], mirrored[y > 1], atol=1e-9)


# What every attack must do, whichever comes to the registry.
each_attack = pytest.mark.parametrize("kind", ATTACKS.values(), ids=ATTACKS)
each_that_learns = pytest.mark.parametrize(
    "kind",
    [kind for kind in ATTACKS.values() if kind.needs_shadows],
    ids=lambda kind: kind.__name__,
)
CLASSES = {
    "codes": [0, 1, 2],
    "texts in another order": ["c", "a", "b"],
    "numbers far apart": [70, -3, 9],
}


@each_attack
@pytest.mark.parametrize("names", CLASSES.values(), ids=CLASSES)
@pytest.mark.parametrize("in_order", [True, False])
def test_scores_do_not_depend_on_the_classes_names_nor_on_the_order_of_the_columns(
    kind, names, in_order
):
    plain, names = made_up(), np.array(names)
    rng = np.random.default_rng(1)
    answers, y = rng.dirichlet(np.ones(3), 90), rng.permutation(plain.y)
    expected = kind().fit(plain).score(Oracle(answers, range(3)), numbers(90), y)
    order = np.argsort(names)
    renamed = MadeUp(plain.confidences[..., order], plain.members, names[plain.y], names[order])
    # scikit-learn sorts the classes; a target of another kind need not
    there = order if in_order else order[::-1]
    target = Oracle(answers[:, there], names[there])
    np.testing.assert_allclose(
        kind().fit(renamed).score(target, numbers(90), names[y]), expected, atol=1e-6
    )


@each_attack
@pytest.mark.parametrize("c", [2, 3, 5])
def test_a_target_may_know_more_classes_than_the_attackers_records(kind, c):
    shadows = made_up(c=c)
    answers = np.random.default_rng(1).dirichlet(np.ones(c + 1), 90)
    scores = (
        kind()
        .fit(shadows)
        .score(Oracle(answers, range(c + 1)), numbers(90), np.arange(90) % (c + 1))
    )
    assert scores.shape == (90,) and np.isfinite(scores).all()


@each_attack
def test_an_attack_asks_what_it_says_about_each_record_and_learns_nothing_from_the_answers(kind):
    attack, target = kind().fit(made_up()), Oracle(np.full((90, 3), 1 / 3), range(3))
    before = dict(vars(attack))
    attack.score(target, numbers(50), np.arange(50) % 3)
    assert target.asked[:50] == list(range(50))
    assert len(target.asked) == 50 * getattr(attack, "n_queries", 1)
    assert vars(attack).keys() == before.keys()
    assert all(value is before[name] for name, value in vars(attack).items())


@each_attack
def test_an_attack_says_without_shadows_whether_it_needs_them(kind):
    world = types.SimpleNamespace(X=numbers(3), y=np.arange(3))
    if kind is mia.ThresholdAttack:  # only its threshold needs them
        assert kind().score(Oracle(np.eye(3), range(3)), world.X, world.y).tolist() == [1, 1, 1]
        with pytest.raises(NotFittedError, match="no threshold yet: fit it with shadow models"):
            kind().threshold_at(0.01)
    elif kind.needs_shadows:
        with pytest.raises(NotFittedError, match="shadow"):
            kind().score(Oracle(np.eye(3), range(3)), world.X, world.y)
    else:
        assert kind().fit().score(Oracle(np.eye(3), range(3)), world.X, world.y).shape == (3,)


@each_that_learns
def test_a_threshold_is_not_learned_from_records_whose_copies_disagree(kind):
    """Records 90 to 179 are those from 0 to 89 once more, each with a coin of its own."""
    once, rng = made_up(), np.random.default_rng(5)

    class Twice(MadeUp):
        def saw(self, X):
            place = places(X, 90)
            return self.members[:, place] | self.members[:, place + 90]

        def predict_proba(self, X):  # of records that were perturbed
            return once.predict_proba(X)

    second = rng.random(once.members.shape) < 0.5
    # a lie that only a record which is left out can tell: copies that disagree answer at random
    answers = np.concatenate([once.confidences, once.confidences], axis=1)
    members = np.concatenate([once.members, second], axis=1)
    unclear = np.tile(once.members != second, 2) & ~members
    thresholds = []
    for answer in ([1, 0, 0], [0, 1, 0], [0, 0, 1]):
        told = np.where(unclear[..., None], answer, answers)
        shadows = Twice(told, members, np.tile(once.y, 2), range(3))
        thresholds.append(kind().fit(shadows).threshold_)
    assert len(set(thresholds)) == 1


@each_that_learns
def test_an_adaptive_attack_learns_from_shadows_that_hide_as_the_target_does(kind):
    plain = made_up()
    hide = [lambda p: p**2, lambda p: np.round(p)]  # labels change too
    hidden = MadeUp(np.round(plain.confidences**2), plain.members, plain.y, range(3))
    adaptive, reference, naive = kind().fit(plain, hide=hide), kind().fit(hidden), kind().fit(plain)
    target = Oracle(hidden.confidences[0], range(3)), numbers(90), plain.y
    np.testing.assert_array_equal(adaptive.score(*target), reference.score(*target))
    assert adaptive.threshold_ == reference.threshold_
    assert not np.array_equal(adaptive.score(*target), naive.score(*target)) or (
        adaptive.threshold_ != naive.threshold_
    )


# Asking again


class Fresh:
    """A door behind which answers differ from time to time: `answers` (times, n, c), in turn."""

    def __init__(self, answers, classes):
        self.answers, self.classes_, self.asked = list(answers), np.asarray(classes), 0

    def predict_proba(self, X):
        times, rest = divmod(len(X), len(self.answers[0]))
        assert not rest
        np.testing.assert_array_equal(np.ravel(X), np.tile(np.arange(len(X) // times), times))
        given, self.answers = self.answers[:times], self.answers[times:]
        self.asked += len(X)
        return np.concatenate(given)


def test_answers_are_averaged_by_hand_and_no_answer_is_asked_for_twice():
    told = np.float32(
        [[[0.9, 0.1], [0.2, 0.8]], [[0.5, 0.5], [0.4, 0.6]], [[0.1, 0.9], [0.6, 0.4]]]
    )
    door = Fresh(told, range(2))
    answers = Answers(door, numbers(2), [0, 0])
    twice, thrice = answers.averaged(2), answers.averaged(3)
    assert door.asked == 0, "nothing is asked before it is needed"
    np.testing.assert_array_equal(answers.confidences, told[0])
    np.testing.assert_allclose(thrice.confidences, [[0.5, 0.5], [0.4, 0.6]], atol=1e-7)
    np.testing.assert_allclose(twice.confidences, [[0.7, 0.3], [0.3, 0.7]], atol=1e-7)
    assert door.asked == 3 * 2 and thrice.confidences.dtype == np.float32
    assert answers.averaged(3) is thrice and thrice.averaged(1) is answers
    assert answers.right.tolist() == [True, False], "right is what a customer sees: one answer"


each_that_averages = pytest.mark.parametrize(
    "kind", [kind for kind in ATTACKS.values() if kind.averages], ids=lambda kind: kind.__name__
)


def test_attacks_that_read_labels_do_not_average():
    assert {name for name, kind in ATTACKS.items() if not kind.averages} == {"gap", "label_only"}


@each_that_averages
def test_an_attack_that_asks_often_is_one_that_asks_once_who_is_told_the_means(kind):
    """Noise that a test knows: what each shadow and the target answer at each of four times."""
    plain, rng = made_up(), np.random.default_rng(2)
    noise = rng.normal(0, 0.1, (4, 6 * 90, 3)).astype(np.float32)
    target = rng.dirichlet(np.ones(3), (4, 90)).astype(np.float32)

    class InTurn:
        """Adds the noise of the next time."""

        time = 0

        def __call__(self, confidences):
            self.time += 1
            return confidences + noise[(self.time - 1) % 4]

    means = plain.confidences + noise.mean(axis=0).reshape(6, 90, 3)
    asks_once = kind().fit(MadeUp(means, plain.members, plain.y, range(3)))
    asks_often = kind(n_queries=4).fit(plain, InTurn())
    # float32 rounds each of the answers, and an attack's fit carries this on
    assert asks_often.threshold_ == pytest.approx(asks_once.threshold_, abs=1e-3)
    expected = asks_once.score(Oracle(target.mean(axis=0), range(3)), numbers(90), plain.y)
    door = Fresh(target, range(3))
    found = asks_often.score(door, numbers(90), plain.y)
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert door.asked == 4 * 90
    single = asks_once.score(Oracle(target[0], range(3)), numbers(90), plain.y)
    assert np.abs(single - expected).max() > 0.05, "the means were to differ from one answer"


@each_that_averages
def test_asking_often_changes_no_bit_where_answers_are_always_the_same(kind):
    shadows, hide = made_up(), [mia.top_k(2), mia.rounded(2)]
    door = mia.BlackBox(Oracle(made_up(seed=3).confidences[0], range(3)), hide)
    once, often = (kind(n_queries=q).fit(shadows, hide) for q in (1, 7))
    assert once.threshold_ == often.threshold_
    np.testing.assert_array_equal(
        once.score(door, numbers(90), shadows.y), often.score(door, numbers(90), shadows.y)
    )


@each_that_averages
@pytest.mark.parametrize(
    "door, said",
    [
        (
            dict(budget=4 * 90 - 1),
            r"query budget of 359 is too small: 0 used, 360 more needed .4 a record",
        ),
        (
            dict(hide=mia.noisy(epsilon=1.0), epsilon_budget=359.0),
            "epsilon budget of 359.0 .*0 used",
        ),
    ],
    ids=["queries", "epsilon"],
)
def test_who_cannot_afford_all_answers_asks_for_none(kind, door, said):
    shadows = made_up()
    api = mia.BlackBox(Oracle(shadows.confidences[0], range(3)), **door)
    with pytest.raises(ValueError, match=said):
        kind(n_queries=4).fit(shadows).score(api, numbers(90), shadows.y)
    assert api.n_queries == api.epsilon_spent == 0
    assert kind(n_queries=3).fit(shadows).score(api, numbers(90), shadows.y).shape == (90,)
    assert api.n_queries == 3 * 90


def test_attackers_who_ask_once_and_often_share_the_first_answer():
    shadows = made_up()
    noise, answers = mia.noisy(0.2, random_state=1), made_up(seed=3).confidences[0]
    sides = ((numbers(90)[rows], shadows.y[rows]) for rows in np.split(np.arange(90), [45, 90]))
    world = mia.World(*sides, classes=np.arange(3))
    attacks = {q: mia.ShadowAttack(q).fit(shadows, noise) for q in (1, 4, 2)}
    api = mia.BlackBox(Oracle(answers, range(3)), mia.noisy(0.2, random_state=0))
    reports = mia.evaluate(attacks, api, world)
    assert api.n_queries == 4 * 90
    # the noise is one stream: the four answers are these
    noise = mia.noisy(0.2, random_state=0)
    told = np.stack([noise(answers) for _ in range(4)])
    for q, report in reports.items():
        seen = Oracle(told[:q].mean(axis=0), range(3))
        expected = attacks[q].score(seen, numbers(90), shadows.y)
        np.testing.assert_allclose(report.scores, expected, atol=1e-5)
        np.testing.assert_array_equal(report.right, told[0].argmax(axis=1) == shadows.y)


@pytest.mark.parametrize("wrong", [0, 1.5, True, "4"])
def test_a_number_of_queries_that_cannot_be_is_refused(wrong):
    for kind in (mia.ShadowAttack, mia.CalibratedAttack, mia.LiRA, mia.LabelOnlyAttack):
        with pytest.raises(ValueError, match=f"n_queries must be a whole number.*got {wrong!r}"):
            kind(n_queries=wrong)
    with pytest.raises(TypeError):
        mia.GapAttack(n_queries=4)


def test_the_shadow_attack_on_labels_alone_is_as_good_as_the_gap_attack():
    world = mia.split(
        mia.load_purchases(20, n_records=2000, random_state=0), n_members=500, random_state=0
    )
    api = mia.BlackBox(mia.MLP(random_state=0).fit(*world.members), hide=mia.labels_only)
    shadows = mia.ShadowModels(mia.MLP(), n_models=8, random_state=1).fit(*world.pool)
    report = mia.evaluate(mia.ShadowAttack().fit(shadows, hide=mia.labels_only), api, world)
    # It may weigh classes by their own gaps, learned on 8,000 answers: no worse than one threshold,
    # within its error.
    assert report.gap_advantage > 0.2 and report.advantage > report.gap_advantage - 0.03


@pytest.mark.slow
def test_the_shadow_attack_is_no_weaker_than_forests_on_all_confidences():
    ours, forests = np.transpose([aucs_beside_forests(seed) for seed in range(3)])
    assert forests.mean() > 0.75, "the reference did not learn"
    assert ours.mean() > forests.mean() - 0.01


def aucs_beside_forests(seed):
    """The AUC of ShadowAttack and of one forest a class, trained on the same shadows' whole
    confidence vectors."""
    world = mia.split(
        mia.load_purchases(20, n_records=2000, random_state=seed), n_members=500, random_state=seed
    )
    target = mia.MLP(random_state=seed).fit(*world.members)
    shadows = mia.ShadowModels(mia.MLP(), n_models=8, random_state=seed).fit(*world.pool)
    X, y = (np.concatenate(part) for part in zip(world.members, world.nonmembers))
    answers, forest_scores = target.predict_proba(X), np.empty(1000)
    for label in range(20):
        seen, asked = shadows.y == label, y == label
        forest = RandomForestClassifier(min_samples_leaf=20, random_state=0)
        forest.fit(shadows.confidences[:, seen].reshape(-1, 20), shadows.members[:, seen].ravel())
        forest_scores[asked] = forest.predict_proba(answers[asked])[:, 1]
    ours = mia.ShadowAttack().fit(shadows).score(mia.BlackBox(target), X, y)
    members = np.arange(1000) < 500
    return roc_auc_score(members, ours), roc_auc_score(members, forest_scores)


def test_the_gap_attack_needs_a_target_and_no_shadow_model(monkeypatch):
    calls, train = [], lockstep.train

    def counted(X1, codes, c, rows, *rest):
        calls.append(len(rows))
        return train(X1, codes, c, rows, *rest)

    monkeypatch.setattr(lockstep, "train", counted)
    monkeypatch.setattr("miaedu.cache.cache.kept", OrderedDict())
    mia.run(mia.Experiment(data="digits", n_members=40, epochs=1, n_shadows=7, attack="gap"))
    assert calls == [1]


# Records of any kind


@each_attack
def test_attacks_judge_frames_and_texts_as_they_judge_their_numbers(kind):
    """Models of trees see the same: a frame of texts and its codes."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 9, size=(240, 3))
    y = np.array(["no", "yes"])[(rng.random(240) < codes[:, 0] / 8).astype(int)]
    texts = pd.DataFrame(codes.astype(str), columns=["job", "town", "car"])
    tree = make_pipeline(OrdinalEncoder(), DecisionTreeClassifier())
    settings = {"n_queries": 1} if kind is mia.LabelOnlyAttack else {}
    told = []
    for X in (texts, codes):
        parts = [(take(X, rows), y[rows]) for rows in np.split(np.arange(240), [60, 120])]
        world = mia.World.from_arrays(*parts[0], *parts[1], parts[2], duplicates="allow")
        shadows = mia.ShadowModels(tree, n_models=4, random_state=0).fit(*world.pool)
        api = mia.BlackBox(clone(tree).set_params(**{TREE_SEED: 0}).fit(*world.members))
        attack = kind(**settings).fit(shadows if kind.needs_shadows else None)
        told.append(mia.evaluate(attack, api, world))
    np.testing.assert_array_equal(told[0].scores, told[1].scores)
    assert str(told[0]) == str(told[1])


TREE_SEED = "decisiontreeclassifier__random_state"


def test_averaged_answers_about_a_frame_are_asked_by_name():
    people = pd.DataFrame({"age": [1.0, 2, 3]})

    class Named(Oracle):
        def predict_proba(self, X):
            assert list(X.columns) == ["age"]
            return super().predict_proba(X.to_numpy())

    answers = Answers(mia.BlackBox(Named(np.eye(3), range(3))), people, np.arange(3))
    assert answers.averaged(3).confidences.shape == (3, 3)


def test_records_are_perturbed_in_their_own_digits():
    """A target that looks at the last digits of float64, which float32 has not."""
    rng, large = np.random.default_rng(0), 2.0**24 + 1
    X, y = large + rng.permutation(40)[:, None], np.arange(40) % 2
    tree = DecisionTreeClassifier()
    shadows = mia.ShadowModels(tree, n_models=2, random_state=0).fit(X, y)
    asked = []

    class Listening:
        classes_ = np.array([0, 1])

        def predict_proba(self, X):
            asked.append(X)
            return np.full((len(X), 2), 0.5)

    mia.LabelOnlyAttack(n_queries=3).fit(shadows).score(mia.BlackBox(Listening()), X, y)
    assert [X.dtype for X in asked] == [np.float64] * 3
    np.testing.assert_array_equal(asked[0], X)
    assert len(np.unique(asked[1].astype(np.float32))) < len(np.unique(asked[1]))


def test_nothing_is_asked_where_the_budget_does_not_cover_every_attack():
    shadows = made_up()
    attacks = {
        "shadow": mia.ShadowAttack(n_queries=2).fit(shadows),
        "labels": mia.LabelOnlyAttack(n_queries=3).fit(shadows),
    }
    sides = ((numbers(90)[rows], shadows.y[rows]) for rows in np.split(np.arange(90), [45, 90]))
    world = mia.World(*sides, classes=np.arange(3))
    needed = 90 * (2 + 2)
    for door in (
        {"budget": needed - 1},
        {"hide": mia.noisy(epsilon=1.0), "epsilon_budget": needed - 1.0},
    ):
        api = mia.BlackBox(Oracle(shadows.confidences[0], range(3)), **door)
        with pytest.raises(ValueError, match="360 more needed .4 a record.; nothing was asked"):
            mia.evaluate(attacks, api, world)
        assert api.n_queries == 0
    api = mia.BlackBox(Oracle(shadows.confidences[0], range(3)), budget=needed)
    mia.evaluate(attacks, api, world)
    assert api.n_queries == needed


# What is refused

REFUSED = {
    "other features for an attack": (
        lambda t: t.attack.score(t.api, t.X[:, :2], t.Y),
        ValueError,
        "2 features",
        "3",
    ),
    "labels for other records": (
        lambda t: t.attack.score(t.api, t.X, t.Y[:9]),
        ValueError,
        "same length",
        "got 40 and 9",
    ),
    "learning from unfitted shadows": (
        lambda t: t.attack.fit(mia.ShadowModels(mia.MLP())),
        ValueError,
        "ShadowModels",
        "fit",
    ),
    "reporting an unfitted attack": (
        lambda t: mia.evaluate(mia.ShadowAttack(), t.api, t.world),
        ValueError,
        "ShadowAttack",
        "fit",
    ),
    "perturbing texts": (
        lambda t: mia.LabelOnlyAttack().fit(
            mia.ShadowModels.from_answers(
                t.X.astype(str), t.Y, t.shadows.members, t.shadows.confidences, [0, 1]
            )
        ),
        ValueError,
        "X must be an array of numbers",
        "dtype <U",
        "n_queries=1",
    ),
    "learning through a number": (
        lambda t: t.attack.fit(t.shadows, hide=[3]),
        TypeError,
        "hide",
        "functions",
        "got 3",
    ),
}


@refusals.each(REFUSED)
def test_what_an_attack_cannot_use_is_refused_in_words_and_changes_nothing(action, error, words):
    refusals.check(action, error, words)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("n, d, C", [(40, 3, 10.0), (400, 14, 10.0), (2000, 30, 0.3)])
def test_an_attack_model_is_the_logistic_regression_of_scikit_learn(n, d, C, dtype):
    """Where both look for the same minimum to the last, they find it, but for rounding and for the
    intercept's penalty of a millionth."""
    rng = np.random.default_rng(n)
    F = rng.normal(size=(n, d)) * rng.uniform(0.3, 3, d)
    members = rng.random(n) < 1 / (1 + np.exp(-F @ rng.normal(size=d) - 1))
    reference = LogisticRegression(C=C, tol=1e-12, max_iter=5000).fit(F, members)
    w, b = attack_model(F.astype(dtype), members, C, tol=1e-6)
    np.testing.assert_allclose(w, reference.coef_[0], rtol=2e-3, atol=2e-3)
    np.testing.assert_allclose(b, reference.intercept_[0], rtol=2e-3, atol=2e-3)


def test_an_attack_model_survives_what_no_line_can_leave_open():
    """A side that is told without an error; columns that are copies, and one that is constant."""
    x = np.concatenate([np.full(50, -40.0), np.full(50, 40.0)])
    members = x > 0
    w, b = attack_model(np.column_stack([x, x, np.ones(100)]), members, C=10.0)
    assert np.isfinite(w).all() and np.isfinite(b)
    assert ((x * w[0] + x * w[1] + w[2] + b > 0) == members).all()
    assert attack_model(np.ones((100, 2)), members)[1] == 0  # the log odds of a half
