"""Everything runs, with the same results, where no thread can start: in a browser's Python."""

import asyncio
import os
import subprocess
import sys
import threading

import joblib
import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

import miaedu as mia
from miaedu import lockstep
from miaedu.lockstep import n_threads, threads_work


@pytest.fixture
def without_threads(monkeypatch):
    """A function after whose call no thread starts: Pyodide raises the same error."""

    def refuse(thread):
        raise RuntimeError("can't start new thread")

    def cut():
        threads_work.cache_clear()
        monkeypatch.setattr(threading.Thread, "start", refuse)

    yield cut
    monkeypatch.undo()
    threads_work.cache_clear()


def test_it_is_found_out_once(without_threads):
    assert threads_work()
    without_threads()
    assert not threads_work()
    assert threads_work.cache_info().misses == 1


def test_an_experiment_has_the_same_result(without_threads):
    experiment = mia.Experiment(n_members=100, hidden=8, epochs=3, n_shadows=3)
    before = mia.run(experiment).report.scores
    mia.experiment.stage.__globals__["cache"].kept.clear()
    without_threads()
    told = []
    after = mia.run(experiment, told.append).report.scores
    assert np.array_equal(before, after)
    assert told == sorted(told) and told[-1] == 1


@pytest.mark.parametrize("asked, expected", [("1", 1), ("3", 3), ("", joblib.cpu_count())])
def test_a_variable_says_how_many_threads_train(asked, expected, monkeypatch):
    monkeypatch.setenv("MIAEDU_THREADS", asked)
    assert n_threads() == expected


@pytest.mark.parametrize("asked", ["0", "-1", "two", "1.5"])
def test_a_bad_number_of_threads_is_refused(asked, monkeypatch):
    monkeypatch.setenv("MIAEDU_THREADS", asked)
    with pytest.raises(ValueError, match="MIAEDU_THREADS must be a whole number of at least 1"):
        n_threads()


def test_with_one_thread_the_results_and_every_library_keep_to_it():
    code = """
import miaedu as mia, threading
from threadpoolctl import threadpool_info
scores = mia.run(mia.Experiment(n_members=100, hidden=8, epochs=3, n_shadows=3)).report.scores
print({pool["num_threads"] for pool in threadpool_info()}, scores.sum())
"""
    said = {}
    for threads in ("1", "2"):
        env = os.environ | {"MIAEDU_THREADS": threads}
        said[threads] = subprocess.check_output([sys.executable, "-c", code], env=env, text=True)
    assert said["1"].startswith("{1} ")
    assert said["1"].partition("} ")[2] == said["2"].partition("} ")[2]


def test_progress_may_stop_the_training(without_threads, monkeypatch):
    without_threads()
    monkeypatch.setattr(lockstep, "LOOK", 0)

    def stop(share):
        raise InterruptedError(f"at {share:.2f}")

    X, y = np.random.default_rng(0).random((50, 5), np.float32), np.arange(50) % 2
    with pytest.raises(InterruptedError, match="at 0.0"):
        mia.MLP(hidden=4, epochs=100, random_state=0).fit(X, y, progress=stop)


def test_shadow_models_of_any_classifier_are_the_same(without_threads):
    X, y = np.random.default_rng(0).random((60, 5), np.float32), np.arange(60) % 3
    shadows = mia.ShadowModels(DecisionTreeClassifier(), n_models=3, random_state=0)
    before = shadows.fit(X, y).confidences
    without_threads()
    assert np.array_equal(before, shadows.fit(X, y).confidences)


def test_an_explorer_follows_its_slider(without_threads):
    without_threads()

    async def moved():
        explorer = mia.shadow_count(repetitions=1)
        explorer.controls["n_shadows"].value = 2
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0.01)
        return explorer

    explorer = asyncio.run(moved())
    assert explorer.message == ""
    assert explorer.words.startswith("With 2 shadow models ")
