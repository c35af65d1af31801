"""Many experiments, and a flat record of each."""

import json
import threading
from dataclasses import asdict, replace

import joblib
import pytest

import miaedu as mia
from miaedu import cache as stages_kept
from miaedu import sweeping
from miaedu.experiment import Experiment

TINY = Experiment(n_members=60, n_items=50, hidden=8, epochs=6, n_shadows=2)
PRIVATE = replace(TINY, clip=1.0, noise_multiplier=2.0)
NOISY = replace(TINY, hide=(("noisy", 0.1), ("top_k", 2)))
MEASURES = ("auc", "advantage", "gap_advantage", "train_accuracy", "test_accuracy")


def test_a_sweep_gives_one_flat_record_for_each_experiment_in_order():
    experiments = [TINY, replace(PRIVATE, noise_multiplier=1.0), replace(NOISY, l2=0.1)]
    records = mia.sweep((e for e in experiments), progress=False)
    for e, record in zip(experiments, records, strict=True):
        result = mia.run(e)
        expected = asdict(e) | {name: getattr(result.adaptive, name) for name in MEASURES}
        expected |= {"naive_auc": result.naive.auc, "naive_advantage": result.naive.advantage}
        assert record == expected | {"mu": result.mu, "epsilon": result.epsilon(1e-5)}
        assert all(
            isinstance(value, (str, int, float, tuple, type(None))) for value in record.values()
        )
        json.dumps(record)
    assert mia.sweep([], progress=False) == []


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_a_sweep_runs_where_joblib_is_told(n_jobs, monkeypatch):
    experiments = [replace(TINY, random_state=seed) for seed in range(4)]
    expected = mia.sweep(experiments, progress=False)
    monkeypatch.setattr(stages_kept, "cache", stages_kept.Cache(stages_kept.LIMIT))
    places, plain = set(), sweeping._record

    def noted(e):
        places.add(threading.get_ident())
        return plain(e)

    with joblib.parallel_config(backend="threading", n_jobs=n_jobs):
        monkeypatch.setattr(sweeping, "_record", noted)
        assert mia.sweep(experiments, progress=False) == expected
    assert (threading.get_ident() in places) == (n_jobs == 1)


def test_a_sweep_shows_a_bar_or_none(capsys):
    mia.sweep([TINY], progress=False)
    assert capsys.readouterr().err == ""
    mia.sweep([TINY, replace(TINY, l2=0.1)])
    assert "2/2" in capsys.readouterr().err


def test_an_error_in_a_sweep_is_told():
    with pytest.raises(ValueError, match="k must be from 1 to the number of classes"):
        mia.sweep([TINY, replace(TINY, hide=(("top_k", 11),))], progress=False)
