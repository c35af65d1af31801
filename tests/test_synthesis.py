import warnings
from itertools import pairwise
from math import ceil
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier

import miaedu as mia
from miaedu import BlackBox, Features, label_by_querying, synthesize

X, Y = load_iris(return_X_y=True)
TREE = DecisionTreeClassifier(max_depth=2, random_state=0).fit(
    X, np.array(["setosa", "versicolor", "virginica"])[Y]
)


def test_records_from_anywhere_get_the_targets_own_labels():
    anywhere = np.random.default_rng(0).uniform(X.min(axis=0), X.max(axis=0), (50, 4))
    api = BlackBox(TREE)
    labels = label_by_querying(api, anywhere)
    assert labels.tolist() == TREE.predict(anywhere).tolist() and len(set(labels)) == 3
    assert api.n_queries == 50


def test_labels_are_those_that_the_owner_lets_out():
    always_the_last = BlackBox(TREE, hide=lambda confidences: np.sort(confidences, axis=1))
    assert set(label_by_querying(always_the_last, X)) == {"virginica"}


def test_a_budget_that_does_not_cover_all_records_labels_none():
    api = BlackBox(TREE, budget=100)
    with pytest.raises(ValueError, match="budget of 100 .*0 used, 150 more"):
        label_by_querying(api, X)
    assert len(label_by_querying(api, X[:100])) == 100


# Algorithm 1


class Toy:
    """A target by hand: `answer` gives the confidences (n, c) of records (n, d). Remembers what it
    was asked, call by call."""

    def __init__(self, answer, c=2):
        self.classes_, self.answer, self.calls = np.arange(c), answer, []

    def predict_proba(self, X):
        self.calls.append(np.array(X))
        return self.answer(np.asarray(X, float))


def ones_of(d, slope=1.0):
    """Surer of class 1 the more of the d features are 1."""

    def answer(X):
        p = 1 / (1 + np.exp(-slope * (X.sum(axis=1) - d / 2)))
        return np.column_stack([1 - p, p])

    return Toy(answer)


def constant(*confidences):
    return Toy(lambda X: np.tile(confidences, (len(X), 1)), len(confidences))


def saying(values, c=2):
    """A target that is that sure of class 1 at its first query, its second, and so on; not to be
    asked about two records at once."""
    values = iter(values)
    return Toy(lambda X: np.array([[1 - (p := next(values)), p]]), c)


def transcribed(target, c, d, rng, k_max, k_min, rej_max, conf_min, iter_max):
    """Shokri et al. 2017, algorithm 1, for one record of 0 and 1, line by line; the record or None,
    and how often the target was asked."""
    x, y_best, j, k = [int(rng.random() < 0.5) for _ in range(d)], 0.0, 0, k_max
    x_best = None
    for i in range(iter_max):
        y = target.predict_proba([x])[0]
        if y[c] >= y_best:
            if y[c] > conf_min and c == max(range(len(y)), key=lambda label: y[label]):
                if rng.random() < y[c]:
                    return x, i + 1
            x_best, y_best, j = list(x), y[c], 0
        else:
            j += 1
            if j > rej_max:
                k, j = max(k_min, ceil(k / 2)), 0
        x = list(x_best)
        for place in rng.choice(d, size=k, replace=False):
            x[place] = 1 - x[place]
    return None, iter_max


@pytest.mark.parametrize(
    "settings",
    [
        dict(k_max=5, k_min=1, rej_max=2, conf_min=0.2, iter_max=40),
        dict(k_max=3, k_min=2, rej_max=0, conf_min=0.9, iter_max=15),
    ],
    ids=["mild", "strict"],
)
def test_records_queries_and_failures_are_distributed_as_in_a_transcription(settings):
    d, n = 12, 1500
    # class 1 is rare where a chain starts: it has to climb
    target = ones_of(d, slope=1.5)
    hard = Toy(lambda X: np.column_stack([1 - (p := target.answer(X - 0.25)[:, 1]), p]))
    rng = np.random.default_rng(0)
    by_hand = [transcribed(hard, 1, d, rng, **settings) for _ in range(n)]
    made = synthesize(
        BlackBox(hard), Features.binary(d), n, classes=[1], random_state=1, **settings
    )
    found = [x for x, _ in by_hand if x is not None]
    shares = len(found) / n, made.success_rate
    # two draws of a share from n chains: 4 standard errors of their difference
    assert abs(shares[0] - shares[1]) < 4 * np.sqrt(2 * 0.25 / n)
    asked = np.bincount(made.steps["chain"])
    assert stats.ks_2samp([q for _, q in by_hand], asked).pvalue > 1e-4
    assert stats.ks_2samp(np.sum(found, axis=1), made.X.sum(axis=1)).pvalue > 1e-4
    assert 20 < np.ptp(asked) or settings["iter_max"] == 15, "the chains did not have to climb"


def test_the_first_records_share_that_is_taken_is_the_confidence():
    # An answer that never changes is always kept, so each query takes its record with probability
    # .3 or not at all: the queries of a chain are geometric.
    made = synthesize(
        BlackBox(constant(0.3, 0.3, 0.2, 0.2)),
        Features.binary(8),
        3000,
        classes=[0],
        random_state=0,
    )
    asked = np.bincount(made.steps["chain"])
    assert made.success_rate == 1 and made.acceptance == 1
    for i in range(1, 6):
        exact = 0.3 * 0.7 ** (i - 1)
        spread = np.sqrt(exact * (1 - exact) / 3000)
        assert abs(np.mean(asked == i) - exact) < 4 * spread
    assert made.queries_a_record == pytest.approx(1 / 0.3, abs=4 * np.sqrt(0.7 / 0.09 / 3000))


@pytest.mark.parametrize(
    "confidences, conf_min, why",
    [((0.6, 0.4), 0.2, "another class is likelier"), ((0.5, 0.5), 0.5, "it is not above conf_min")],
)
def test_a_record_that_may_not_be_taken_never_is(confidences, conf_min, why):
    api = BlackBox(constant(*confidences))
    sought = [1] if confidences[0] > 0.5 else [0]
    made = synthesize(api, Features.binary(6), 20, classes=sought, conf_min=conf_min, iter_max=30)
    assert len(made.y) == 0 and made.X.shape == (0, 6), why
    assert made.n_queries == api.n_queries == 600 and made.n_chains == 20
    assert made.success_rate == 0 and made.queries_a_record == float("inf")


def test_k_is_halved_upwards_after_more_than_rej_max_rejections_in_a_row_by_hand():
    # kept, then always worse but for one equal answer, which is kept and starts the count again
    values = [0.1, 0.05, 0.05, 0.1, *[0.05] * 8]
    made = synthesize(
        BlackBox(saying(values)),
        Features.binary(9),
        1,
        classes=[1],
        k_max=9,
        k_min=3,
        rej_max=2,
        iter_max=12,
    )
    trace = made.trace(0)
    assert trace["kept"].tolist() == [True, False, False, True, *[False] * 8]
    # the third rejection in a row halves 9 to 5, then 5 to 3, where it stays
    assert trace["k"].tolist() == [9, 9, 9, 9, 9, 9, 9, 5, 5, 5, 3, 3]
    np.testing.assert_allclose(trace["confidence"], values)


def follow(made, calls):
    """For each chain its proposals in their order, from what the target was asked."""
    asked = np.concatenate(calls)
    return [asked[made.steps["chain"] == i] for i in range(made.n_chains)]


@given(
    st.integers(2, 30),
    st.integers(1, 8),
    st.integers(0, 4),
    st.floats(0, 0.95),
    st.integers(1, 40),
    st.integers(0, 1000),
)
def test_every_proposal_differs_in_k_features_from_the_best_so_far_and_from_nothing_else(
    d, k_min, rej_max, conf_min, iter_max, seed
):
    target, k_max = ones_of(d), 1 + seed % d
    api = BlackBox(target)
    made = synthesize(
        api,
        Features.binary(d),
        7,
        k_max=k_max,
        k_min=k_min,
        rej_max=rej_max,
        conf_min=conf_min,
        iter_max=iter_max,
        random_state=seed,
    )
    assert made.n_queries == api.n_queries == len(made.steps) == sum(map(len, target.calls))
    assert made.n_chains == 7 and len(target.calls) <= iter_max
    found = dict(zip(made.chains.tolist(), made.X))
    for i, proposals in enumerate(follow(made, target.calls)):
        trace, sought = made.trace(i), i % 2
        told = BlackBox(ones_of(d)).predict_proba(proposals)
        np.testing.assert_array_equal(trace["confidence"], told[:, sought].astype(np.float32))
        best, best_confidence = None, 0.0
        for step, x, answer in zip(trace, proposals, told):
            if best is not None:
                assert (x != best).sum() == step["k"]
            assert step["kept"] == (answer[sought] >= best_confidence)
            if step["kept"]:
                best, best_confidence = x, answer[sought]
        if i in found:  # the last proposal, as it was asked about: later ones have not touched it
            np.testing.assert_array_equal(found[i], proposals[-1])
            assert trace["kept"][-1] and told[-1, sought] > conf_min
            assert told[-1].argmax() == sought
        else:
            assert len(trace) == iter_max
        assert all(k >= later for k, later in pairwise(trace["k"][1:]))
    assert made.y.tolist() == [i % 2 for i in made.chains]


def test_a_feature_of_more_values_is_drawn_again_from_its_range_and_the_others_stay():
    features = Features([0, -2, 5, 0], [1, 3, 9, 1], whole=[True, False, True, False])
    target = Toy(lambda X: np.tile([1.0, 0.0], (len(X), 1)))
    made = synthesize(
        BlackBox(target), features, 40, classes=[1], k_max=1, k_min=1, iter_max=50, random_state=0
    )
    asked = np.concatenate(target.calls)
    assert (asked >= features.low).all() and (asked <= features.high).all()
    assert (asked[:, [0, 2]] % 1 == 0).all() and (asked[:, 1] % 1 != 0).mean() > 0.99
    assert set(asked[:, 2].tolist()) == {5.0, 6.0, 7.0, 8.0, 9.0}
    for proposals in follow(
        made, target.calls
    ):  # every answer is kept: each is the next one's best
        changed = proposals[1:] != proposals[:-1]
        assert (changed.sum(axis=1) <= 1).all()
        # 49 proposals, a quarter each; an amount is never drawn twice, a whole number of 5 may be
        assert changed[:, [0, 1, 3]].any(axis=0).all()


def test_a_chain_is_the_same_whatever_classes_the_labels_are():
    d, names = 10, np.array(["no", "yes"])
    plain = ones_of(d)
    named = SimpleNamespace(classes_=names, predict_proba=plain.predict_proba)
    a, b = (
        synthesize(BlackBox(target), Features.binary(d), 30, random_state=3)
        for target in (plain, named)
    )
    np.testing.assert_array_equal(a.X, b.X)
    assert b.y.tolist() == names[a.y].tolist()
    only = synthesize(BlackBox(named), Features.binary(d), 5, classes=["yes"], random_state=3)
    assert only.y.tolist() == ["yes"] * 5


def test_equal_random_states_give_equal_records_and_others_do_not():
    def make(random_state):
        return synthesize(
            BlackBox(ones_of(20)), Features.binary(20), 50, random_state=random_state
        ).X

    np.testing.assert_array_equal(make(1), make(1))
    np.testing.assert_array_equal(make(np.random.RandomState(1)), make(np.random.RandomState(1)))
    assert (make(1) != make(2)).any()
    state = np.random.get_state()[1].copy()
    make(1)
    np.testing.assert_array_equal(state, np.random.get_state()[1])


def test_more_chains_than_run_side_by_side_are_begun_in_turn(monkeypatch):
    monkeypatch.setattr(mia.synthesis, "SIDE_BY_SIDE", 8)
    target, told = ones_of(12), []
    made = synthesize(
        BlackBox(target), Features.binary(12), 21, random_state=0, progress=told.append
    )
    assert max(map(len, target.calls)) == 8 and made.n_chains == 21 == len(made.y)
    assert made.chains.tolist() == list(range(21)) and (made.y == np.arange(21) % 2).all()
    assert told == sorted(told) and told[-1] == 1 and len(told) == len(target.calls)


# The budget, progress and stopping


def test_a_budget_that_is_spent_on_the_way_loses_nothing():
    target = ones_of(12)
    whole = synthesize(BlackBox(target), Features.binary(12), 30, random_state=0)
    api = BlackBox(ones_of(12), budget=60)
    with pytest.warns(
        UserWarning, match=r"budget .* is spent: (\d+) of 30 records were found"
    ) as w:
        made = synthesize(api, Features.binary(12), 30, random_state=0)
    assert api.n_queries == made.n_queries == 60 < whole.n_queries, "to the last query"
    assert f": {len(made.y)} of 30" in str(w[0].message) and 0 < len(made.y) < 30
    at_once = [i for i in made.chains if len(made.trace(i)) == 1]
    assert len(at_once) > 3
    for i in at_once:  # those of the first call, which the budget covers
        np.testing.assert_array_equal(made.X[made.chains == i], whole.X[whole.chains == i])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exact = BlackBox(ones_of(12), budget=whole.n_queries)
        assert len(synthesize(exact, Features.binary(12), 30, random_state=0).y) == 30
    assert exact.queries_left == 0
    assert BlackBox(ones_of(12)).queries_left == float("inf")


def test_a_budget_below_a_query_a_record_is_refused_before_any_query():
    api = BlackBox(ones_of(12), budget=29)
    with pytest.raises(ValueError, match="^n_records must be at most 29, .* got 30"):
        synthesize(api, Features.binary(12), 30)
    assert api.n_queries == 0


@pytest.mark.parametrize("epsilon, left", [(0.1, 100), (0.3, 33), (20.0, 0)])
def test_an_epsilon_budget_bounds_the_search_too(epsilon, left):
    api = BlackBox(ones_of(12), hide=mia.noisy(epsilon=epsilon), epsilon_budget=10)
    assert api.queries_left == left
    if left:
        with pytest.warns(UserWarning, match="budget"):
            made = synthesize(api, Features.binary(12), left - 3, random_state=0)
        assert made.n_queries == left and api.epsilon_spent == pytest.approx(left * epsilon)
    with pytest.raises(ValueError, match="n_records must be at most 0"):
        synthesize(api, Features.binary(12), 1)


def test_a_stop_ends_the_search_at_once():
    target = constant(1.0, 0.0)

    def stop(share):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        synthesize(BlackBox(target), Features.binary(5), 10, classes=[1], progress=stop)
    assert len(target.calls) == 1


@pytest.mark.parametrize(
    "wrong, message",
    [
        (dict(n_records=0), "n_records must be .*at least 1, got 0"),
        (dict(k_max=13), "k_max must be .*at most 12, got 13"),
        (dict(k_max=0), "k_max must be .*at least 1"),
        (dict(k_min=0), "k_min must be .*at least 1, got 0"),
        (dict(rej_max=-1), "rej_max must be .*got -1"),
        (dict(conf_min=1.0), "conf_min must be .*below 1, got 1.0"),
        (dict(iter_max=1.5), "iter_max must be a whole number.*got 1.5"),
        (dict(classes=[2]), r"classes must be some of the black box's, \[0, 1\], got \[2\]"),
        (dict(classes=[]), "classes must be some of the black box's"),
    ],
)
def test_settings_out_of_range_are_refused_before_any_query(wrong, message):
    api = BlackBox(ones_of(12))
    with pytest.raises(ValueError, match=message):
        synthesize(api, Features.binary(12), **{"n_records": 5} | wrong)
    assert api.n_queries == 0


# Formats, and records without a query


def test_the_format_of_records_is_their_ranges_and_what_is_whole():
    features = Features.of([[0.5, 3, 0], [-1, 7, 0]])
    assert features.low.tolist() == [-1, 3, 0] and features.high.tolist() == [0.5, 7, 0]
    assert features.whole.tolist() == [False, True, True]
    baskets = Features.of([[0, 1, 0], [0, 1, 1]])
    assert (baskets.low == 0).all() and (baskets.high == 1).all() and baskets.whole.all()


@pytest.mark.parametrize(
    "wrong, message",
    [
        (([0], [1, 2], [True]), r"low, high and whole must .*shapes \(1,\), \(2,\) and \(1,\)"),
        (
            ([0, 2], [1, 1], [False] * 2),
            "low must be .*at most high, got 2.0 and 1.0 for feature 1",
        ),
        (([0], [np.inf], [False]), "low must be finite"),
        (([0], [1.5], [True]), "whole numbers where whole is True, got 0.0 and 1.5 for feature 0"),
        (([], [], []), "one value for each feature"),
    ],
)
def test_a_format_that_is_none_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Features(*wrong)
    with pytest.raises(ValueError, match="d must be .*at least 1, got 0"):
        Features.binary(0)


def test_uniform_records_are_uniform_and_independent():
    features = Features([0, -2, 5], [1, 3, 9], whole=[True, False, True])
    X = mia.draw_uniformly(features, 4000, random_state=0)
    assert X.dtype == np.float32 and X.shape == (4000, 3)
    assert stats.kstest(X[:, 1], stats.uniform(-2, 5).cdf).pvalue > 1e-3
    for column, values in ((0, 2), (2, 5)):
        assert stats.chisquare(np.unique(X[:, column], return_counts=True)[1]).pvalue > 1e-3
        assert len(set(X[:, column].tolist())) == values
    # 4 standard errors of a correlation of 4,000 independent pairs
    assert np.abs(np.corrcoef(X.T)[np.triu_indices(3, 1)]).max() < 4 / np.sqrt(4000)


def test_marginals_keep_each_features_values_and_their_shares_and_nothing_that_ties_them():
    rng = np.random.default_rng(0)
    first = rng.choice([1.5, 2.5, 9.0], 500, p=[0.6, 0.3, 0.1])
    X = np.column_stack([first, -first])
    made = mia.sample_marginals(X, 6000, random_state=1)
    for value in (1.5, 2.5, 9.0):
        share = np.mean(first == value)
        for column in (made[:, 0], -made[:, 1]):
            assert abs(np.mean(column == value) - share) < 4 * np.sqrt(share * (1 - share) / 6000)
    assert abs(np.corrcoef(made.T)[0, 1]) < 4 / np.sqrt(6000)
    assert set(made.ravel().tolist()) == {*first, *-first}


@given(st.floats(0, 1), st.integers(0, 100))
def test_noise_flips_about_its_share_of_ones_and_zeros_and_leaves_the_rest(share, seed):
    X = (np.random.default_rng(seed).random((60, 50)) < 0.2).astype(np.float32)
    before = X.copy()
    noisy = mia.with_noise(X, share, random_state=seed)
    np.testing.assert_array_equal(X, before)
    assert not np.shares_memory(noisy, X) and np.isin(noisy, (0, 1)).all()
    # 3,000 coins: outside once in ten million examples
    low, high = stats.binom.interval(1 - 1e-7, 3000, share)
    assert low <= (noisy != X).sum() <= high


def test_noise_on_numbers_takes_the_same_feature_of_another_record():
    digits = mia.load_digits().X
    noisy = mia.with_noise(digits, 0.5, random_state=0)
    for column, spoilt in zip(digits.T, noisy.T):
        assert set(spoilt.tolist()) <= set(column.tolist())
    constant_pixels = np.ptp(digits, axis=0) == 0
    assert constant_pixels.any() and (noisy == digits)[:, constant_pixels].all()
    assert 0.2 < np.mean(noisy != digits) < 0.5


@pytest.mark.parametrize(
    "act, message",
    [
        (lambda: mia.with_noise(X, 1.5), "share must be .*at most 1, got 1.5"),
        (lambda: mia.sample_marginals(X, 0), "n_records must be .*at least 1, got 0"),
        (lambda: mia.sample_marginals(X[:0], 5), "minimum of 1 is required"),
        (lambda: mia.draw_uniformly(Features.of(X), -1), "n_records must be .*got -1"),
        (lambda: Features.of([[np.nan]]), "NaN"),
    ],
)
def test_what_cannot_be_drawn_is_refused(act, message):
    with pytest.raises(ValueError, match=message):
        act()


@pytest.mark.slow
def test_a_thousand_records_of_twenty_classes_come_within_seconds_and_the_target_agrees():
    shoppers = mia.load_purchases(n_classes=20, n_records=2000, random_state=0)
    api = BlackBox(mia.MLP(random_state=0).fit(shoppers.X[:1000], shoppers.y[:1000]))
    made = synthesize(api, Features.binary(200), 1000, random_state=0)
    assert made.success_rate == 1 and np.bincount(made.y).tolist() == [50] * 20
    np.testing.assert_array_equal(label_by_querying(api, made.X), made.y)
    assert made.queries_a_record < 40, "the paper has about 156, of 600 items"
