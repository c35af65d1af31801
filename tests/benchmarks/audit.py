"""What an audit costs beside the models that it trains, and beside what one would pick instead.

    pip install -e ".[bench,cluster]" sacroml
    python tests/benchmarks/audit.py         some minutes; --records 500 --models 8: a quick look
    --only shadows fits: these cases alone; --large: 200,000 records x 100 features, 20 shadow
    models of gradient boosting, and no other case; --json FILE: JSON into a file

A random forest of 100 trees is audited with as many non-members as members (5,000), 20 features, 2
classes, without a pool. Every case is a fresh process:

    answers     mia.audit with n_models=0, and the report printed
    shadows     mia.audit with 16 shadow models, and the report printed
    cluster     the same on a Dask cluster of two workers on this machine
    fits        the same 16 forests, trained and dropped
    sacroml     LIRAAttack of sacroml with 16 shadow models, its report included, online and offline
    ART         MembershipInferenceBlackBox("rf") of adversarial-robustness-toolbox, which learns
                from what the same 16 forests answer

"fits" are CPU seconds within the models' fit, "asks" within their predict_proba; "beside" is all
the rest from the call to the end of the report, of which "print" is the report's part: intervals,
the blind baseline and the untouched run, which are found when the report is printed. "share" is
what part of the fits "beside" is. "a model" is what a shadow model costs in seconds by the clock,
from the call to the report, all cores at work, printing not counted. AUC and TPR at 1 % FPR are of
the strongest attack, ours by the verdict. "MB" is the most memory that a process ever held (of 10^6
bytes; where there is no /proc, n/a). What is not installed has no row. Nothing is asserted.
"""

import argparse
import importlib.util
import json
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from common import fresh, leak, machine, peak_megabytes, table
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

import miaedu as mia
from miaedu.auditing.models import draw_evenly
from miaedu.training import train_each

PACKAGES = {
    "cluster": "distributed",
    "sacroml": "sacroml",
    "sacroml offline": "sacroml",
    "ART": "art",
}
CASES = ["answers", "shadows", "fits", *PACKAGES]
spent = defaultdict(float)


@contextmanager
def counted(what):
    """CPU seconds of this thread: models that are fitted side by side each have their own."""
    start = time.thread_time()
    yield
    spent[what] += time.thread_time() - start


class Forest(RandomForestClassifier):
    """A forest that counts its seconds."""

    def fit(self, X, y, sample_weight=None):
        with counted("fits"):
            return super().fit(X, y, sample_weight)

    def predict_proba(self, X):
        with counted("asks"):
            return super().predict_proba(X)


class Boosting(HistGradientBoostingClassifier):
    """Gradient boosting that counts its seconds."""

    def fit(self, X, y):
        with counted("fits"):
            return super().fit(X, y)

    def predict_proba(self, X):
        with counted("asks"):
            return super().predict_proba(X)


def records(n, n_features, seed, apart):
    rng = np.random.default_rng(seed)
    y = rng.integers(2, size=n)
    return rng.normal(size=(n, n_features)) + apart * y[:, None], y


def made(kind, n, n_features=20, apart=0.3):
    """A model of this kind, its members and as many others."""
    members, others = (records(n, n_features, seed, apart) for seed in (0, 1))
    return kind(random_state=0).fit(*members), members, others


def answers_of_shadows(members, others, n_models, ask):
    """What shadow forests like those of an audit answer, and who was in which."""
    X, y = (np.concatenate(both) for both in zip(members, others))
    shadows = mia.ShadowModels(Forest(), n_models, 0, train_size=len(members[1]))
    masks, seeds = draw_evenly(shadows, y, None)
    told = train_each(Forest(), X, y, masks, seeds, [0, 1], X[:ask])
    return masks, list(told)


def ours(kind, n, n_models, **shape):
    """An audit: what its report says of the strongest attack."""
    model, members, others = made(kind, n, **shape)
    with measured() as row:
        began = time.monotonic()
        report = mia.audit(model, members, others, n_models=n_models, progress=False)
        row["a model"] = (time.monotonic() - began) / n_models if n_models else None
        start = time.process_time()
        str(report)
        row["print"] = time.process_time() - start
    with tempfile.TemporaryDirectory() as folder:
        page = report.save(f"{folder}/a.html", records=n_models > 0)
        row["page_kilobytes"] = page.stat().st_size / 1e3
    return row | {"auc": report.headline.auc, "tpr": report.headline.tpr_at(0.01)}


def on_a_cluster(n, n_models):
    """The audit with shadow models that other processes train."""
    import joblib
    from dask.distributed import Client, LocalCluster

    workers = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1"}
    with LocalCluster(**workers, dashboard_address=None) as cluster, Client(cluster):
        with joblib.parallel_config("dask"):
            row = ours(Forest, n, n_models)
    # what the workers spend is not seen from here
    return {name: row[name] for name in ("a model", "print", "auc", "tpr", "page_kilobytes")}


def fits(n, n_models):
    _, members, others = made(Forest, n)
    with measured() as row:
        answers_of_shadows(members, others, n_models, ask=1)
    return row


def sacroml(n, n_models, mode="online-carlini"):
    from sacroml.attacks.likelihood_attack import LIRAAttack
    from sacroml.attacks.target import Target

    model, (X, y), (X_out, y_out) = made(Forest, n)
    with tempfile.TemporaryDirectory() as folder, measured() as row:
        target = Target(model=model, X_train=X, y_train=y, X_test=X_out, y_test=y_out)
        attack = LIRAAttack(output_dir=folder, n_shadow_models=n_models, mode=mode)
        attack.attack(target)
    found = attack.attack_metrics[0]
    hits = np.asarray(found["tpr"])[np.asarray(found["fpr"]) <= 0.01].max()
    return row | {"auc": float(found["AUC"]), "tpr": float(hits)}


def art(n, n_models):
    from art.attacks.inference.membership_inference import MembershipInferenceBlackBox
    from art.estimators.classification import BlackBoxClassifier

    model, members, others = made(Forest, n)
    X, y = (np.concatenate(both) for both in zip(members, others))
    with measured() as row:
        masks, told = answers_of_shadows(members, others, n_models, ask=len(X))
        told, inside = np.concatenate(told), masks.ravel()
        labels = np.tile(y, n_models)
        attack = MembershipInferenceBlackBox(
            BlackBoxClassifier(model.predict_proba, X.shape[1:], 2), attack_model_type="rf"
        )
        attack.fit(
            pred=told[inside], y=labels[inside], test_pred=told[~inside], test_y=labels[~inside]
        )
        scores = attack.infer(X, y, probabilities=True).ravel()
    auc, tpr = leak(scores, n)
    return row | {"auc": float(auc), "tpr": float(tpr)}


@contextmanager
def measured():
    """CPU seconds of what happens within it, by where they are spent; and the peak memory."""
    row = {}
    spent.clear()
    start = time.process_time()
    yield row
    row |= {"fits": 0.0, "asks": 0.0} | spent
    row["beside"] = time.process_time() - start - row["fits"] - row["asks"]
    row["share"] = row["beside"] / row["fits"] if row["fits"] else float("nan")
    row["megabytes"] = peak_megabytes()


def one(case, n, n_models):
    """One case, in this process."""
    cases = {
        "answers": lambda: ours(Forest, n, 0),
        "shadows": lambda: ours(Forest, n, n_models),
        "cluster": lambda: on_a_cluster(n, n_models),
        "fits": lambda: fits(n, n_models),
        "sacroml": lambda: sacroml(n, n_models),
        "sacroml offline": lambda: sacroml(n, n_models, "offline"),
        "ART": lambda: art(n, n_models),
        "large": lambda: ours(Boosting, 100_000, 20, n_features=100, apart=0.05),
    }
    return cases[case]()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=5_000, help="on each side")
    parser.add_argument("--models", type=int, default=16, help="shadow models")
    parser.add_argument("--only", nargs="+", choices=CASES, default=CASES, metavar="CASE")
    parser.add_argument("--large", action="store_true", help="the large case alone")
    parser.add_argument("--json", type=Path, help="write the rows there too")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--to", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        # not printed: others print of their own
        given.to.write_text(json.dumps(one(given.one, given.records, given.models)))
        print("null")
        return
    cases = ["large"] if given.large else given.only
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            if case in PACKAGES and importlib.util.find_spec(PACKAGES[case]) is None:
                print(f"{case}: not installed")
                continue
            to = Path(folder) / "row.json"
            sizes = "--records", given.records, "--models", given.models
            fresh(__file__, "--one", case, "--to", to, *sizes)
            rows.append({"case": case} | json.loads(to.read_text()))
    names = ["case", "fits", "asks", "beside", "print", "share", "a model", "megabytes"]
    names += ["auc", "tpr", "page_kilobytes"]
    print(table(names, [[row.get(name) for name in names] for row in rows]))
    if given.json:
        given.json.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
