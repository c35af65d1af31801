"""What is refused is told in words, and nothing is changed by it: what the tests of it share.

A module lists, under a name each, what is done with `things`, the class of the error, and the words
that its message must hold: which argument, what it was, what is allowed.
"""

from types import SimpleNamespace

import joblib
import numpy as np
import pytest

import miaedu as mia

rng = np.random.default_rng(0)
Y = np.arange(40) % 2
X = rng.normal(Y[:, None], 1, (40, 3)).astype(np.float32)
HALVES = rng.random((2, 40)) < 0.5


def things():
    """Records, and one of each thing that can be asked something about them, in working order."""
    net = mia.MLP(epochs=2, random_state=0).fit(X, Y)
    shadows = mia.ShadowModels(mia.MLP(epochs=2), n_models=2, random_state=0).fit(X, Y)
    data = mia.Dataset.from_arrays(X, Y)
    return SimpleNamespace(
        X=X,
        Y=Y,
        halves=HALVES,
        net=net,
        shadows=shadows,
        data=data,
        world=mia.split(data, 10, random_state=0),
        api=mia.BlackBox(net),
        attack=mia.ShadowAttack().fit(shadows),
        report=mia.Report("by hand", np.array([0.9, 0.8, 0.1]), Y[:3] == 0, Y[:3], Y[:3] == 0, 0.5),
    )


def everything(t):
    """All that the things in `t` know and answer."""
    yield from (t.X, t.Y, t.halves)
    yield from (t.net.predict_proba(X), t.net.classes_, t.net.n_features_in_, t.net.networks_.seeds)
    yield from (t.shadows.members, t.shadows.confidences, t.shadows.X, t.shadows.y)
    yield from (t.shadows.classes_, t.shadows.predict_proba(X))
    yield from (t.data.X, t.data.y, t.world.members[0])
    yield from (t.api.n_queries, t.attack.threshold_, t.report.auc)
    yield t.attack.score(mia.BlackBox(t.net), X, Y)


def with_one(value, dtype=np.float32):
    """X with this value in one place."""
    spoilt = X.astype(dtype)
    spoilt[7, 1] = value
    return spoilt


def each(table):
    """Run a test on each row of a table, {name: (action, error, *words)}."""
    rows = [(action, error, words) for action, error, *words in table.values()]
    return pytest.mark.parametrize("action, error, words", rows, ids=table)


def check(action, error, words):
    """Assert that the action ends in this error, in these words, and has changed nothing."""
    t = things()
    with (
        joblib.parallel_config("threading"),
        np.errstate(over="ignore"),
        pytest.raises(error) as caught,
    ):
        action(t)
    message = str(caught.value)
    assert [word for word in words if word not in message] == [], message
    assert "np." not in message, "values are said as people write them"
    for now, before in zip(everything(t), everything(things()), strict=True):
        np.testing.assert_array_equal(now, before)
