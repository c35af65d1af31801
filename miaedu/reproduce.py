"""The paper's tables, made again: what ``miaedu reproduce`` measures, its settings and its seeds.

The course's own results are in data/reproduced.json. The settings below were fixed before the seeds
of that file were run.
"""

import argparse
import json
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import scipy
import sklearn
from tqdm.auto import tqdm

from .cache import more_room
from .experiment import Experiment, run
from .paper import OURS, check_name, side_by_side

ROOM = 3 * 2**28  # bytes for the stages of one experiment of the paper's size

SMALL = Experiment(n_items=600, n_members=2000, n_shadows=20)
FULL = replace(SMALL, n_members=10_000, hidden=128)
MANY = replace(SMALL, n_classes=100)
POOLS = {  # as the paper names what its shadow models learned from
    "real records": "real",
    "records made by Algorithm 1": "synthesized",
    "each item drawn by itself": "marginals",
    "10 % of the features flipped": "noisy",
}


class Part(NamedTuple):
    """A table to make: its `rows`, an Experiment each, and the seeds of its draws."""

    rows: dict
    seeds: range


def _purchases(e):
    return {f"purchases, {c} classes": replace(e, n_classes=c) for c in (2, 10, 20, 50, 100)}


PARTS = {
    "quick": Part({"purchases, 10 classes": Experiment(n_shadows=4)}, range(100, 101)),
    "table-2": Part(
        _purchases(SMALL) | {"adult": Experiment(data="census", n_members=2000, n_shadows=20)},
        range(100, 110),
    ),
    "table-2-full": Part(_purchases(FULL), range(100, 101)),
    "table-3": Part(
        {
            "nothing": MANY,
            "top 3": replace(MANY, hide=(("top_k", 3),)),
            "top 1": replace(MANY, hide=(("top_k", 1),)),
            "label only": replace(MANY, hide=("labels_only",)),
            "3 decimals": replace(MANY, hide=(("rounded", 3),)),
            "1 decimal": replace(MANY, hide=(("rounded", 1),)),
            "temperature 5": replace(MANY, hide=(("softened", 5.0),)),
            "temperature 20": replace(MANY, hide=(("softened", 20.0),)),
            "L2 1e-4": replace(MANY, l2=1e-4),
            "L2 1e-3": replace(MANY, l2=1e-3),
            "L2 1e-2": replace(MANY, l2=1e-2),
        },
        range(100, 105),
    ),
    "shadow-count": Part(
        {
            f"{k} shadow model{'s' * (k > 1)}": replace(MANY, n_shadows=k)
            for k in (1, 2, 5, 10, 20, 50)
        },
        range(100, 105),
    ),
    "data-quality": Part(
        {
            f"purchases, 100 classes, {records}": replace(MANY, pool=pool)
            for records, pool in POOLS.items()
        },
        range(100, 105),
    ),
}


def measure_row(experiment, progress=None):
    """Both attacks on one target, in the paper's measures: a dict of numbers.

    >>> import miaedu as mia
    >>> row = mia.measure_row(mia.Experiment(n_shadows=4))
    >>> row["precision"] > row["gap_precision"] > 0.5
    True

    A record is flagged where the attack gives its membership a probability of at least 1/2, as in
    the paper; an :class:`Experiment` by itself learns another threshold. Keys: `train_accuracy`,
    `test_accuracy`, `gap_precision`; of the attack of 2017 `precision`, `low` and `high` (the ends
    of its 95 % interval over records), `recall`, `accuracy` and `auc`; of the calibrated attack the
    same, as in `calibrated_precision`. `progress(share)` is told how far the training is.
    """
    with more_room(ROOM):
        return measures(experiment, progress)


def measures(experiment, progress=None):
    """What :func:`measure_row` gives, with the stages kept in the cache that is there."""
    row = {}
    for prefix, attack in (("", "shadow"), ("calibrated_", "calibrated")):
        report = run(replace(experiment, attack=attack), progress).report
        row |= {f"{prefix}{name}": value for name, value in _of_report(report).items()}
    accuracies = {name: getattr(report, name) for name in ("train_accuracy", "test_accuracy")}
    return accuracies | {"gap_precision": float(report.members[report.right].mean())} | row


def _of_report(report):
    report = replace(report, threshold=0.5)
    low, high = report.interval("precision")
    flagged = report.scores >= report.threshold
    return {
        "precision": report.precision,
        "low": low,
        "high": high,
        "recall": report.recall,
        "accuracy": float(np.mean(flagged == report.members)),
        "auc": report.auc,
    }


def reproduce(path, parts=None, progress=True):
    """Measure every row of the `parts` on every seed, into a JSON file; rows that it holds already
    are not measured again, so that the work can be stopped and goes on where it was.

    `parts`: names in PARTS, all by default. `progress` shows a bar. Returns the file's content.
    Raises ValueError for a part that does not exist, and for a file of other settings, which is
    left as it is.
    """
    path, parts = Path(path), list(PARTS if parts is None else parts)
    for name in parts:
        check_name(name, PARTS)
    content = _content(path, parts) if path.exists() else settings() | {"rows": []}
    made = {(row["part"], row["row"], row["seed"]) for row in content["rows"]}
    jobs = [
        (part, row, seed)
        for part in parts
        for seed in PARTS[part].seeds
        for row in PARTS[part].rows
        if (part, row, seed) not in made
    ]
    bar = tqdm(
        total=len(jobs),
        disable=not progress,
        bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
    )
    with bar:
        for _, alike in groupby(jobs, key=_training):
            # The stages of one training at a time: those of the next would not fit beside them.
            with more_room(ROOM):
                for part, row, seed in alike:
                    bar.set_description_str(f"{part}: {row}, seed {seed}")
                    done = round(bar.n)
                    tell = lambda share, done=done: bar.update(done + share - bar.n)  # noqa: E731
                    found = measures(_experiment(part, row, seed), tell)
                    found = {name: round(value, 4) for name, value in found.items()}
                    content["rows"].append({"part": part, "row": row, "seed": seed} | found)
                    _write(path, content)
                    bar.update(done + 1 - bar.n)
    return content


def _experiment(part, row, seed):
    return replace(PARTS[part].rows[row], random_state=seed)


def _training(job):
    """What decides the training of a job's target and shadow models: all but the hiding."""
    return replace(_experiment(*job), hide=())


def settings():
    """What a file of results is made with, as it says it itself."""
    return {
        "made by": "miaedu reproduce",
        "parts": {
            name: {
                "seeds": list(part.seeds),
                "rows": {row: repr(experiment) for row, experiment in part.rows.items()},
            }
            for name, part in PARTS.items()
        },
        "versions": {module.__name__: module.__version__ for module in (np, scipy, sklearn)},
    }


def _content(path, parts):
    """The content of a file of results, if what it has of `parts` is of the settings here."""
    today = settings()["parts"]
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = {row["part"] for row in content["rows"]} & set(parts)
        same = all(content["parts"][name] == today[name] for name in found)
        content["parts"] |= {name: today[name] for name in parts}
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError):
        same = False
    if not same:
        raise ValueError(
            f"path must be a new file, or one of the same settings that miaedu reproduce has made, "
            f"got {path}: move it away, or name another file"
        )
    return content


def _write(path, content):
    # A row a line. By way of a second file, so that one who is stopped leaves no half a file.
    head = json.dumps({**content, "rows": []}, indent=1).removesuffix("[]\n}")
    rows = ",\n".join("  " + json.dumps(row) for row in content["rows"])
    part = path.with_name(f".{path.name}.part")
    part.write_text(f"{head}[\n{rows}\n ]\n}}\n", encoding="utf-8", newline="\n")
    part.replace(path)


def main(argv):
    """What ``miaedu reproduce`` runs."""
    parser = argparse.ArgumentParser(
        prog="miaedu reproduce",
        description="Measure the tables of notebook 06 again. Ctrl-C stops it; the same command "
        "goes on where it was.",
    )
    parts = [name for name in PARTS if name != "quick"]
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{', '.join(parts)} (default: all of them)"
    )
    out = {"type": Path, "default": Path("miaedu-reproduced.json")}
    parser.add_argument("--out", **out, help="the file of results (default: %(default)s)")
    quick = "measure one small row, and hold it against the course's own; writes no file"
    parser.add_argument("--quick", action="store_true", help=quick)
    options = parser.parse_args(argv)
    if options.quick:
        with TemporaryDirectory() as folder:
            path = Path(folder, OURS)
            reproduce(path, ["quick"])
            return print(*side_by_side("quick", path), sep="\n")
    for name in options.parts:
        if name not in parts:
            parser.error(f"PART must be one of {', '.join(parts)}, got {name}")
    chosen = options.parts or parts
    try:
        reproduce(options.out, chosen)
    except ValueError as error:
        parser.error(str(error).replace("path must", "--out must"))
    except OSError as error:
        parser.error(f"--out must be a file that can be written, got {options.out} ({error})")
    except KeyboardInterrupt:
        return print(f"\nStopped. What was measured is in {options.out}; the same command goes on.")
    for name in chosen:
        print(*side_by_side(name, options.out), sep="\n")
