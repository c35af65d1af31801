"""Shadow training and the attack that follows: this project beside what one would pick instead, in
one run.

    pip install -e ".[bench]"
    python tests/benchmarks/shadow_training.py       several minutes; --quick: 1 and 4 shadow models
                                                     alone; --only ours: this project alone; --json
                                                     FILE: JSON into a file

The world: purchases with 200 items and 20 classes; 1,000 members, 1,000 non-members, and a pool of
2,000 records, of which each shadow model trains on 1,000. Each contender runs in a fresh process
for each number K of shadow models.

    ours               ShadowModels(MLP(hidden=64)), ShadowAttack; with batches of 100, the default,
    and of 200
    sklearn logistic   MLPClassifier((64,), alpha=0, max_iter=200), cloned over the same halves
    through joblib on all
    sklearn forest     cores; a logistic regression or a random forest (100 trees, n_jobs=-1) a
    class on whole vectors
    tuned sklearn      the first of these with our batches, step size and few epochs instead of its
                       own and 200 epochs: tells how much of the gain is lockstep, and how much is
                       settings
    ART forest         adversarial-robustness-toolbox: its ShadowModels of MLPClassifier((64,),
                       alpha=0, max_iter=200) and its MembershipInferenceBlackBox("rf")

What is kind to the others: joblib's workers are started and warm before the clock starts; where
scikit-learn's training is measured twice, the faster run counts; ART's template is fitted before
the clock starts, and ART gets one BLAS thread, as two would double the CPU time of its training and
save next to no wall time. Nothing is asserted: times depend on the machine and on what else it
does. The ratios of one run are what counts.
"""

import argparse
import json
import sys
import time
from functools import cache, partial
from pathlib import Path

import numpy as np
from common import (
    Stopwatch,
    fresh,
    import_seconds,
    leak,
    machine,
    matrix_rate,
    peak_megabytes,
    table,
)
from threadpoolctl import threadpool_limits

import miaedu as mia

PHASES = "train", "collect", "fit attack", "score"
SKLEARN, OURS = "MLPClassifier", "miaedu.MLP"  # the two kinds of target, and of shadow models
TARGETS = 5  # of each kind, to measure an attack against: they differ by their seeds alone
# Other people's words, once for each of hundreds of fits: that 200 epochs were not enough, that
# there is no PyTorch.
QUIET = "ignore:Stochastic Optimizer,ignore:PyTorch not found"


def purchases():
    data = mia.load_purchases(n_classes=20, n_items=200, n_records=4000, random_state=0)
    return mia.split(data, n_members=1000, random_state=0)


def network(kind, random_state=None, **settings):
    """An untrained network with 64 hidden units: target and shadow models of a kind have the same
    settings."""
    if kind == OURS:
        return mia.MLP(hidden=64, random_state=random_state, **settings)
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier((64,), alpha=0, random_state=random_state, **{"max_iter": 200} | settings)


def our_pace():
    """The settings that make scikit-learn's network train as long, and as fast, as ours does by
    default."""
    ours = mia.MLP()
    return {
        "max_iter": ours.epochs,
        "learning_rate_init": ours.learning_rate,
        "batch_size": ours.step_size(),
    }


# A contender trains K shadow models on the pool, fits its attack, and returns the attack, a
# function from a target and records X, y to scores; its shadow models' mean train accuracy; the
# operations executed in training, or None.
def ours(K, pool, watch, **settings):
    shadows = train_and_collect(network(OURS, **settings), K, pool, watch)
    with watch("fit attack"):
        attack = mia.ShadowAttack().fit(shadows)
    return (
        lambda target, X, y: attack.score(mia.BlackBox(target), X, y),
        train_accuracy(shadows),
        operations(shadows),
    )


def cloned(attack_model, K, pool, watch, **settings):
    import joblib
    from sklearn.base import clone

    brief = network(SKLEARN, 0).set_params(max_iter=20)
    joblib.Parallel(n_jobs=-1)(
        joblib.delayed(clone(brief).fit)(*pool) for _ in range(4 * joblib.cpu_count())
    )
    shadows = train_and_collect(network(SKLEARN, **settings), K, pool, watch)
    with watch("fit attack"):
        answers, y, models = shadows.confidences, pool[1], {}
        for label in np.unique(y):
            own = answers[:, y == label].reshape(-1, answers.shape[-1])
            models[label] = clone(attack_model()).fit(own, shadows.members[:, y == label].ravel())

    def score(target, X, y):
        answers, scores = target.predict_proba(X), np.empty(len(y))
        for label, model in models.items():
            scores[y == label] = model.predict_proba(answers[y == label])[:, 1]
        return scores

    return score, train_accuracy(shadows), None


def logistic():
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000)


def forest():
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(100, n_jobs=-1, random_state=0)


def toolbox(K, pool, watch):
    from art.attacks.inference.membership_inference import MembershipInferenceBlackBox, ShadowModels
    from art.estimators.classification.scikitlearn import ScikitlearnClassifier

    class Timed(ScikitlearnClassifier):
        def predict(self, x, **more):
            with watch("collect"):
                return super().predict(x, **more)

    X, y = pool
    onehot = np.eye(y.max() + 1, dtype=np.float32)
    np.random.seed(1)  # the clones and the forest draw from numpy's global stream
    with threadpool_limits(1):
        template = Timed(network(SKLEARN).fit(X, y))
        with watch("train"):
            inside, outside = ShadowModels(template, K, random_state=1).generate_shadow_dataset(
                X, onehot[y]
            )
    with watch("fit attack"):
        attack = MembershipInferenceBlackBox(template, attack_model_type="rf")
        attack.fit(inside[0], inside[1], outside[0], outside[1], inside[2], outside[2])

    def score(target, X, y):
        return attack.infer(
            None, onehot[y], pred=target.predict_proba(X), probabilities=True
        ).ravel()

    return score, float((inside[2].argmax(axis=1) == inside[1].argmax(axis=1)).mean()), None


CONTENDERS = {
    "ours": (ours, OURS),
    "ours, batch 200": (partial(ours, batch_size=200), OURS),
    "sklearn logistic": (partial(cloned, logistic), SKLEARN),
    "sklearn forest": (partial(cloned, forest), SKLEARN),
    "tuned sklearn": (partial(cloned, logistic, **our_pace()), SKLEARN),
    "ART forest": (toolbox, SKLEARN),
}


def train_and_collect(model, K, pool, watch):
    """Fitted ShadowModels: in lockstep for our network, through joblib for another's; the halves
    are the same."""

    class Timed(mia.ShadowModels):
        def predict_proba(self, X):
            with watch("collect"):
                return super().predict_proba(X)

    with watch("train"):
        return Timed(model, n_models=K, random_state=1).fit(*pool)


def train_accuracy(shadows):
    return float((shadows.confidences.argmax(axis=2) == shadows.y)[shadows.members].mean())


def operations(shadows):
    """Multiplications and additions executed in the training of our networks, in matrix products
    there and back."""
    # biases are weights of a constant input
    model, d, c = shadows.model, shadows.X.shape[1] + 1, len(shadows.classes_)
    batch, h = model.step_size(), model.hidden
    rows = sum(
        model.epochs * max(1, round(n / batch)) * batch
        for n in shadows.members.sum(axis=1).tolist()
    )
    return 2 * rows * (2 * d * h + 2 * (h + 1) * c + h * c)  # the inputs get no gradient


def measure(name, K):
    """One contender with K shadow models, in this process: what the tables show, as a dict."""
    (contender, kind), world, watch = CONTENDERS[name], purchases(), Stopwatch()
    X, y = (np.concatenate(part) for part in zip(world.members, world.nonmembers))
    settings = getattr(contender, "keywords", {})
    target = targets(world, kind, 1, **settings)[0]  # warms the libraries up, too
    score, accuracy, executed = contender(K, world.pool, watch)
    with watch("score"):
        score(target, X, y)
    peak = peak_megabytes()  # before more targets and the matrix product have their turn

    @cache
    def against(kind, **settings):
        attacked = targets(world, kind, TARGETS, **settings)
        found = [leak(score(target, X, y), len(world.members[1])) for target in attacked]
        return dict(zip(("AUC", "TPR"), np.mean(found, axis=0).tolist()))

    leaks = {"own": against(kind, **settings), "common": against(SKLEARN), "our MLP": against(OURS)}
    wall, cpu = ({phase: float(watch.phases[phase][i]) for phase in PHASES} for i in (0, 1))
    return {
        "contender": name,
        "K": K,
        "wall": wall,
        "cpu": cpu,
        "peak_mb": peak,
        "train_accuracy": accuracy,
        "leaks": leaks,
        "training_rate": executed and executed / cpu["train"],
        "matrix_rate": executed and matrix_rate(),
    }


def targets(world, kind, n, **settings):
    with threadpool_limits(1):
        return [network(kind, seed, **settings).fit(*world.members) for seed in range(n)]


def whole_experiment():
    """Median wall seconds of a whole mia.run at its defaults, data and all, each with a seed of its
    own."""
    took = []
    for seed in range(10):
        start = time.perf_counter()
        mia.run(mia.Experiment(random_state=seed))
        took.append(time.perf_counter() - start)
    return float(np.median(took[1:]))


def show_times(results):
    print(
        "\nSeconds by phase, wall / CPU, child processes included; peak memory in MB, all "
        "processes added up\n"
    )
    rows = []
    for r in results:
        pairs = [(r["wall"][phase], r["cpu"][phase]) for phase in PHASES]
        pairs.append(np.sum(pairs, axis=0))
        times = (f"{wall:.2f} / {cpu:.2f}" for wall, cpu in pairs)
        rows.append([r["contender"], r["K"], *times, r["peak_mb"]])
    print(table(["contender", "K", *PHASES, "whole", "peak MB"], rows))


def show_leaks(results):
    print(f"""
What the attack finds out: AUC, and TPR at 1 % FPR, means over {TARGETS} targets that differ
by their seeds
  own        targets of the contender's own kind, with the settings of its shadow models
  common     targets that are scikit-learn's MLPClassifier, no matter who attacks: what most others'
             shadows are, too
  our MLP    targets that are this project's MLP at its defaults, no matter who attacks: what our
             shadows are, too
accuracy: of the shadow models on their own training sets
share: operations in matrix products per CPU second of training, against those of one thread in one
       large product
""")
    columns = [(which, what) for which in results[0]["leaks"] for what in ("AUC", "TPR")]
    rows = []
    for r in results:
        found = (r["leaks"][which][what] for which, what in columns)
        rows.append([r["contender"], r["K"], *found, r["train_accuracy"], r["share"]])
    print(table(["contender", "K", *map(" ".join, columns), "accuracy", "share"], rows))


def comparisons(results):
    """What ours reached, and beside the others at the largest K that all of them ran: rows (what,
    measured, reach)."""
    of = {(r["contender"], r["K"]): r for r in results}
    K = max(K for name, K in of if name == "ours, batch 200")
    others = {name: r for (name, k), r in of.items() if k == K and not name.startswith("ours")}
    rows = beside(of["ours", K], others, K) if others else []
    accuracy = min(r["train_accuracy"] for (name, _), r in of.items() if name.startswith("ours"))
    rows.append(["train accuracy of our shadow models, the lowest mean", accuracy, "at least 0.99"])
    rows.append(
        [
            f"share of the matrix rate, batch 200, K = {K}",
            of["ours, batch 200", K]["share"],
            "at least 0.40",
        ]
    )
    rows += [
        [f"peak MB, ours, K = {K}", of["ours", K]["peak_mb"], f"at most {reach}"]
        for K, reach in ((64, 350), (1024, 700))
        if ("ours", K) in of
    ]
    return rows


def beside(mine, others, K):
    """Times of the others in units of ours, and how much more our attack finds out: rows (what,
    measured, reach)."""
    rows = []
    for clock, reach in ("cpu", 12), ("wall", 10):
        least = min(r[clock]["train"] for name, r in others.items() if name.startswith("sklearn"))
        what = f"training, sklearn / ours, {clock} time, K = {K}"
        rows.append([what, least / mine[clock]["train"], f"at least {reach}"])
    ratio = others["tuned sklearn"]["cpu"]["train"] / mine["cpu"]["train"]
    rows.append([f"training, tuned sklearn / ours, cpu time, K = {K}", ratio, None])
    for name, r in others.items():
        ratio = sum(r["cpu"].values()) / sum(mine["cpu"].values())
        reach = "at least 15" if name.startswith("ART") else None
        rows.append([f"whole attack, {name} / ours, cpu time, K = {K}", ratio, reach])
    for which, found in mine["leaks"].items():
        ahead = found["AUC"] - max(r["leaks"][which]["AUC"] for r in others.values())
        rows.append(
            [f"AUC, ours - best of the others, {which} targets, K = {K}", ahead, "at least -0.01"]
        )
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="1 and 4 shadow models only")
    parser.add_argument("--only", choices=["ours"], default="", help="this project alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the JSON there")
    chosen = parser.parse_args()
    conditions, results = machine(), []
    for K in (1, 4) if chosen.quick else (1, 4, 16, 64, 256, 1024):
        for name in CONTENDERS:
            if name.startswith(chosen.only) and (K <= 64 or name == "ours"):
                print(f"{name}, K = {K}", file=sys.stderr)
                results.append(fresh(__file__, "measure", name, K, PYTHONWARNINGS=QUIET))
    # of the whole run: a busy moment flatters nobody
    best = max(r["matrix_rate"] for r in results if r["matrix_rate"])
    for r in results:
        r["share"] = r["training_rate"] and r["training_rate"] / best
    show_times(results)
    show_leaks(results)
    rows = comparisons(results)
    took = import_seconds(["import numpy", "import miaedu", "from miaedu import ShadowModels"])
    rows += [
        [f"{statement}, minus import numpy, s", took[statement] - took["import numpy"], reach]
        for statement, reach in (
            ("import miaedu", "at most 0.15"),
            ("from miaedu import ShadowModels", None),
        )
    ]
    rows.append(
        ["mia.run(mia.Experiment()), data included, s", fresh(__file__, "whole"), "at most 0.4"]
    )
    print("\nWhat this project set out to reach\n\n" + table(["what", "measured", "reach"], rows))
    reached = [dict(zip(("what", "measured", "reach"), row)) for row in rows]
    report = {"machine": conditions, "results": results, "comparisons": reached}
    if chosen.json:
        chosen.json.write_text(json.dumps(report, indent=1), encoding="utf-8")
    else:
        print("\n" + json.dumps(report))


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(measure(sys.argv[2], int(sys.argv[3]))))
    elif sys.argv[1:2] == ["whole"]:
        print(json.dumps(whole_experiment()))
    else:
        main()
