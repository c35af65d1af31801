"""Training many copies of one model, each on its own part of the records: in lockstep or side by
side, in this process or in others."""

import inspect
import sys
from contextlib import closing, nullcontext

import joblib
import numpy as np
from sklearn.base import clone

from .checks import draw_seeds
from .lockstep import BLOCK as COPIES
from .lockstep import blas, n_threads, threads_work
from .records import take

BLOCK = 50_000  # records that a model is asked about at a time


def train_each(model, X, y, masks, seeds, classes, ask=None, progress=None, start=0):
    """Train a copy of `model` on the records X (n, d), y (n,) that each of `masks` (K, n) marks,
    and yield what it answers about the table `ask` (X itself), in the order of the masks.

    >>> import numpy as np, miaedu as mia
    >>> X, y, masks = np.arange(8.0)[:, None], np.arange(8) % 2, np.arange(16).reshape(2, 8) % 3 > 0
    >>> answers = train_each(mia.MLP(epochs=2), X, y, masks, [0, 1], [0, 1])
    >>> [confidences.shape for confidences in answers]
    [(8, 2), (8, 2)]

    Answers are float32 confidences (m, c) in the order of `classes` (c,), 0 for a class that a copy
    never saw; no model is kept. With the masks and the second of each pair of seeds that
    :class:`ShadowModels` draws, copies have the same bits as there. `start`: how many copies to
    leave out, whose answers are known already: the others are what they would have been.
    `progress(share)` of those that are trained may raise to stop.
    """
    classes, ask = np.asarray(classes), X if ask is None else ask
    training = model, X, y, masks, seeds, classes
    if hasattr(model, "fit_many"):
        if start < len(masks):
            networks = in_lockstep(*training, progress, start)
            for k in range(len(networks)):
                yield public_answers(networks[k], ask, classes)
        return
    for _, answers in side_by_side(*training, ask, False, progress, start):
        yield answers


def in_lockstep(model, X, y, masks, seeds, classes, progress, start=0):
    """The networks that learned from the masks, from `start` on."""
    model = clone(model).set_params(random_state=int(seeds[0]))
    backend = joblib.parallel.get_active_backend(prefer="threads")[0]
    here = getattr(backend, "supports_sharedmem", False) or not threads_work()
    if here and not start:
        return model.fit_many(X, y, masks, classes=classes, progress=progress)
    seeds = draw_seeds(int(seeds[0]), len(masks))
    if here:
        return model.fit_many(
            X, y, masks[start:], classes=classes, progress=progress, seeds=seeds[start:]
        )
    return _in_blocks(model, X, y, masks, seeds, classes, progress, start)


def _in_blocks(model, X, y, masks, seeds, classes, progress, start):
    """The same networks, trained by other processes, of a cluster for example: a block of copies is
    a task. A copy is a function of its own records and seed alone, so that the bits stay."""
    parallel = Parallel(n_jobs=_n_jobs(), return_as="generator")
    slots = joblib.effective_n_jobs(parallel.n_jobs)
    copies = np.arange(start, len(masks))
    n_blocks = slots * -(-len(copies) // (slots * COPIES))
    blocks = np.array_split(copies, min(len(copies), n_blocks))
    # whole tables, as below: what is the same for all is sent once
    work = (
        joblib.delayed(_fit_block)(model, X, y, masks[block], seeds[block], classes)
        for block in blocks
    )
    outcomes, parts, done = parallel(work), [], 0
    with closing(outcomes):
        for networks in outcomes:
            parts.append(networks)
            done += len(networks)
            if progress is not None:
                progress(done / len(copies))
    return type(parts[0]).joined(parts)


def _fit_block(model, X, y, masks, seeds, classes):
    return model.fit_many(X, y, masks, classes=classes, seeds=seeds, n_jobs=_cores_here())


def _cores_here():
    """How many cores a task in a worker process may use: one, or in a worker of Dask that has
    several threads theirs, since one training run at a time goes on in a process."""
    if "distributed" in sys.modules:
        from distributed import get_worker

        try:
            return get_worker().state.nthreads
        except ValueError:  # a process of another kind
            pass
    return 1


def side_by_side(model, X, y, masks, seeds, classes, ask, keep, progress, start=0):
    """Yield each fitted copy, or None unless told to `keep` it, and its answers about `ask`."""
    n_jobs = _n_jobs()
    # Threads by default: starting processes would cost more than the small fits of a course.
    parallel = Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
    alone = joblib.effective_n_jobs(n_jobs) == 1
    # whole tables and a mask, not parts of tables: what is the same for all is sent once
    fits = (
        joblib.delayed(_fit_and_ask)(
            _copy_of(model, seeds[k]), X, y, masks[k], classes, ask, keep, alone
        )
        for k in range(start, len(masks))
    )
    outcomes = parallel(fits)
    # The limit on BLAS belongs to the whole process, that on OpenMP to each thread that sets it.
    with nullcontext() if alone else blas().limit(limits=1, user_api="blas"), closing(outcomes):
        for done, (network, answers, failure) in enumerate(outcomes, 1):
            if failure is not None:
                raise ValueError(_told(failure, start + done - 1, y, masks, classes)) from failure
            yield network, answers
            if progress is not None:
                progress(done / (len(masks) - start))


def _n_jobs():
    """How many tasks at a time joblib was told to run; all cores by default."""
    asked = joblib.parallel.get_active_backend()[1]
    return asked if asked is not None and threads_work() else n_threads(all_cores=-1)


class Parallel(joblib.Parallel):
    """joblib's, without its word on models that nobody waits for any more. Filters of warnings
    belong to the whole process, and the threads under way set their own."""

    def _warn_exit_early(self):
        pass


def _copy_of(model, seed):
    """A clone with a seed of its own for each thing in it that is left to chance."""
    model = clone(model)
    names = sorted(name for name in model.get_params() if name.split("__")[-1] == "random_state")
    seeds = draw_seeds(int(seed), len(names))
    return model.set_params(**{name: int(own) for name, own in zip(names, seeds)})


def _fit_and_ask(model, X, y, mask, classes, ask, keep, alone):
    """The model that learned from the marked records, its answers, and what went wrong, if it
    did."""
    openmp = blas().select(user_api="openmp")
    # A forest's trees would be tasks of their own on a cluster, each of which needs the table.
    inner = joblib.parallel_config("threading", n_jobs=1)
    with nullcontext() if alone else openmp.limit(limits=1), inner:
        try:
            model.fit(take(X, mask), y[mask], **_told_classes(model, classes))
            answers = public_answers(model, ask, classes)
        except Exception as failure:
            return None, None, failure
    return (model if keep else None), answers, None


def _told(failure, k, y, masks, classes):
    missing = np.setdiff1d(classes, y[masks[k]]).tolist()
    lacking = f", none of class {', '.join(map(repr, missing[:5]))}" if missing else ""
    return (
        f"shadow model {k}, counted from 0, failed; it was to learn from {masks[k].sum()} records "
        f"of {len(classes) - len(missing)} classes{lacking}. {type(failure).__name__}: {failure}"
    )


def _told_classes(model, classes):
    """The public classes, for a `fit` that takes them: of :class:`MLP`, in a Pipeline too."""
    prefix = ""
    while steps := getattr(model, "steps", None):
        prefix += f"{steps[-1][0]}__"
        model = steps[-1][1]
    takes = hasattr(model, "fit") and "classes" in inspect.signature(model.fit).parameters
    return {f"{prefix}classes": classes} if takes else {}


def public_answers(network, X, classes):
    """Confidences (n, c), float32, of one fitted classifier in the order of the public `classes`
    (c,), 0 for a class that it never saw; asked in blocks.

    Raises ValueError for a class that is not public, and for NaN.
    """
    known, order = np.asarray(network.classes_), np.argsort(classes)
    places = np.searchsorted(classes, known, sorter=order).clip(max=len(classes) - 1)
    if unknown := np.asarray(known)[classes[order[places]] != known].tolist():
        raise ValueError(f"the model answers about class {unknown[0]!r}, which is not public")
    out = np.zeros((len(X), len(classes)), np.float32)
    for start in range(0, len(X), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(X)))
        # a copy, since a scaler may work in place
        out[rows[:, None], order[places]] = network.predict_proba(take(X, rows))
    if np.isnan(out).any():
        n = int(np.isnan(out).any(axis=1).sum())
        raise ValueError(f"the model answered NaN about {n} of {len(X)} records")
    return out
