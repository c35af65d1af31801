"""Many experiments, and a flat record of what each found."""

from dataclasses import asdict

import joblib
from tqdm.auto import tqdm

from .experiment import run


def sweep(experiments, progress=True):
    """Run many experiments, through joblib; returns a flat record (a dict) of each one's settings
    and measures.

    >>> import miaedu as mia
    >>> records = mia.sweep([mia.Experiment(n_shadows=k) for k in (1, 2)], progress=False)
    >>> [record["n_shadows"] for record in records], records[0]["auc"] > 0.5
    ([1, 2], True)

    Each uses all cores, so they run one after another unless ``joblib.parallel_config`` says
    otherwise: within ``parallel_config("dask")`` each runs on a worker of the cluster. `progress`
    shows a bar. Measures: ``auc``, ``advantage``, ``naive_auc``, ``naive_advantage``,
    ``gap_advantage``, ``train_accuracy``, ``test_accuracy``, ``mu``, ``epsilon`` (at delta 1e-5).
    """
    experiments = list(experiments)
    work = joblib.Parallel(return_as="generator")(joblib.delayed(_record)(e) for e in experiments)
    return list(tqdm(work, total=len(experiments), disable=not progress, desc="experiments"))


def _record(experiment):
    # on a cluster, the shadow models are trained where the experiment runs
    with joblib.parallel_config("threading"):
        result = run(experiment)
    measures = "auc", "advantage", "gap_advantage", "train_accuracy", "test_accuracy"
    record = asdict(experiment) | {name: getattr(result.adaptive, name) for name in measures}
    record |= {f"naive_{name}": getattr(result.naive, name) for name in measures[:2]}
    return record | {"mu": result.mu, "epsilon": result.epsilon()}
