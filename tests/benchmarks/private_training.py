"""Private training: what it costs beside plain training, what it leaves of accuracy, how fast the
explorers are.

    python tests/benchmarks/private_training.py                    a few minutes python
    tests/benchmarks/private_training.py --quick            fewer rounds and seeds python
    tests/benchmarks/private_training.py --json FILE        the JSON goes to FILE, else it follows
    the tables

Cost: 64 copies of MLP(hidden=64), 60 steps on full batches, each copy on its own half of the
records: plain, clipped, and clipped with noise. Times: the three take turns in one process, and a
ratio is the median over the rounds, so that a busy moment meets all of them. Memory: the peak of a
fresh process each, and how much of it came with the training.

Utility: accuracy on records that nobody trained on, at delta 1e-5; means over seeds that decide
split, weights and noise, with the standard error over splits. One public setting for all data,
chosen on digits: what a choice on private data would cost is not counted. "clipped" is the same
training without noise, "plain" also without a clip, "default" is MLP() as it comes. The purchases
have 10 classes and 200 items.

Explorers: what a move computes until the new Result, at the explorers' defaults, without the
drawing. In dp_noise the data stay; target and shadow models are trained again.
"""

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from common import cpu_seconds, fresh, machine, peak_megabytes, table
from sklearn.base import clone

import miaedu as mia

DELTA, EPSILONS = 1e-5, (1, 2, 4, 8)
SETTING = dict(hidden=64, epochs=80, learning_rate=0.02)
KINDS = {"plain": {}, "clipped": dict(clip=1.0), "private": dict(clip=1.0, noise_multiplier=4.0)}
COPIES, STEPS = 64, 60


def records(name, n, random_state=0):
    """A split with n members of "digits" or "purchases"; the others, at most 2,000, are for the
    test."""
    data = (
        mia.load_digits()
        if name == "digits"
        else mia.load_purchases(n_records=n + 2000, random_state=random_state)
    )
    return mia.split(data, n, len(data) - n, duplicates="allow", random_state=random_state)


def measured(work):
    """Wall and CPU seconds of a call."""
    start = np.array([time.perf_counter(), cpu_seconds()])
    work()
    return np.array([time.perf_counter(), cpu_seconds()]) - start


def training(name, n, kind):
    """A call that trains the copies once."""
    X, y = records(name, n).members
    halves = np.random.default_rng(0).random((COPIES, n)).argsort(axis=1) < n // 2
    settings = (
        dict(epochs=STEPS, batch_size=None, expected_members=n // 2, random_state=0) | KINDS[kind]
    )
    return lambda: mia.MLP(**settings).fit_many(X, y, halves, classes=np.unique(y))


def cost(name, n, rounds):
    """A row for each kind of training: wall, CPU and memory, and the ratios of the last two to
    plain training."""
    work = {kind: training(name, n, kind) for kind in KINDS}
    for train in work.values():
        train()  # libraries and caches warm up
    took = np.array([[measured(train) for train in work.values()] for _ in range(rounds)])
    wall, cpu = np.median(took, axis=0).T.tolist()
    ratio = np.median(took[..., 1] / took[:, :1, 1], axis=0).tolist()
    peak, more = zip(*(fresh(__file__, "memory", name, n, kind) for kind in KINDS))
    columns = [
        [name] * 3,
        [n] * 3,
        KINDS,
        wall,
        cpu,
        ratio,
        peak,
        more,
        (np.array(peak) / peak[0]).tolist(),
    ]
    return [dict(zip(COST, row)) for row in zip(*columns)]


COST = (
    "data",
    "records",
    "training",
    "wall s",
    "CPU s",
    "CPU ratio",
    "peak MB",
    "of which training",
    "peak ratio",
)


def memory(name, n, kind):
    """Peak memory of this process after one training, and how much of it came with the training."""
    train = training(name, n, kind)
    before = peak_megabytes()
    train()
    return peak_megabytes(), peak_megabytes() - before


def utility(name, n, splits, copies=4):
    """Test accuracy for each epsilon, and without noise: a dict from column to [mean, standard
    error over splits]."""
    private = mia.MLP(**SETTING, clip=1.0, expected_members=n)
    nets = {"clipped": private, "plain": mia.MLP(**SETTING, batch_size=None), "default": mia.MLP()}
    for epsilon in EPSILONS:
        noise = mia.noise_for(epsilon=epsilon, delta=DELTA, steps=SETTING["epochs"])
        nets[f"epsilon {epsilon}"] = clone(private).set_params(noise_multiplier=noise)
    found = {column: [] for column in nets}
    for seed in range(splits):
        world = records(name, n, seed)
        (X, y), (X_test, y_test) = world.members, world.nonmembers
        for column, net in nets.items():
            net.set_params(random_state=seed)
            networks = net.fit_many(X, y, np.ones((copies, n), bool), classes=world.classes)
            found[column].append((networks.predict_proba(X_test).argmax(axis=2) == y_test).mean())
    return {
        column: [float(np.mean(a)), float(np.std(a, ddof=1) / len(a) ** 0.5)]
        for column, a in found.items()
    }


def moves(repeats):
    """Median seconds, [wall, CPU], of a move of each hiding control and of the noise, to positions
    not met before."""
    plain = mia.confidence_hiding().results[-1].experiment
    hides = {
        "top_k": [(("top_k", k),) for k in range(1, plain.n_classes)],
        "rounded": [(("rounded", decimals),) for decimals in range(6)],
        "softened": [(("softened", 2.0 + i),) for i in range(repeats)],
        "noisy": [(("noisy", 0.01 + i / 100),) for i in range(repeats)],
        "labels_only": [("labels_only",)],
    }
    work = {
        control: [replace(plain, hide=hide) for hide in each[:repeats]]
        for control, each in hides.items()
    }
    noise = replace(mia.dp_noise().results[0].experiment, n_shadows=16)
    mia.run(noise)
    work["noise_multiplier"] = [
        replace(noise, noise_multiplier=2 + i / 1000) for i in range(1, repeats + 1)
    ]
    return {
        control: np.median([measured(lambda e=e: mia.run(e)) for e in experiments], axis=0).tolist()
        for control, experiments in work.items()
    }


def comparisons(costs, found, moved):
    """Rows (what, measured, what we set out to reach)."""
    rows = []
    for what, reach in ("CPU", "at most 1.3"), ("peak", "at most 1.2"):
        rows += [
            [f"private / plain, {row['data']}, {what}", row[f"{what} ratio"], reach]
            for row in costs
            if row["training"] == "private"
        ]
    rows.append(
        ["accuracy on digits at epsilon 4", found["digits, 1,350"]["epsilon 4"][0], "at least 0.91"]
    )
    for control, (wall, cpu) in moved.items():
        reach = "at most 0.6" if control == "noise_multiplier" else "at most 0.03"
        rows += [
            [f"move of {control}, wall s", wall, reach],
            [f"move of {control}, CPU s", cpu, None],
        ]
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds and seeds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the JSON there")
    chosen = parser.parse_args()
    conditions, (rounds, splits, repeats) = machine(), (3, 3, 5) if chosen.quick else (9, 8, 15)
    costs = [row for data in (("digits", 1350), ("purchases", 2000)) for row in cost(*data, rounds)]
    print(
        f"{COPIES} copies, {STEPS} steps, full batches\n\n"
        + table(COST, [row.values() for row in costs])
    )
    sizes = ("digits", 1350), ("purchases", 1000), ("purchases", 4000)
    found = {f"{name}, {n:,}": utility(name, n, splits) for name, n in sizes}
    rows = [
        [data, *(f"{mean:.3f} ± {error:.3f}" for mean, error in row.values())]
        for data, row in found.items()
    ]
    print(f"\nTest accuracy at delta {DELTA:g}; clip 1, {SETTING}\n")
    print(table(["training records", *found["digits, 1,350"]], rows))
    moved = moves(repeats)
    rows = comparisons(costs, found, moved)
    print("\nWhat this project set out to reach\n\n" + table(["what", "measured", "reach"], rows))
    reached = [dict(zip(("what", "measured", "reach"), row)) for row in rows]
    report = {
        "machine": conditions,
        "cost": costs,
        "utility": found,
        "moves": moved,
        "comparisons": reached,
    }
    if chosen.json:
        chosen.json.write_text(json.dumps(report, indent=1), encoding="utf-8")
    else:
        print("\n" + json.dumps(report))


if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        print(json.dumps(memory(sys.argv[2], int(sys.argv[3]), sys.argv[4])))
    else:
        main()
