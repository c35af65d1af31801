"""The same audit, shadow models and sweep in other processes: on a Dask cluster of two workers, and
on joblib's own."""

from dataclasses import replace

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

import miaedu as mia
from miaedu import lockstep

pytestmark = pytest.mark.slow
NETWORK = mia.MLP(hidden=8, epochs=4)
FOREST = RandomForestClassifier(10)


@pytest.fixture(scope="module")
def cluster():
    from dask.distributed import Client, LocalCluster

    settings = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1"}
    with LocalCluster(**settings, dashboard_address=None) as made, Client(made) as client:
        client.wait_for_workers(2)
        yield client


@pytest.fixture(params=["dask", "loky"])
def elsewhere(request):
    """A function that gives a context in which joblib's tasks run in two other processes."""
    if request.param == "loky":
        return lambda: joblib.parallel_config("loky", n_jobs=2)
    request.getfixturevalue("cluster")
    return lambda: joblib.parallel_config("dask")


@pytest.fixture
def nothing_is_trained_here(monkeypatch):
    """A function after whose call this process, unlike its workers, refuses to train a model."""

    def refuse(*args, **options):
        raise AssertionError("trained in the calling process")

    def close():
        monkeypatch.setattr(lockstep, "train", refuse)
        monkeypatch.setattr(RandomForestClassifier, "fit", refuse)

    return close


def digits(n=400):
    data = mia.load_digits()
    return data.X[:n], data.y[:n]


@pytest.mark.parametrize("model", [NETWORK, FOREST], ids=["MLP", "forest"])
def test_shadow_models_of_other_processes_are_the_same(model, elsewhere, nothing_is_trained_here):
    X, y = digits()
    here = mia.ShadowModels(model, 5, random_state=3).fit(X, y)
    nothing_is_trained_here()
    shares = []
    with elsewhere():
        there = mia.ShadowModels(model, 5, random_state=3).fit(X, y, progress=shares.append)
    np.testing.assert_array_equal(here.members, there.members)
    np.testing.assert_array_equal(here.confidences, there.confidences)
    np.testing.assert_array_equal(here.predict_proba(X[:7]), there.predict_proba(X[:7]))
    assert len(there.networks) == 5 and shares == sorted(shares) and shares[-1] == 1


def test_snapshots_and_seeds_come_back_too(cluster):
    X, y = digits()
    model = mia.MLP(hidden=8, epochs=4, snapshots=[2])
    here = mia.ShadowModels(model, 3, random_state=3).fit(X, y)
    with joblib.parallel_config("dask"):
        there = mia.ShadowModels(model, 3, random_state=3).fit(X, y)
    assert here.networks.seeds == there.networks.seeds
    np.testing.assert_array_equal(here.at(2).confidences, there.at(2).confidences)


@pytest.mark.parametrize("model", [NETWORK, FOREST], ids=["MLP", "forest"])
def test_an_audit_on_a_cluster_finds_the_same(model, elsewhere, nothing_is_trained_here, tmp_path):
    world = mia.split(mia.load_digits(), n_members=200, n_nonmembers=200, random_state=0)
    target = model.__class__(**model.get_params() | {"random_state": 0}).fit(*world.members)
    pool = tuple(part[:300] for part in world.pool)
    sides = world.members, world.nonmembers
    settings = {"n_models": 8, "pool": pool, "progress": False}
    here = mia.audit(target, *sides, **settings)
    nothing_is_trained_here()
    with elsewhere():
        there = mia.audit(target, *sides, **settings, cache=tmp_path)
    np.testing.assert_array_equal(here.phi, there.phi)
    for view, reports in here.views.items():
        for name, report in reports.items():
            np.testing.assert_array_equal(report.scores, there.views[view][name].scores)
    assert str(here) == str(there)
    for kept in sorted(tmp_path.glob("*.npy"))[::2]:  # as if it had been stopped
        kept.unlink()
    with elsewhere():
        resumed = mia.audit(target, *sides, **settings, cache=tmp_path)
    np.testing.assert_array_equal(here.phi, resumed.phi)


def test_a_sweep_on_a_cluster_gives_the_same_records(elsewhere, nothing_is_trained_here):
    tiny = mia.Experiment(n_members=60, n_items=50, hidden=8, epochs=6, n_shadows=2)
    experiments = [replace(tiny, random_state=seed) for seed in range(3)]
    expected = mia.sweep(experiments, progress=False)
    nothing_is_trained_here()
    with elsewhere():
        assert mia.sweep(experiments, progress=False) == expected


class Counted(pd.DataFrame):
    """A table that counts how often it is sent; what arrives is an ordinary one."""

    sent = 0

    def __reduce_ex__(self, protocol):
        Counted.sent += 1
        return pd.DataFrame, (self.to_numpy(), self.index, self.columns)


@pytest.mark.parametrize("model", [NETWORK, FOREST], ids=["MLP", "forest"])
def test_the_table_is_sent_to_a_cluster_once_not_once_a_model(model, cluster):
    X, y = digits()
    table = Counted(X, columns=[f"pixel {j}" for j in range(X.shape[1])])
    Counted.sent = 0
    with joblib.parallel_config("dask"):
        shadows = mia.ShadowModels(model, 12, random_state=0).fit(table, y)
    assert len(shadows.networks) == 12
    assert Counted.sent == 1


@pytest.mark.parametrize("model", [NETWORK, FOREST], ids=["MLP", "forest"])
def test_what_fails_on_a_worker_is_told(model, elsewhere):
    X, y = digits()
    X = X.copy()
    X[:200] = np.inf
    with elsewhere(), pytest.raises(ValueError, match="infinity"):
        mia.ShadowModels(model, 4, random_state=0).fit(X, y)


@pytest.mark.parametrize("model", [NETWORK, FOREST], ids=["MLP", "forest"])
def test_work_on_a_cluster_can_be_stopped(model, cluster):
    def stop(share):
        raise KeyboardInterrupt

    shadows = mia.ShadowModels(model, 6, random_state=0)
    with joblib.parallel_config("dask"):
        with pytest.raises(KeyboardInterrupt):
            shadows.fit(*digits(), progress=stop)
        assert not hasattr(shadows, "networks")
        assert len(shadows.fit(*digits()).networks) == 6
