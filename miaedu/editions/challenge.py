"""A competition for a class: who flags the members best, where nobody was told a single one?"""

import csv
import secrets
from numbers import Integral
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

from ..blackbox import BlackBox
from ..checks import check_number, draw_seeds
from ..data import load_purchases
from ..dataset import split
from ..network import MLP

N_TARGETS, N_MEMBERS, N_CLASSES = 10, 500, 10
TURNED = 0.4  # a mean AUC below it is no chance: its standard error is about 0.006
README = """# Who was a member?
Ten shops have each trained a network, as `mia.MLP()` makes them, on {n} of their customers'
baskets. For each shop two files are here:

- `answers_NN.csv`: {both} baskets in a random order, half of them members: `record`, the true class
  `y`, the items `x0` to `x199`, and what the target answers, `p0` to `p9`.
- `pool_NN.csv`: {pool} other baskets of the same shop, `y` and the items, for your shadow models.

Submit one CSV file with a line for each record of each target, {lines:,} in all:

    target,record,score
    0,0,0.7

Name it after yourself or your team: the table of ranks shows the name of the file. Your teacher
says until when, and how often you may try.

The higher the score, the likelier a member. The rank is by the mean AUC over the targets. Beside it
stands the TPR at 1 % FPR, for which all targets are judged together: so give the scores of all
targets on one scale.

## To start
Run this in this folder: it reads the files, scores each record by the target's confidence in its
true class, and writes `my-name.csv`. The lines that are commented out put the course's calibrated
attack in its place, and show how an attack is given answers that were collected before.

```python
import csv

import miaedu as mia
import numpy as np


def read(path):  # the true classes, the items, and the answers, of which a pool has none
    with open(path, newline="") as file:
        names, *rows = csv.reader(file)
    table = np.array(rows, float)
    items, answers = ([name[0] == letter for name in names] for letter in "xp")
    return table[:, names.index("y")].astype(int), table[:, items], table[:, answers]


with open("my-name.csv", "w", newline="") as file:
    write = csv.writer(file).writerow
    write(["target", "record", "score"])
    for target in range({n_targets}):
        y, X, P = read(f"answers_{{target:02}}.csv")
        y_pool, X_pool, _ = read(f"pool_{{target:02}}.csv")
        api = mia.BlackBox(lambda X: P, classes=np.arange({n_classes}))
        scores = api.predict_proba(X)[np.arange(len(y)), y]
        # shadows = mia.ShadowModels(mia.MLP(), n_models=8, random_state=0).fit(X_pool, y_pool)
        # scores = mia.CalibratedAttack().fit(shadows).score(api, X, y)
        for record, score in enumerate(scores):
            write([target, record, score])
```

What to beat: this threshold on the confidence, and the course's calibrated attack with 8 shadow
models.

| | mean AUC, about | TPR at 1 % FPR, about |
|---|---|---|
| threshold on the confidence | 0.74 | 0.01 |
| calibrated attack | 0.88 | 0.24 |
"""


def challenge(folder, truth, seed=None):
    """Write the files of a competition into a folder and the truth into a file outside it, and
    return a line about each.

    `seed` draws shops, targets and order; None for one that nobody knows. ValueError: the truth
    would lie within the folder. FileExistsError: there is a truth already, which would be lost, or
    the folder holds something.
    """
    folder, truth = Path(folder), Path(truth)
    if folder.resolve() in truth.resolve().parents:
        raise ValueError(f"truth must lie outside the folder that students get, got {truth}")
    if truth.exists():
        raise FileExistsError(f"truth must be a new file, got {truth}, which is there already")
    if folder.is_dir() and any(folder.iterdir()):
        raise FileExistsError(
            f"DIR must be a new folder or an empty one, got {folder}, which holds files"
        )
    if seed is None:
        seed = secrets.randbits(31)
    check_number("seed", seed, Integral)
    folder.mkdir(parents=True, exist_ok=True)
    told = []
    for target, own_seed in enumerate(draw_seeds(seed, N_TARGETS)):
        told += _target(folder, target, int(own_seed))
    _write(truth, ["target", "record", "member"], told)
    pool = 2 * N_MEMBERS
    text = README.format(
        n=N_MEMBERS,
        both=2 * N_MEMBERS,
        pool=pool,
        lines=len(told),
        n_targets=N_TARGETS,
        n_classes=N_CLASSES,
    )
    (folder / "README.md").write_text(text, encoding="utf-8")
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    return [
        f"{folder}: for the students, {N_TARGETS} targets",
        f"{truth}: the truth, which you keep",
    ]


def _target(folder, target, seed):
    """Write the files of one target; its rows of the truth."""
    shoppers = load_purchases(n_classes=N_CLASSES, n_records=4 * N_MEMBERS, random_state=seed)
    world = split(shoppers, n_members=N_MEMBERS, random_state=seed)
    api = BlackBox(MLP(random_state=seed).fit(*world.members))
    X, y = (np.concatenate(part) for part in zip(world.members, world.nonmembers))
    order = np.random.default_rng(seed).permutation(len(y))
    X, y, member = X[order], y[order], order < N_MEMBERS
    items = [f"x{i}" for i in range(X.shape[1])]
    answers = np.char.mod("%.9g", api.predict_proba(X)).tolist()
    rows = zip(range(len(y)), y.tolist(), X.astype(int).tolist(), answers)
    _write(
        folder / f"answers_{target:02}.csv",
        ["record", "y", *items, *(f"p{c}" for c in range(N_CLASSES))],
        ([record, label, *basket, *answer] for record, label, basket, answer in rows),
    )
    X_pool, y_pool = world.pool
    pool = ([label, *basket] for label, basket in zip(y_pool.tolist(), X_pool.astype(int).tolist()))
    _write(folder / f"pool_{target:02}.csv", ["y", *items], pool)
    return [[target, record, int(inside)] for record, inside in enumerate(member)]


def _write(path, header, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def ranking(submitted, truth):
    """The lines of a table of ranks, and lines that say which files cannot be scored, and why.

    `submitted`, paths of CSV files, of folders of such files, or patterns such as "mine/*.csv". For
    each file its mean AUC over the targets and its TPR at 1 % FPR, the best first. ValueError:
    there is no truth, or no file.
    """
    truth = Path(truth)
    if not truth.is_file():
        raise ValueError(f"truth must be the file with the truth, got {truth}: name it by --truth")
    members = {key: bool(value) for key, value in _read(truth, "member").items()}
    scored, refused = [], []
    for path in _files(submitted):
        try:
            scored.append((*measured(_read(path, "score"), members, path), path.stem))
        except (ValueError, OSError) as error:
            refused.append(f"   -  {path.stem}: {error}")
    scored.sort(key=lambda row: (-row[0], -row[1], row[2]))
    lines = ["rank    AUC  TPR at 1 %  who"]
    for auc, tpr, who in scored:
        rank = 1 + sum(other[:2] > (auc, tpr) for other in scored)
        remark = "  (better with the sign turned)" if auc < TURNED else ""
        lines.append(f"{rank:4}  {auc:.3f}  {tpr:10.3f}  {who}{remark}")
    return lines, refused


def _files(submitted):
    """The files that paths, folders and patterns name, each once."""
    files = []
    for path in map(Path, submitted):
        if path.is_dir():
            named = sorted(path.glob("*.csv"))
        elif "*" in path.name:  # a shell that expands no pattern, or one that found nothing
            named = sorted(path.parent.glob(path.name))
        else:
            named = [path]
        if not named:
            raise ValueError(f"--score must name CSV files or a folder of them, got {path}")
        files += named
    return list(dict.fromkeys(files))


def measured(scores, members, path="the file"):
    """The mean AUC over targets, and the TPR at 1 % FPR, all targets judged together.

    >>> members = {(target, record): record < 5 for target in (0, 1) for record in range(10)}
    >>> measured({key: -key[1] for key in members}, members)
    (1.0, 1.0)

    `scores` and `members`, dicts from (target, record) to a score and to whether it is a member.
    ValueError: the records are not the same.
    """
    missing, unknown = members.keys() - scores.keys(), scores.keys() - members.keys()
    if missing or unknown:
        what, keys = ("lacks", missing) if missing else ("has the unknown", unknown)
        target, record = min(keys)
        raise ValueError(
            f"{path} must have a line for each of the {len(members):,} records; it {what} record "
            f"{record} of target {target}, and {len(keys) - 1:,} more"
        )
    targets = np.array([target for target, _ in members])
    member = np.array(list(members.values()))
    score = np.array([scores[key] for key in members])
    aucs = [roc_auc_score(member[targets == t], score[targets == t]) for t in np.unique(targets)]
    fpr, tpr, _ = roc_curve(member, score)
    return float(np.mean(aucs)), float(tpr[fpr <= 0.01].max())


def _read(path, column):
    """A dict from (target, record) to the number in a column of a CSV file; a ValueError names the
    line that is not as it must be."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.reader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} must be a CSV file in UTF-8: {error}") from None
    wanted = ["target", "record", column]
    header = [name.strip() for name in lines[0]] if lines else []
    if header != wanted:
        raise ValueError(f"the first line of {path} must be {','.join(wanted)}, got {header}")
    found = {}
    for number, line in enumerate(lines[1:], 2):
        if not line:
            continue
        try:
            target, record, value = line
            key, value = (int(target), int(record)), float(value)
        except ValueError:
            raise ValueError(
                f"line {number} of {path} must be two whole numbers and a number, got {line}"
            ) from None
        if not np.isfinite(value):
            raise ValueError(f"line {number} of {path} must have a finite {column}, got {value}")
        if key in found:
            raise ValueError(
                f"line {number} of {path} names record {key[1]} of target {key[0]} again"
            )
        found[key] = value
    return found
