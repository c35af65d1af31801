"""The shadow models of an audit: each is trained, asked about all records and dropped. Their
answers may be kept in a folder, so that work which was stopped goes on."""

import hashlib
import inspect
import os
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import sklearn

from ..records import is_frame
from ..training import train_each

ENOUGH = 4  # models with a record, and without it, for half of the records at the least
NEARLY = 0.02  # by how much of all records a half may miss half of them
FEWEST = 2  # models with each record, and without it
PERSONAL = "This folder tells who was in the training set of a model: it is personal data.\n"


def check_counts(n_models, size, n):
    """Raise a ValueError unless most records will be in enough models, and out of enough."""
    share = min(size, n - size) / n
    # a binomial's median is its mean, to within 1
    if n_models * share < ENOUGH:
        raise ValueError(
            f"n_models must be at least {int(np.ceil(ENOUGH / share))}, so that half of the "
            f"records are in at least {ENOUGH} shadow models and out of as many, got {n_models} "
            f"(each learns from {size:,} of {n:,} records, as the model did); 0 trains none"
        )


def draw_evenly(shadows, y, groups):
    """Who is in the training set of each of unfitted :class:`ShadowModels`, (K, n) bool, and their
    seeds (K,): each record in some and out of some, since LiRA needs both for every one.

    Where a model learns from about half of the records, the next one learns from the other half.
    Where it learns from more or fewer, records that would be in, or out of, fewer than two models
    take the place of others of their class.
    """
    masks, seeds = shadows.draw(y, groups)
    if abs(2 * shadows.train_size - len(y)) <= NEARLY * len(y):
        masks[1::2] = ~masks[: len(masks) // 2 * 2 : 2]
    elif groups is None:
        rng = np.random.default_rng(shadows.random_state)
        _give_each(masks, y, rng)
        out = ~masks
        _give_each(out, y, rng)
        masks = ~out
    return masks, seeds


def _give_each(masks, y, rng):
    """Mark each record in at least two of the masks, in exchange for records of its class that are
    marked oftener than others."""
    count = masks.sum(axis=0)
    for i in np.flatnonzero(count < FEWEST):
        for k in rng.permutation(np.flatnonzero(~masks[:, i]))[: FEWEST - count[i]]:
            rich = masks[k] & (y == y[i]) & (masks.sum(axis=0) > masks.sum() / len(y))
            if rich.any():
                masks[k, rng.choice(np.flatnonzero(rich))] = False
                masks[k, i] = True


def answers_of_models(model, X, y, masks, seeds, classes, ask, folder, told):
    """What each of K copies of `model`, trained on its part of X, y, answers about `ask`:
    confidences (K, m, c) float32. `folder`, where answers are kept, or None; `told()` is called
    after each model."""
    answers = np.empty((len(masks), len(ask), len(classes)), np.float32)
    names = [None] * len(masks)
    if folder is not None:
        common = _digest(
            repr(sorted(model.get_params().items(), key=str)),
            _sources(model),
            *(_fingerprint(part) for part in (X, y, ask)),
            classes.tolist(),
            (sklearn.__version__, np.__version__),
        )
        names = [
            folder / f"{_digest(common, mask.tobytes(), int(seed))}.npz"
            for mask, seed in zip(masks, seeds)
        ]
    start = 0
    while start < len(masks) and (kept := _read(names[start], answers.shape[1:])) is not None:
        answers[start] = kept
        start += 1
        told()
    trained = train_each(model, X, y, masks, seeds, classes, ask, start=start)
    for k, found in enumerate(trained, start):
        answers[k] = found
        if folder is not None:
            _write(names[k], found)
        told()
    return answers


def prepared(folder):
    """The folder as a path, made and marked as personal data; a ValueError where it cannot be
    written, or holds files that are not an audit's."""
    if folder is None:
        return None
    try:
        if not str(folder):
            raise ValueError("its name is empty")
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        mark = folder / "PERSONAL-DATA.txt"
        if not mark.exists() and any(folder.iterdir()):
            raise ValueError("it holds other files; name a new or an empty folder")
        mark.write_text(PERSONAL, encoding="utf-8")
    except (OSError, TypeError, ValueError) as error:
        raise ValueError(
            f"cache must be a folder of its own that can be written, got {folder!r}: {error}"
        ) from None
    return folder


def _write(path, answers):
    """All or nothing: a file that is half written would be read as whole."""
    half = path.with_suffix(f".{os.getpid()}")
    with half.open("wb") as file:
        np.savez(file, answers=answers)
    os.replace(half, path)


def _read(path, shape):
    """The answers that a file keeps, or None where there is no file, or a damaged one."""
    if path is None or not path.exists():
        return None
    try:
        # its checksum is looked at
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            answers = kept["answers"]
    except (OSError, EOFError, KeyError, ValueError, BadZipFile):
        return None
    return answers if answers.shape == shape else None


def _sources(model):
    """The code of the classes that a model is made of: what another version of them answers is not
    what this one would."""
    parts = [model, *(part for part in model.get_params().values() if hasattr(part, "fit"))]
    told = []
    for kind in sorted({type(part) for part in parts}, key=str):
        try:
            told.append((str(kind), inspect.getsource(kind)))
        except (OSError, TypeError):
            told.append(str(kind))
    return told


def _fingerprint(table):
    """What tells a table, or labels, from any other."""
    if not is_frame(table):
        values = np.ascontiguousarray(table)
        content = repr(values.tolist()).encode() if values.dtype.hasobject else values.tobytes()
        return str(values.dtype), values.shape, hashlib.sha256(content).hexdigest()
    return [(str(name), _fingerprint(table[name].to_numpy())) for name in table.columns]


def _digest(*parts):
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
