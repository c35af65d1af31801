"""ShadowModels: models like the target, whose members the attacker knows, having chosen them."""

import copy
import inspect
import sys
import warnings
from contextlib import contextmanager, nullcontext
from numbers import Integral

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from .blackbox import BlackBox
from .checks import as_labels, check_number, draw_seeds, public_classes
from .draws import draw_of_groups, half_of_groups, stratified_draw, stratified_half
from .lockstep import BLOCK as BLOCK_OF_COPIES
from .lockstep import blas, n_threads, threads_work
from .records import as_table, numbers_of, take

BLOCK = 50_000  # records that a model is asked about at a time


class ShadowModels:
    """Train `n_models` copies of `model`, each on its own random half of the attacker's records.

    >>> import miaedu as mia
    >>> digits = mia.load_digits()
    >>> shadows = mia.ShadowModels(mia.MLP(epochs=5), n_models=4, random_state=0)
    >>> shadows = shadows.fit(digits.X, digits.y)
    >>> shadows.members.shape, shadows.confidences.shape
    ((4, 1797), (4, 1797, 10))

    Parameters: `model`, any scikit-learn classifier with ``predict_proba``: one that offers
    ``fit_many``, as :class:`MLP` does, is trained in lockstep, any other is cloned and fitted
    through joblib: on threads of all cores, unless ``joblib.parallel_config`` says otherwise, each
    on one thread where several are fitted side by side. Within ``parallel_config("dask")``, or
    another that starts processes, both kinds are trained there, to the same bits; `n_models`, at
    least 1; `random_state`, None, int or RandomState: the first models are the same whatever their
    number; `train_size`, how many records each model learns from, instead of a half: as many as the
    target did, if that is known.

    Attributes after `fit`: ``networks`` (what was trained), ``members`` (K, n) bool,
    ``confidences`` (K, n, c) float32 of the pool's records, ``X`` (n, d) and ``y`` (n,), the pool
    as it came, and ``classes_`` (c,). Source: Shokri et al. 2017, section V-B.
    """

    def __init__(self, model, n_models=16, random_state=None, train_size=None):
        self.model = model
        self.n_models = n_models
        self.random_state = random_state
        self.train_size = train_size

    def fit(self, X, y, classes=None, progress=None, groups=None):
        """Train on the pool X (n, d), y (n,) of public `classes` (those of y); `progress(share)`
        may raise to stop.

        X is an array of any dtype or a DataFrame, y holds labels of any kind. A half has a record
        of each class of which there are two. Records of one of the `groups` (n,), such as a
        household, are together in or out of each model's training set, which then has the
        `train_size` to within a part of a group. A ValueError says which model could not be
        trained, and on what.
        """
        check_number("n_models", self.n_models, Integral, 1)
        if not hasattr(self.model, "predict_proba"):
            raise TypeError(
                f"model must be a classifier with predict_proba, got {type(self.model).__name__}"
            )
        X = as_table(X)
        y = as_labels("y", y, len(X))
        if len(X) < 4:
            raise ValueError(
                f"X must hold at least 4 records, so that each half trains a model, got {len(X)}"
            )
        new = copy.copy(self)
        new.classes_ = public_classes(y, classes)
        new.X, new.y = X, y
        new.members, seeds = self.draw(y, groups)
        training = (self.model, X, y, new.members, seeds, new.classes_)
        if hasattr(self.model, "fit_many"):
            new.networks = _in_lockstep(*training, progress)
            new.confidences = new.predict_proba(X)
        else:
            shape = self.n_models, len(X), len(new.classes_)
            new.networks, new.confidences = [], np.empty(shape, np.float32)
            for network, answers in _side_by_side(*training, X, True, progress):
                new.confidences[len(new.networks)] = answers
                new.networks.append(network)
        vars(self).update(vars(new))
        return self

    @classmethod
    def from_answers(cls, X, y, members, confidences, classes):
        """A fitted collection of K models of which only their answers about the records X (n, d)
        are known: who learned from which, `members` (K, n) bool, and `confidences` (K, n, c).

        >>> import numpy as np, miaedu as mia
        >>> X, members, answers = np.array([[1.5], [2.5]]), [[True, False]], [[[1, 0], [0.5, 0.5]]]
        >>> told = mia.ShadowModels.from_answers(X, [0, 1], members, answers, classes=[0, 1])
        >>> told.predict_proba(X[1:]).tolist(), told.saw(X[1:]).tolist()
        ([[[0.5, 0.5]]], [[False]])

        The columns of `confidences` are in the order of `classes`. Answers about these very records
        are looked up by content; a ValueError counts others that are asked about. Attacks that ask
        about changed records cannot use it.
        """
        X = as_table(X)
        y, members, classes = as_labels("y", y, len(X)), np.asarray(members), np.asarray(classes)
        confidences = np.asarray(confidences, np.float32)
        if members.dtype != bool or members.ndim != 2 or members.shape[1] != len(X):
            raise ValueError(
                f"members must be a boolean mask of shape (number of models, {len(X)}), "
                f"got {members.dtype} of shape {members.shape}"
            )
        if confidences.shape != (shape := (*members.shape, len(classes))):
            raise ValueError(
                f"confidences must have shape {shape} (models, records, classes), "
                f"got {confidences.shape}"
            )
        public_classes(y, classes)
        order = np.argsort(classes)
        if (order != np.arange(len(order))).any():
            classes, confidences = classes[order], confidences[..., order]
        told = cls(None, len(members))
        told.X, told.y, told.members, told.classes_ = X, y, members, classes
        told.confidences, told.networks = confidences, KnownAnswers(X, confidences, classes)
        return told

    def draw(self, y, groups=None):
        """Who is in the training set of each model, (K, n) bool, and a seed for each, (K,): what
        `fit` trains on."""
        seeds = draw_seeds(self.random_state, 2 * self.n_models).reshape(-1, 2)
        return np.stack([self._draw(y, groups, seed) for seed in seeds[:, 0]]), seeds[:, 1]

    def _draw(self, y, groups, seed):
        """Who is in the training set of the model with this seed."""
        if self.train_size is not None:
            check_number("train_size", self.train_size, Integral, 2, len(y) - 1)
        if groups is not None:
            if np.shape(groups) != y.shape:
                raise ValueError(
                    f"groups must hold one value for each of the {len(y)} records, "
                    f"got shape {np.shape(groups)}"
                )
            if len(np.unique(groups)) < 2:
                raise ValueError("groups must hold at least two groups, got one")
            if self.train_size is None:
                return half_of_groups(groups, y, seed)
            return draw_of_groups(groups, self.train_size, seed)
        if self.train_size is None:
            return stratified_half(y, seed)
        return stratified_draw(y, self.train_size, seed)

    def saw(self, X):
        """Which shadow models have learned from a copy of each record of X (n, d): (K, n) bool.

        >>> import miaedu as mia
        >>> digits = mia.load_digits()
        >>> shadows = mia.ShadowModels(mia.MLP(epochs=1), n_models=2, random_state=0)
        >>> seen = shadows.fit(digits.X[:100], digits.y[:100]).saw(digits.X[:200])
        >>> bool((seen[:, :100] == shadows.members).all()), bool(seen[:, 100:].any())
        (True, False)

        By content, not by place: any record may be asked about, and one that stands in the pool
        twice was seen if either copy was. Labels do not count, since they may be asked of a target.
        """
        of_pool, asked = numbers_of(self.X, as_table(X) if len(X) else X)
        seen = np.zeros((len(self.members), 1 + max(of_pool.max(), asked.max(initial=0))), bool)
        for row, member in zip(seen, self.members):
            row[of_pool[member]] = True
        return seen[:, asked]

    def predict_proba(self, X):
        """Confidences (K, n, c) of all shadow models for records X (n, d); 0 for a class that one
        never saw."""
        if not hasattr(self, "networks"):
            raise NotFittedError("this ShadowModels is not fitted yet: call fit first")
        if not isinstance(self.networks, list):
            return self.networks.predict_proba(X)
        out = np.zeros((len(self.networks), len(X), len(self.classes_)), np.float32)
        for answers, network in zip(out, self.networks):
            answers[:] = public_answers(network, X, self.classes_)
        return out

    def without(self, k):
        """The same collection but for model `k`: it is as if that one had never been trained."""
        others = copy.copy(self)
        rest = [j for j in range(len(self.members)) if j != k]
        others.members, others.confidences = self.members[rest], self.confidences[rest]
        others.networks = (
            self.networks.only(rest)
            if isinstance(self.networks, KnownAnswers)
            else [self.networks[j] for j in rest]
        )
        return others

    def door(self, k, hide=()):
        """Model `k` behind a :class:`BlackBox`, as if it were the target."""
        return BlackBox(_AllClasses(self.networks[k], self.classes_), hide)

    def at(self, epoch):
        """The same collection as it was after `epoch`, one of the model's snapshots (:class:`MLP`
        alone keeps them)."""
        earlier = copy.copy(self)
        earlier.networks = self.networks.at(epoch)
        earlier.confidences = earlier.predict_proba(self.X)
        return earlier


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
            networks = _in_lockstep(*training, progress, start)
            for k in range(len(networks)):
                yield public_answers(networks[k], ask, classes)
        return
    for _, answers in _side_by_side(*training, ask, False, progress, start):
        yield answers


def _in_lockstep(model, X, y, masks, seeds, classes, progress, start=0):
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
    parallel = joblib.Parallel(n_jobs=_n_jobs(), return_as="generator")
    slots = joblib.effective_n_jobs(parallel.n_jobs)
    copies = np.arange(start, len(masks))
    n_blocks = slots * -(-len(copies) // (slots * BLOCK_OF_COPIES))
    blocks = np.array_split(copies, min(len(copies), n_blocks))
    # whole tables, as below: what is the same for all is sent once
    work = (
        joblib.delayed(_fit_block)(model, X, y, masks[block], seeds[block], classes)
        for block in blocks
    )
    outcomes, parts, done = parallel(work), [], 0
    with _quietly(outcomes):
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


def _side_by_side(model, X, y, masks, seeds, classes, ask, keep, progress, start=0):
    """Yield each fitted copy, or None unless told to `keep` it, and its answers about `ask`."""
    n_jobs = _n_jobs()
    # Threads by default: starting processes would cost more than the small fits of a course.
    parallel = joblib.Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
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
    with nullcontext() if alone else blas().limit(limits=1, user_api="blas"), _quietly(outcomes):
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


@contextmanager
def _quietly(outcomes):
    """End what is left of these, without joblib's word on the models that nobody waits for."""
    try:
        yield
    finally:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*tasks.*", UserWarning)
            outcomes.close()


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
        rows = slice(start, start + BLOCK)
        part = X if len(X) <= BLOCK else take(X, rows)
        out[rows, order[places]] = network.predict_proba(part)
    if np.isnan(out).any():
        n = int(np.isnan(out).any(axis=1).sum())
        raise ValueError(f"the model answered NaN about {n} of {len(X)} records")
    return out


class _AllClasses:
    """A classifier that answers about all public classes, 0 for those that it never saw."""

    def __init__(self, network, classes):
        self.network, self.classes_ = network, classes

    def predict_proba(self, X):
        return public_answers(self.network, X, self.classes_)


class KnownAnswers:
    """Models of which only the confidences (K, n, c) about the records X (n, d) are known, or one
    such model of which (n, c) are: asked for others, they raise a ValueError."""

    def __init__(self, X, confidences, classes):
        self._X, self._confidences, self.classes_ = X, confidences, classes

    def __len__(self):
        return len(self._confidences)

    def __getitem__(self, k):
        one = self._confidences[range(len(self))[k]]
        return KnownAnswers(self._X, one, self.classes_)

    def only(self, models):
        """Some of the models."""
        return KnownAnswers(self._X, self._confidences[models], self.classes_)

    def predict_proba(self, X):
        """Confidences (K, m, c), or (m, c) of one model, for records X (m, d) among the known."""
        if X is self._X:
            return self._confidences
        known, asked = numbers_of(self._X, X)
        place = np.full(1 + max(known.max(), asked.max(initial=0)), -1)
        place[known] = np.arange(len(known))
        places = place[asked]
        unknown = int((places < 0).sum())
        if unknown:
            raise ValueError(
                f"of {unknown} of the {len(places)} records no answers are known: these models can "
                "only be asked about the records that they were asked about before"
            )
        return self._confidences[..., places, :]
