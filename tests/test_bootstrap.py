import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from miaedu import Report, bootstrap
from miaedu.bootstrap import REPLICATES, Ranking, Weighed, draws


def joined(blocks):
    """The weights of members, and those of non-members, of all draws."""
    return [np.concatenate(side) for side in zip(*blocks, strict=True)]


def in_blocks_of(size, monkeypatch):
    for limit in ("BLOCK", "KEPT"):
        monkeypatch.setattr(bootstrap, limit, size)


def test_a_draw_has_as_many_records_as_there_are_and_each_counts_once_on_average():
    for weights, n in zip(joined(draws(np.arange(65) < 40)), (40, 25), strict=True):
        assert weights.shape == (REPLICATES, n)
        assert (weights.sum(axis=1) == n).all() and (weights == weights.astype(int)).all()
        # the mean of 400 binomial counts of variance 1 - 1/n, at 4.5 standard errors
        assert np.abs(weights.mean(axis=0) - 1).max() < 4.5 / REPLICATES**0.5
        # without replacement all would be 1; with it, this share is left out of a draw
        assert (weights == 0).mean() == pytest.approx((1 - 1 / n) ** n, abs=0.01)


@pytest.mark.parametrize("size", [30, 100, 700, 399 * 30])
def test_the_draws_are_the_same_in_blocks_of_any_size(size, monkeypatch):
    at_once = joined(draws(np.arange(30) < 17))
    in_blocks_of(size, monkeypatch)
    blocks = list(draws(np.arange(30) < 17))
    assert len(blocks) == -(-REPLICATES // max(1, size // 30)) > 1
    for whole, parts in zip(at_once, joined(blocks), strict=True):
        np.testing.assert_array_equal(parts, whole)


level = st.integers(-3, 3).map(float) | st.floats(-1e6, 1e6)  # equal scores are common
side = st.lists(level, min_size=1, max_size=30).map(np.array)


@given(side, side, st.integers(0, 99))
def test_measures_under_weights_are_scikit_learns(members, nonmembers, seed):
    rng = np.random.default_rng(seed)
    weights = [rng.integers(0, 4, (3, len(part))) + 0.0 for part in (members, nonmembers)]
    for part in weights:  # each side counts as much as it has records, as in a draw
        part[:, 0] += part.sum(axis=1) == 0
        part *= part.shape[1] / part.sum(axis=1, keepdims=True)
    weighed = Weighed(Ranking(members, nonmembers), *weights)
    truth = np.arange(len(members) + len(nonmembers)) < len(members)
    scores = np.concatenate([members, nonmembers])
    found = zip(weighed.auc(), *(weighed.tpr_at(rate) for rate in (0, 0.1, 0.5, 1)), strict=True)
    for row, measures in zip(np.concatenate(weights, axis=1), found, strict=True):
        assert measures[0] == pytest.approx(roc_auc_score(truth, scores, sample_weight=row))
        fpr, tpr, _ = roc_curve(truth, scores, sample_weight=row, drop_intermediate=False)
        for rate, hits in zip((0, 0.1, 0.5, 1), measures[1:], strict=True):
            assert hits == pytest.approx(tpr[fpr <= rate + 1e-9].max())


def normal_scores(n, groups=None):
    """A report on n members and n non-members, whose scores are a standard deviation apart."""
    rng, members = np.random.default_rng(0), np.arange(2 * n) < n
    scores = rng.normal(size=2 * n) + members
    right = rng.random(2 * n) < np.where(members, 0.95, 0.65)
    return Report("bells", scores, members, np.zeros(2 * n), right, 0.5, groups=groups)


MEASURES = [
    ("auc",),
    ("advantage",),
    ("precision",),
    ("recall",),
    ("fpr",),
    ("gap_advantage",),
    ("tpr_at", 0.05),
    ("tpr_at", 0.2),
]


@pytest.mark.parametrize("grouped", [False, True], ids=["records", "households"])
def test_the_intervals_are_the_same_in_blocks_of_any_size(grouped, monkeypatch):
    whole = normal_scores(200, np.arange(400) // 4 if grouped else None)
    in_blocks = replace(whole)
    at_once = [whole.interval(*measure) for measure in MEASURES]
    in_blocks_of(3000, monkeypatch)
    assert [in_blocks.interval(*measure) for measure in MEASURES] == at_once


def test_a_printed_report_walks_once_through_the_draws_for_all_its_intervals(monkeypatch):
    ours, calls = normal_scores(200), []
    plain = bootstrap.draws
    monkeypatch.setattr("miaedu.metrics.draws", lambda *given: calls.append(given) or plain(*given))
    printed = str(ours)
    assert len(calls) == 1
    for name in ("auc", "advantage", "precision", "recall", "fpr", "gap_advantage"):
        assert "{:.3f} to {:.3f}".format(*replace(ours).interval(name)) in printed


@pytest.mark.slow
def test_a_report_on_a_million_records_is_printed_within_500_megabytes():
    ours = normal_scores(500_000)
    tracemalloc.start()
    printed = str(ours)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    assert peak < 500
    # each interval is known in closed form, as the scores are normal and the records many
    low, high = ours.interval("auc")
    assert low < 0.76025 < high and high - low < 0.003, "the area is Phi(1 / sqrt 2)"
    assert "500000 members, 500000 non-members" in printed and "too few" not in printed
