"""What the owner does to the confidences: by hand, by property, and against an attacker who
adapts."""

from dataclasses import replace
from math import inf, log, nan
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binom, kstest, t

import miaedu as mia
from miaedu import (
    BlackBox,
    Experiment,
    LabelOnlyAttack,
    labels_only,
    noisy,
    rounded,
    softened,
    top_k,
)

BY_HAND = np.array([[0.57, 0.04, 0.39], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]])


@st.composite
def confidences(draw, dtype=None):
    """Rows of probabilities (n, c) of every shape from flat to a corner, with ties, exact zeros and
    ones among them."""
    n, c = draw(st.integers(1, 5)), draw(st.integers(2, 6))
    parts = st.sampled_from([0, 0, 1, 1, 2, 3, 1e-3, 1e-7, 1e-30, 0.5, 0.123456])
    rows = draw(arrays(float, (n, c), elements=parts))
    rows[rows.sum(axis=1) == 0, draw(st.integers(0, c - 1))] = 1
    dtype = dtype or draw(st.sampled_from([np.float32, np.float64]))
    return (rows / rows.sum(axis=1, keepdims=True)).astype(dtype)


def highest(answers):
    return answers == answers.max(axis=1, keepdims=True)


def test_top_k_by_hand():
    assert top_k(1)(BY_HAND).tolist() == [[0.57, 0, 0], [0, 0.5, 0], [0, 0, 1]]
    # of equal ones the first stays
    assert top_k(2)(BY_HAND).tolist() == [[0.57, 0, 0.39], [0.25, 0.5, 0], [0, 0, 1]]


@given(confidences(), st.data())
def test_top_k_keeps_the_k_highest_as_they_are_and_the_winner(p, data):
    k = data.draw(st.integers(1, p.shape[1]))
    kept = top_k(k)(p)
    assert kept.dtype == p.dtype and ((kept == p) | (kept == 0)).all()
    # numpy's partition finds the sum of the k highest by another way.
    np.testing.assert_allclose(
        kept.sum(axis=1), np.partition(p, -k, axis=1)[:, -k:].sum(axis=1), rtol=1e-6
    )
    assert ((kept > 0).sum(axis=1) == np.minimum(k, (p > 0).sum(axis=1))).all()
    np.testing.assert_array_equal(kept.argmax(axis=1), p.argmax(axis=1))
    np.testing.assert_array_equal(top_k(p.shape[1])(p), p)


def test_rounding_by_hand():
    # halves go to the even digit
    assert rounded(1)(BY_HAND).tolist() == [[0.6, 0, 0.4], [0.2, 0.5, 0.2], [0, 0, 1]]
    assert rounded(0)(BY_HAND).tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 1]]
    np.testing.assert_array_equal(rounded(2)(BY_HAND), BY_HAND)


@given(confidences(np.float32), st.integers(0, 6))
def test_rounding_in_float32_gives_the_float32_next_to_the_decimal_number(p, decimals):
    answers = rounded(decimals)(p)
    assert answers.dtype == np.float32
    units = np.rint(answers.astype(float) * 10**decimals)
    np.testing.assert_array_equal(answers, (units / 10**decimals).astype(np.float32))
    half = 0.5 + 10**decimals * 2e-7  # of the last decimal, and a float32's own rounding
    assert (np.abs(units - p.astype(float) * 10**decimals) <= half).all()
    np.testing.assert_array_equal(rounded(decimals)(answers), answers)


def test_softening_by_hand():
    # The square roots of .64 and .36 are .8 and .6, and 8 : 6 is 4/7 : 3/7; a zero stays one, and
    # so does a one.
    np.testing.assert_allclose(
        softened(2)(np.array([[0.64, 0.36], [0, 1]])), [[4 / 7, 3 / 7], [0, 1]]
    )
    np.testing.assert_allclose(softened(0.5)(np.array([[4 / 7, 3 / 7]])), [[0.64, 0.36]])


@given(confidences(), st.floats(0.05, 20), st.floats(0.05, 20))
def test_softening_keeps_the_order_sums_to_1_and_multiplies_temperatures(p, once, twice):
    soft = softened(once)(p)
    assert soft.dtype == p.dtype and np.isfinite(soft).all() and (soft >= 0).all()
    np.testing.assert_allclose(soft.sum(axis=1), 1, rtol=1e-5)
    for before, after in zip(p, soft):
        assert (np.diff(after[np.argsort(before, kind="stable")]) >= 0).all()
    assert highest(soft)[highest(p)].all()
    # sharpening may round small numbers to nothing, which no softening brings back
    if once >= 1 <= twice:
        np.testing.assert_allclose(
            softened(twice)(soft), softened(once * twice)(p), rtol=1e-3, atol=1e-6
        )


@given(confidences())
def test_a_temperature_of_1_changes_nothing(p):
    # a logarithm of -70 rounds at 4e-6 in float32
    np.testing.assert_allclose(softened(1)(p), p, rtol=2e-5, atol=1e-37)


@given(confidences(), st.just(20.0) | st.floats(0.01, 1e6))
def test_zeros_and_ones_survive_any_temperature(p, temperature):
    soft, alone = softened(temperature)(p), (p > 0).sum(axis=1) == 1
    assert np.isfinite(soft).all() and (soft[p == 0] == 0).all()
    np.testing.assert_array_equal(soft[alone], p[alone])


def test_labels_by_hand():
    assert labels_only(BY_HAND).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert labels_only(np.array([[0.5, 0.5]], np.float32)).dtype == np.float32


@given(confidences())
def test_labels_only_keeps_the_winner_and_nothing_else(p):
    one = labels_only(p)
    assert set(np.unique(one)) == {0, 1} and (one.sum(axis=1) == 1).all() and one.dtype == p.dtype
    np.testing.assert_array_equal(one.argmax(axis=1), p.argmax(axis=1))


FUNCTIONS = {
    "top_k": top_k(1),
    "rounded": rounded(0),
    "softened": softened(20),
    "labels_only": labels_only,
    "noisy": noisy(1.0, random_state=0),
}


@pytest.mark.parametrize("first", FUNCTIONS)
@pytest.mark.parametrize("second", FUNCTIONS)
def test_answers_are_finite_numbers_in_whatever_order_functions_are_composed(first, second):
    p = np.array([[0.4, 0.3, 0.3], [1, 0, 0], [1 / 3, 1 / 3, 1 / 3]])
    answers = FUNCTIONS[second](FUNCTIONS[first](p))
    assert answers.shape == p.shape and np.isfinite(answers).all()


@given(confidences())
def test_the_answers_that_come_in_are_left_as_they_are(p):
    before = p.copy()
    for hide in FUNCTIONS.values():
        hide(p)
        np.testing.assert_array_equal(p, before)


# Noise

N = 40_000
FLAT = np.full((N, 2), 0.5)
EDGE = SimpleNamespace(
    classes_=np.array([0, 1]), predict_proba=lambda X: np.tile([1.0, 0.0], (len(X), 1))
)


@pytest.mark.parametrize(
    "hide, scale",
    [
        (noisy(0.3, random_state=0), 0.3),
        (noisy(epsilon=4.0, random_state=1), 0.5),
        (noisy(epsilon=0.5, random_state=2), 4.0),
    ],
)
def test_the_noise_is_laplace_of_its_scale_and_an_epsilon_means_a_scale_of_2_over_it(hide, scale):
    noise = hide(FLAT) - FLAT
    # Laplace noise has a fourth moment of 6 variances squared: n numbers give the variance to a
    # share of sqrt(5 / n).
    assert abs(noise.var() / (2 * scale**2) - 1) < 4 * (5 / noise.size) ** 0.5
    assert abs(noise.mean()) < 4 * scale * (2 / noise.size) ** 0.5
    assert kstest(noise.ravel(), "laplace", (0, scale)).pvalue > 0.001
    again = hide(FLAT) - FLAT
    # fresh for each number of each answer
    for a, b in ((noise[:, 0], noise[:, 1]), (noise, again)):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 4.5 / a.size**0.5


def test_equal_seeds_give_equal_noise_and_no_seed_gives_fresh_noise():
    assert np.array_equal(noisy(1.0, random_state=3)(FLAT), noisy(1.0, random_state=3)(FLAT))
    assert not np.array_equal(noisy(1.0, random_state=3)(FLAT), noisy(1.0, random_state=4)(FLAT))
    assert not np.array_equal(noisy(1.0)(FLAT), noisy(1.0)(FLAT))
    assert noisy(1.0)(FLAT.astype(np.float32)).dtype == np.float32
    np.testing.assert_array_equal(noisy(0)(FLAT), FLAT)


@pytest.mark.parametrize("epsilon", [0.5, 1.0, 2.0])
def test_one_answer_tells_corners_apart_just_as_well_as_epsilon_allows(epsilon):
    # Two training sets whose models answer with opposite corners: the worst case that the
    # sensitivity of 2 stands for. The first number above 1 and the second below 0 is e^epsilon
    # times as likely from one as from the other, exactly.
    hide = noisy(epsilon=epsilon, random_state=0)
    counts = []
    for corner in ([1.0, 0.0], [0.0, 1.0]):
        first, second = hide(np.tile(corner, (N, 1))).T
        counts.append(((first > 1) & (second < 0)).sum())
    likely, unlikely = counts
    # The logarithm of a ratio of two counts has variance 1 / count + 1 / count, less what the
    # shares take off.
    assert abs(log(likely / unlikely) - epsilon) < 4 * (1 / likely + 1 / unlikely) ** 0.5


def test_averaging_brings_the_noise_down_by_the_square_root_of_the_number_of_answers():
    api, record = BlackBox(EDGE, hide=[noisy(0.5, random_state=0)]), np.zeros((1, 3))
    spread = {}
    for n in (1, 4, 25, 100):
        means = (
            api.predict_proba(np.repeat(record, 400 * n, axis=0)).reshape(400, n, 2).mean(axis=1)
        )
        spread[n] = (means - [1, 0]).std()
        # The spread of 800 means is known to about 1 / sqrt(2 * 800), more for single answers,
        # whose tails are long.
        assert spread[n] == pytest.approx(0.5 * 2**0.5 / n**0.5, rel=4 * (5 / 4 / 800) ** 0.5)
    assert means.mean(axis=0) == pytest.approx([1, 0], abs=4 * spread[100] / 400**0.5)


def test_every_answer_spends_epsilon_and_what_is_refused_spends_none():
    api = BlackBox(EDGE, hide=[noisy(epsilon=0.1, random_state=0), top_k(1)], epsilon_budget=1.0)
    same = np.zeros((3, 2))
    api.predict_proba(same)
    api.predict_proba(same)  # asked again, answered afresh: paid again
    assert api.n_queries == 6 and api.epsilon_spent == pytest.approx(0.6)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"epsilon budget of 1.0 .*0.6 used, 0.5 more"):
            api.predict_proba(np.zeros((5, 2)))
    assert api.n_queries == 6 and api.epsilon_spent == pytest.approx(0.6)
    api.predict_proba(np.zeros((4, 2)))
    with pytest.raises(ValueError, match="1 used, 0.1 more"):
        api.predict_proba(same[:1])
    assert api.epsilon_spent == pytest.approx(1.0)


@pytest.mark.parametrize(
    "epsilon, budget, answers",
    [(0.1, 0.3, 3), (0.7, 2.1, 3), (1 / 3, 100.0, 300), (2.0, 1.9, 0), (1.0, 10.5, 10)],
)
def test_the_budget_is_spent_to_the_last_answer_whatever_the_rounding(epsilon, budget, answers):
    api = BlackBox(EDGE, hide=noisy(epsilon=epsilon), epsilon_budget=budget)
    with pytest.raises(ValueError, match="epsilon budget"):
        for _ in range(1000):
            api.predict_proba(np.zeros((1, 2)))
    assert api.n_queries == answers


def test_a_question_that_fails_spends_no_epsilon():
    broken = SimpleNamespace(
        classes_=np.array([0, 1]), predict_proba=lambda X: np.full((len(X), 2), 0.7)
    )
    api = BlackBox(broken, hide=noisy(epsilon=1.0), epsilon_budget=2.0)
    with pytest.raises(ValueError, match="sum to 1"):
        api.predict_proba(np.zeros((2, 2)))
    short = BlackBox(EDGE, hide=noisy(epsilon=1.0), epsilon_budget=5.0, budget=1)
    with pytest.raises(ValueError, match="query budget"):
        short.predict_proba(np.zeros((2, 2)))
    assert api.epsilon_spent == short.epsilon_spent == 0


@pytest.mark.parametrize(
    "hide",
    [
        [top_k(1), noisy(epsilon=1.0)],
        [noisy(0.1), noisy(epsilon=1.0)],
        [noisy(epsilon=1.0), noisy(epsilon=1.0)],
    ],
)
def test_noise_with_a_promise_comes_first_and_once(hide):
    with pytest.raises(ValueError, match="must come first .*sensitivity of 2"):
        BlackBox(EDGE, hide=hide, epsilon_budget=10.0)
    assert (
        BlackBox(EDGE, hide=[noisy(epsilon=1.0), top_k(1)], epsilon_budget=10.0).epsilon_spent == 0
    )


# What is refused, and why

REFUSED = {
    "k of 0": (lambda: top_k(0), "k .*at least 1, got 0", "an answer without any class"),
    "half a k": (lambda: top_k(1.5), "k .*whole number.*, got 1.5", "without any class"),
    "k above the number of classes": (
        lambda: top_k(4)(BY_HAND),
        "k .*from 1 to .*classes, 3, got 4",
        "no more confidences to keep",
    ),
    "decimals below 0": (
        lambda: rounded(-1),
        "decimals .*at least 0, got -1",
        "every confidence would be 0",
    ),
    "half a decimal": (
        lambda: rounded(0.5),
        "decimals .*whole number.*, got 0.5",
        "every confidence would be 0",
    ),
    "temperature of 0": (lambda: softened(0), "temperature .*above 0, got 0", "1 / temperature"),
    "temperature below 0": (
        lambda: softened(-2.0),
        "temperature .*above 0, got -2.0",
        "1 / temperature",
    ),
    "temperature without end": (lambda: softened(inf), "temperature .*got inf", "1 / temperature"),
    "scale below 0": (lambda: noisy(-0.1), "scale .*at least 0, got -0.1", "width of the noise"),
    "scale that is no number": (lambda: noisy(nan), "scale .*got nan", "width of the noise"),
    "epsilon of 0": (
        lambda: noisy(epsilon=0),
        "epsilon .*above 0, got 0",
        "would need infinite noise",
    ),
    "epsilon below 0": (
        lambda: noisy(epsilon=-0.5),
        "epsilon .*above 0, got -0.5",
        "would need infinite noise",
    ),
    "scale and epsilon": (
        lambda: noisy(0.1, epsilon=1.0),
        "either scale or epsilon",
        "got scale=0.1 and epsilon=1.0",
    ),
    "neither scale nor epsilon": (
        lambda: noisy(),
        "either scale or epsilon",
        "got scale=None and epsilon=None",
    ),
    "epsilon without a budget": (
        lambda: BlackBox(EDGE, hide=noisy(epsilon=1.0)),
        r"noisy\(epsilon=1.0\) needs .*epsilon_budget",
        "someone must stop",
    ),
    "epsilon budget of 0": (
        lambda: BlackBox(EDGE, noisy(epsilon=1.0), epsilon_budget=0),
        "epsilon_budget .*above 0, got 0",
        "must spend some of it",
    ),
}


@pytest.mark.parametrize("action, message, reason", REFUSED.values(), ids=REFUSED)
def test_what_hides_nothing_is_refused_with_what_is_allowed_and_why(action, message, reason):
    with pytest.raises(ValueError, match=f"^(give )?{message}") as refused:
        action()
    assert reason in str(refused.value)


# The attacker


@pytest.fixture(scope="module")
def purchases():
    """A target with shadow models: small, and fitted once for the tests that only ask."""
    world = mia.split(
        mia.load_purchases(n_records=800, n_items=100, random_state=0),
        n_members=200,
        random_state=0,
    )
    net = mia.MLP(hidden=16, epochs=10, random_state=0)
    shadows = mia.ShadowModels(net, 3, random_state=1).fit(*world.pool)
    return SimpleNamespace(world=world, target=net.fit(*world.members), shadows=shadows)


@pytest.mark.parametrize(
    "attack",
    [mia.ShadowAttack(), mia.ThresholdAttack(), LabelOnlyAttack(n_queries=3, levels=(0.05,))],
)
def test_the_shadows_answers_get_fresh_noise_and_spend_no_budget(purchases, attack):
    seen, noise = [], noisy(epsilon=2.0, random_state=0)

    def watched(confidences):
        answers = noise(confidences)
        seen.append((answers - confidences).ravel())
        return answers

    watched.epsilon = 2.0
    n = len(purchases.world.members[1])
    api = BlackBox(purchases.target, hide=[watched], epsilon_budget=2.0 * 3 * n)
    api.predict_proba(purchases.world.members[0])
    attack.fit(purchases.shadows, hide=api.hide)
    assert api.epsilon_spent == pytest.approx(2.0 * n) and api.n_queries == n
    together = np.concatenate(seen)
    assert len(seen) >= 2 and sum(map(len, seen[1:])) >= purchases.shadows.confidences.size
    # Noise that is used again would stand there twice, neighbours and all: single numbers may be
    # equal by chance.
    runs = np.column_stack([together[:-2], together[1:-1], together[2:]]).round(4)
    assert len(np.unique(runs, axis=0)) == len(runs)


def interval(differences):
    """95 % interval of the mean of independent differences, by Student's t."""
    half = (
        t.ppf(0.975, len(differences) - 1) * np.std(differences, ddof=1) / len(differences) ** 0.5
    )
    return np.mean(differences) - half, np.mean(differences) + half


@pytest.mark.parametrize(
    "hide", [(("softened", 20.0),), (("rounded", 1),), ("labels_only",), (("top_k", 1),)]
)
def test_an_attacker_who_adapts_gets_more_than_one_who_does_not(hide):
    small = Experiment(n_members=200, n_items=100, hidden=32, n_shadows=4, hide=hide)
    results = [mia.run(replace(small, random_state=seed)) for seed in range(8)]
    low, high = interval([r.adaptive.advantage - r.naive.advantage for r in results])
    assert low > 0, f"the mean difference of advantages is {low:.2f} to {high:.2f}"


@pytest.mark.parametrize("attack", ["shadow", "calibrated"])
def test_an_attacker_who_asks_often_sees_through_some_of_the_noise(attack):
    """On 16 other shops of this size the mean gain in advantage was 0.17 and 0.22, the standard
    error over eight of them 0.02: the interval of eight then stays well above 0.05."""
    small = Experiment(n_members=200, n_items=100, hidden=32, n_shadows=4, attack=attack)
    small = replace(small, hide=(("noisy", 0.3),))
    gains = []
    for seed in range(8):
        once, often = (mia.run(replace(small, n_queries=q, random_state=seed)) for q in (1, 16))
        gains.append(often.adaptive.advantage - once.adaptive.advantage)
        # the noise is one stream, and whoever does not adapt reads its first answers
        np.testing.assert_array_equal(often.naive.scores, once.naive.scores)
        assert (once.n_queries, often.n_queries) == (400, 16 * 400)
    low, high = interval(gains)
    assert low > 0.05, f"asking 16 times gives {low:.2f} to {high:.2f} of advantage"


@pytest.fixture(scope="module")
def label_only():
    """Default experiments but for fewer shadows; the answers are labels alone."""
    labels = Experiment(hidden=32, n_shadows=4, attack="label_only", hide=("labels_only",))
    return [mia.run(replace(labels, random_state=seed)) for seed in range(5)]


@pytest.mark.slow
def test_labels_alone_give_away_more_than_the_gap(label_only):
    low, high = interval([r.adaptive.advantage - r.adaptive.gap_advantage for r in label_only])
    assert low > 0, f"the mean difference of advantages is {low:.2f} to {high:.2f}"


@pytest.mark.slow
def test_labels_alone_cost_the_label_only_attack_nothing(label_only):
    plain = mia.run(Experiment(hidden=32, n_shadows=4, attack="label_only"))
    np.testing.assert_array_equal(plain.adaptive.scores, label_only[0].adaptive.scores)
    assert plain.adaptive.threshold == label_only[0].adaptive.threshold


def test_the_label_only_attack_asks_what_it_says_and_asks_nothing_that_it_could_not_finish(
    purchases,
):
    X, y = purchases.world.members
    attack = LabelOnlyAttack(n_queries=7, levels=(0.05,)).fit(purchases.shadows)
    enough, short = (
        BlackBox(purchases.target, [labels_only], budget) for budget in (7 * len(y), 7 * len(y) - 1)
    )
    scores = attack.score(enough, X, y)
    assert enough.n_queries == 7 * len(y)
    assert ((scores >= 0) & (scores <= 1)).all()
    with pytest.raises(
        ValueError,
        match=f"query budget of {7 * len(y) - 1} is too small: 0 used, {7 * len(y)} more",
    ):
        attack.score(short, X, y)
    assert short.n_queries == 0


def test_the_label_only_attack_does_not_ask_again_what_another_attack_has_asked(purchases):
    attacks = {
        "gap": mia.GapAttack(),
        "label only": LabelOnlyAttack(n_queries=3, levels=(0.05,)).fit(purchases.shadows),
    }
    api, alone = BlackBox(purchases.target), BlackBox(purchases.target)
    together = mia.evaluate(attacks, api, purchases.world)
    assert api.n_queries == 3 * 400
    by_itself = mia.evaluate(attacks["label only"], alone, purchases.world)
    assert alone.n_queries == 3 * 400
    np.testing.assert_array_equal(together["label only"].scores, by_itself.scores)


def test_the_label_only_attack_scores_by_how_often_a_perturbed_record_stays_right():
    # A target that looks at the first feature alone: right as long as that one is not flipped.
    X = np.eye(9, dtype=np.float32)[[0] * 3000]
    looks = SimpleNamespace(
        classes_=np.array([0, 1]), predict_proba=lambda X: np.column_stack([1 - X[:, 0], X[:, 0]])
    )
    pool = (np.random.default_rng(0).random((40, 9)) < 0.5).astype(np.float32)
    shadows = mia.ShadowModels(mia.MLP(epochs=1), 1, random_state=0).fit(pool, np.arange(40) % 2)
    attack = LabelOnlyAttack(n_queries=11, levels=(0.2,)).fit(shadows)
    scores = attack.score(BlackBox(looks), X, np.ones(3000, int))
    # The record itself is right; each of ten copies is with probability .8. Compared with nobody,
    # a record scores by how many were right: 11 values at most, as common as the binomial says.
    values, counts = np.unique(scores.round(9), return_counts=True)
    shares = np.sort(binom.pmf(np.arange(11), 10, 0.8))
    assert len(values) <= 11
    for found, share in zip(np.sort(counts / 3000)[::-1], shares[::-1]):
        # two counts whose scores are equal would have to add up
        assert abs(found - share) < 4.5 * (share * (1 - share) / 3000) ** 0.5 + 1e-3


def mixed(n=1200, seed=0):
    """Records of eight measurements of different spread and eight yes-or-no answers; labels to be
    learned by heart."""
    rng = np.random.default_rng(seed)
    X = np.column_stack([rng.normal(0, np.geomspace(0.3, 3, 8), (n, 8)), rng.random((n, 8)) < 0.5])
    return X, rng.integers(2, size=n)


@pytest.mark.parametrize("n_features", [8, 16], ids=["numeric", "mixed"])
def test_the_label_only_attack_perturbs_each_feature_in_its_own_way(n_features):
    X, y = mixed()
    X = X[:, :n_features]
    world = mia.split(mia.Dataset.from_arrays(X, y), n_members=300, random_state=0)
    net = mia.MLP(epochs=60, random_state=0)
    asked, target = [], net.fit(*world.members)

    def answer(X):
        asked.append(X)
        return target.predict_proba(X)

    shadows = mia.ShadowModels(net, 6, random_state=1).fit(*world.pool)
    attack = LabelOnlyAttack(n_queries=10).fit(shadows)
    api = BlackBox(
        SimpleNamespace(classes_=target.classes_, predict_proba=answer), hide=[labels_only]
    )
    report = mia.evaluate(attack, api, world)
    assert report.auc > 0.5 + 3 * (1 / 6 / 300) ** 0.5, (
        "no better than chance, by three standard errors of an AUC"
    )
    copies = np.array(asked[-9:]) - asked[-10]
    numeric = copies[..., :8].std(axis=(0, 1)) / shadows.X[:, :8].std(axis=0)
    np.testing.assert_allclose(numeric, attack.level_, rtol=4 / (2 * 9 * 600) ** 0.5)
    if n_features == 16:
        assert np.isin(np.array(asked[-9:])[..., 8:], (0, 1)).all()
        flipped = (copies[..., 8:] != 0).mean()
        assert abs(flipped - attack.level_) < 4 * (attack.level_ / (9 * 600 * 8)) ** 0.5


def test_the_label_only_attack_chooses_the_strength_that_tells_the_shadows_members_best(purchases):
    # half of the items flipped leaves nothing of a basket
    for levels in ((0.5, 0.05), (0.05, 0.5)):
        assert LabelOnlyAttack(n_queries=8, levels=levels).fit(purchases.shadows).level_ == 0.05


def test_a_record_that_every_model_gets_right_is_less_suspect_than_one_that_only_the_target_does(
    purchases,
):
    attack = LabelOnlyAttack(n_queries=1).fit(purchases.shadows)
    X, y = purchases.world.members
    api = BlackBox(purchases.target, hide=[labels_only], budget=len(y))
    scores = attack.score(api, X, y)
    assert api.n_queries == len(y), "one query a record"
    by_shadows = np.sum([net.predict(X) == y for net in purchases.shadows.networks], axis=0)
    right = purchases.target.predict(X) == y
    surprising, expected = scores[right & (by_shadows == 0)], scores[right & (by_shadows == 3)]
    assert surprising.min() > expected.max()
    # what is known of a record is one of eight: right or not, and by how many of three
    assert len(np.unique(scores.round(9))) <= 8


def test_what_models_without_the_record_say_helps_who_sees_labels_alone():
    gains = []
    for seed in range(3):
        world = mia.split(
            mia.load_purchases(n_records=1200, n_items=150, random_state=seed),
            n_members=300,
            random_state=seed,
        )
        net = mia.MLP(hidden=32, random_state=seed)
        api = BlackBox(net.fit(*world.members), hide=[labels_only])
        aucs = {}
        for n_models in (1, 8):
            shadows = mia.ShadowModels(net, n_models, random_state=seed).fit(*world.pool)
            for n_queries in (1, 10):
                attack = LabelOnlyAttack(n_queries, levels=(0.05,)).fit(shadows)
                aucs[n_models, n_queries] = mia.evaluate(attack, api, world).auc
        gains.append([aucs[8, q] - aucs[1, q] for q in (1, 10)])
    # An AUC of 300 against 300 has a standard error of .02, less for a difference on the same
    # records: all six gains are to be positive, and their mean above one standard error.
    assert np.min(gains) > 0 and np.mean(gains) > 0.02
