"""The paper's tables, made again: its numbers and ours side by side, and the one command that
measures ours, ``miaedu reproduce``.

The numbers of Shokri et al. 2017 stand in data/paper.json with their source; ours in
data/reproduced.json with settings and seeds. The settings below were fixed before those seeds were
run.
"""

import argparse
import json
import warnings
from collections import defaultdict
from dataclasses import replace
from itertools import groupby
from math import nan
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import scipy
import sklearn
from scipy import stats
from scipy.linalg import LinAlgWarning
from tqdm.auto import tqdm

from .cache import more_room
from .experiment import Experiment, run
from .places import course
from .plots import ATTACK, BASELINE, CEILING, alt_text, drawing, new_axes

PAPER, OURS = "paper.json", "reproduced.json"
ROOM = 3 * 2**28  # bytes for the stages of one experiment of the paper's size

SMALL = Experiment(n_items=600, n_members=2000, n_shadows=20)
FULL = replace(SMALL, n_members=10_000, hidden=128)
MANY = replace(SMALL, n_classes=100)


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
    row = {}
    for prefix, attack in (("", "shadow"), ("calibrated_", "calibrated")):
        report = run(replace(experiment, attack=attack), progress).report
        row |= {f"{prefix}{name}": value for name, value in _measures(report).items()}
    accuracies = {name: getattr(report, name) for name in ("train_accuracy", "test_accuracy")}
    return accuracies | {"gap_precision": float(report.members[report.right].mean())} | row


def _measures(report):
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


def reproduce(path, parts=tuple(PARTS), progress=True):
    """Measure every row of the `parts` on every seed, into a JSON file; rows that it holds already
    are not measured again, so that the work can be stopped and goes on where it was.

    `progress` shows a bar. Returns the file's content. Raises ValueError for a part that does not
    exist, and for a file of other settings, which is left as it is.
    """
    path = Path(path)
    for name in parts:
        _check_part(name, PARTS)
    content = _content(path) if path.exists() else settings() | {"rows": []}
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
    with bar, warnings.catch_warnings():
        # Labels alone leave an attack model too little to invert; it then takes another solver.
        warnings.simplefilter("ignore", LinAlgWarning)
        for _, alike in groupby(jobs, key=_training):
            # The stages of one training at a time: those of the next would not fit beside them.
            with more_room(ROOM):
                for part, row, seed in alike:
                    bar.set_description_str(f"{part}: {row}, seed {seed}")
                    done = round(bar.n)
                    tell = lambda share, done=done: bar.update(done + share - bar.n)  # noqa: E731
                    found = measure_row(_experiment(part, row, seed), tell)
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


def _content(path):
    """The content of a file of results, if it is of the settings that stand here."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        same = content["parts"] == settings()["parts"]
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError):
        same = False
    if not same:
        raise ValueError(
            f"path must be a new file or one that this version of miaedu has made, got {path}: "
            "its settings are others; move it away, or name another file"
        )
    return content


def _write(path, content):
    # A row a line. By way of a second file, so that one who is stopped leaves no half a file.
    head = json.dumps({**content, "rows": []}, indent=1).removesuffix("[]\n}")
    rows = ",\n".join("  " + json.dumps(row) for row in content["rows"])
    part = path.with_name(f".{path.name}.part")
    part.write_text(f"{head}[\n{rows}\n ]\n}}\n", encoding="utf-8", newline="\n")
    part.replace(path)


def _check_part(name, known):
    if name not in known:
        raise ValueError(f"part must be one of {', '.join(known)}, got {name!r}")


def paper_table(name):
    """The rows of one of the paper's tables, as transcribed for this course: a dict each.

    >>> import miaedu as mia
    >>> mia.paper_table("table-2")[-2]["row"], mia.paper_table("table-2")[-2]["precision"]
    ('purchases, 100 classes', 0.935)

    `name`: "table-2", "table-3", "table-3-hospital", "data-quality" or "sizes". How sure each
    number is: data/paper.json. Source: Shokri et al. 2017, Tables II and III and section VI.
    """
    tables = json.loads(course("data", PAPER).read_text(encoding="utf-8"))["tables"]
    _check_part(name, tables)
    return tables[name]["rows"]


def our_draws(name, path=None):
    """What was measured for one part, a number a draw: {row: {measure: array}}.

    >>> import miaedu as mia
    >>> len(mia.our_draws("table-2")["purchases, 100 classes"]["precision"])
    10

    `name`: "table-2", "table-2-full", "table-3" or "shadow-count". Measures: those of
    :func:`measure_row`. `path`: a file that ``miaedu reproduce`` has made; the course's own by
    default.
    """
    _check_part(name, PARTS)
    path = course("data", OURS) if path is None else Path(path)
    found = defaultdict(lambda: defaultdict(list))
    for row in json.loads(path.read_text(encoding="utf-8"))["rows"]:
        if row["part"] == name:
            for measure in set(row) - {"part", "row", "seed"}:
                found[row["row"]][measure].append(row[measure])
    return {
        row: {measure: np.array(values) for measure, values in measures.items()}
        for row, measures in found.items()
    }


def our_table(name, path=None):
    """The mean of each measure over draws, and the ends of its 95 % interval: {row: {measure:
    (mean, low, high)}}.

    >>> import miaedu as mia
    >>> mean, low, high = mia.our_table("table-2")["purchases, 100 classes"]["precision"]
    >>> low < mean < high
    True

    The interval is Student's, over draws of data, split and networks. Of a single draw, it is that
    of the precision over records, and nan for other measures. `name`, `path`: as in
    :func:`our_draws`.
    """
    return {
        row: {measure: _mean(measures, measure) for measure in measures}
        for row, measures in our_draws(name, path).items()
    }


def _mean(measures, measure):
    values = measures[measure]
    mean = float(values.mean())
    if len(values) > 1:
        half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
        return mean, float(mean - half), float(mean + half)
    if measure.endswith("precision") and (low := measure.replace("precision", "low")) in measures:
        return mean, *(float(measures[key][0]) for key in (low, low.replace("low", "high")))
    return mean, nan, nan


def _in_paper(name):
    """The paper's rows of one of our parts, by name."""
    rows = paper_table(name.removesuffix("-full")) if name.startswith("table") else []
    return {row["row"]: row for row in rows}


MARKS = {  # what is drawn, how, and how far beside the row's line
    "": ("attack of 2017, here", "o", ATTACK, 0.0),
    "calibrated_": ("calibrated attack, here", "s", CEILING, -0.2),
    "gap_": ("gap attack, here", "x", BASELINE, 0.2),
}


def plot_beside_paper(name, measure="precision", path=None):
    """Draw one measure of each row: the paper's number beside ours, of the attack of 2017, the
    calibrated attack and the gap attack, with 95 % intervals; returns the Axes.

    >>> import miaedu as mia
    >>> ax = mia.plot_beside_paper("table-2")
    >>> [text.get_text() for text in ax.get_legend().get_texts()][:2]
    ['the paper', 'attack of 2017, here']

    `name`, `path`: as in :func:`our_table`. `measure`: "precision", "accuracy" or "recall"; the gap
    attack has a precision alone. A row that the paper lacks has no mark of it.
    """
    if measure not in ("precision", "accuracy", "recall"):
        raise ValueError(f"measure must be one of precision, accuracy, recall, got {measure!r}")
    paper, ours = _in_paper(name), our_table(name, path)
    shared = [row for row in ours if row in paper]
    with drawing():
        ax = new_axes(6.5, 1.2 + 0.42 * len(ours))
        if shared:
            values, places = [paper[row][measure] for row in shared], map(list(ours).index, shared)
            ax.plot(values, list(places), "D", c="black", mfc="none", ms=8, label="the paper")
        for prefix, (label, marker, colour, shift) in MARKS.items():
            if prefix + measure in next(iter(ours.values())):
                means, lows, highs = zip(*(row[prefix + measure] for row in ours.values()))
                places = np.arange(len(ours)) + shift
                ax.hlines(places, lows, highs, color=colour, lw=2)
                ax.plot(means, places, marker, color=colour, label=label)
        ax.axvline(0.5, color=BASELINE, ls=":", lw=1)
        ax.set_yticks(range(len(ours)), list(ours))
        ax.invert_yaxis()
        ax.set_xlabel(f"{measure} of the attack, half of the records being members")
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    words = [
        f"{row} {values[measure][0]:.2f}"
        + (f", in the paper {paper[row][measure]:.2f}" if row in paper else "")
        for row, values in ours.items()
    ]
    alt_text(ax, f"The {measure} of the attack of 2017: {'; '.join(words)}.")
    return ax


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


def side_by_side(name, path=None):
    """The lines of a table: the attack's precision in the paper and in the course's file, with
    its interval; and in another file, if there is one.

    >>> print(side_by_side("table-2")[0])
    table-2: precision                paper  course  interval
    """
    paper, ours, theirs = _in_paper(name), our_table(name), our_table(name, path) if path else {}
    title = f"{name}: precision"
    lines = [f"{title:<32}{'paper':>7}{'course':>8}  {'interval':<16}{'yours' if path else ''}"]
    for row, measures in ours.items():
        mean, low, high = measures["precision"]
        printed = f"{paper[row]['precision']:7.3f}" if row in paper else f"{'-':>7}"
        line = f"{row:<32}{printed}{mean:8.3f}  {f'{low:.3f} to {high:.3f}':<16}"
        lines.append(line + (f"{theirs[row]['precision'][0]:.3f}" if row in theirs else ""))
    return [line.rstrip() for line in lines]
