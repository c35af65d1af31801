"""ShadowModels: models like the target, whose members the attacker knows, having chosen them."""

import copy
from numbers import Integral

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_X_y

from .blackbox import BlackBox
from .checks import check_number, draw_seeds, public_classes
from .lockstep import threads_work


def stratified_half(y, random_state):
    """A boolean mask (n,) that is True for a random half of the records, of each class as far as it
    can be.

    >>> import numpy as np
    >>> half = stratified_half(np.array([0, 0, 0, 0, 1, 1]), random_state=0)
    >>> int(half[:4].sum()), int(half[4:].sum())
    (2, 1)
    """
    rng = np.random.default_rng(random_state)
    # by class, shuffled within; then a coin for each pair of neighbours
    order = np.lexsort((rng.random(len(y)), y))
    mask = np.empty(len(y), bool)
    heads = rng.random((len(y) + 1) // 2) < 0.5
    mask[order[::2]] = heads
    mask[order[1::2]] = ~heads[: len(y) // 2]
    return mask


def stratified_draw(y, size, random_state):
    """A boolean mask (n,) that is True for `size` random records, of each class its share to within
    one record; each record is drawn with the same chance.

    >>> import numpy as np
    >>> drawn = stratified_draw(np.array([0] * 6 + [1] * 3), size=3, random_state=0)
    >>> int(drawn[:6].sum()), int(drawn[6:].sum())
    (2, 1)
    """
    rng, n = np.random.default_rng(random_state), len(y)
    # by class, shuffled within; then one every n / size, from a random start
    order = np.lexsort((rng.random(n), y))
    steps = (np.arange(n + 1) * size + rng.integers(n)) // n
    mask = np.empty(n, bool)
    mask[order] = np.diff(steps) > 0
    return mask


def draw_of_groups(groups, size, random_state):
    """A boolean mask (n,) that is True for whole random groups, of about `size` records together;
    for a random half of all records (None), each group is in with probability 1/2.

    >>> import numpy as np
    >>> drawn = draw_of_groups(np.array([0, 0, 1, 1, 2, 2]), size=4, random_state=0)
    >>> drawn.reshape(3, 2).tolist().count([True, True]), int(drawn.sum())
    (2, 4)
    """
    rng = np.random.default_rng(random_state)
    found, unit = np.unique(groups, return_inverse=True)
    order = rng.permutation(len(found))
    filled = np.bincount(unit)[order].cumsum()
    # as many groups as come nearest to the number, but neither none nor all
    wanted = len(groups) / 2 if size is None else size
    count = 1 + np.argmin(np.abs(filled[:-1] - wanted))
    drawn = np.zeros(len(found), bool)
    drawn[order[:count]] = True
    if size is None and rng.random() < 0.5:
        drawn = ~drawn
    return drawn[unit]


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
    through joblib (``joblib.parallel_config`` chooses where); `n_models`, at least 1;
    `random_state`, None, int or RandomState: the first models are the same whatever their number;
    `train_size`, how many records each model learns from, instead of a half: as many as the target
    did, if that is known.

    Attributes after `fit`: ``networks`` (what was trained), ``members`` (K, n) bool,
    ``confidences`` (K, n, c) float32 of the pool's records, ``X`` (n, d) and ``y`` (n,), the pool,
    and ``classes_`` (c,). Source: Shokri et al. 2017, section V-B.
    """

    def __init__(self, model, n_models=16, random_state=None, train_size=None):
        self.model = model
        self.n_models = n_models
        self.random_state = random_state
        self.train_size = train_size

    def fit(self, X, y, classes=None, progress=None, groups=None):
        """Train on the pool X (n, d), y (n,) of public `classes` (those of y); `progress(share)`
        may raise to stop.

        Records of one of the `groups` (n,), such as a household, are together in or out of each
        model's training set, which then has the `train_size` to within a part of a group.
        """
        check_number("n_models", self.n_models, Integral, 1)
        if not hasattr(self.model, "predict_proba"):
            raise TypeError(
                f"model must be a classifier with predict_proba, got {type(self.model).__name__}"
            )
        X, y = check_X_y(X, y, dtype=np.float32)
        if len(X) < 4:
            raise ValueError(
                f"X must hold at least 4 records, so that each half trains a model, got {len(X)}"
            )
        new = copy.copy(self)
        new.classes_ = public_classes(y, classes)
        seeds = draw_seeds(self.random_state, 2 * self.n_models).reshape(-1, 2)
        new.X, new.y = X, y
        new.members = np.stack([self._draw(y, groups, seed) for seed in seeds[:, 0]])
        if hasattr(self.model, "fit_many"):
            model = clone(self.model).set_params(random_state=int(seeds[0, 1]))
            new.networks = model.fit_many(
                X, y, new.members, classes=new.classes_, progress=progress
            )
        else:
            new.networks = new._fit_through_joblib(seeds[:, 1], progress)
        new.confidences = new.predict_proba(X)
        vars(self).update(vars(new))
        return self

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
        number = {}
        of_pool = np.array([number.setdefault(record, len(number)) for record in _contents(self.X)])
        first = np.unique(of_pool, return_index=True)[1]
        seen = np.zeros((len(self.members), len(number) + 1), bool)  # the last, of no record
        seen[:, :-1] = self.members[:, first]
        for again in np.setdiff1d(np.arange(len(of_pool)), first):
            seen[:, of_pool[again]] |= self.members[:, again]
        return seen[:, [number.get(record, -1) for record in _contents(X)]]

    def predict_proba(self, X):
        """Confidences (K, n, c) of all shadow models for records X (n, d); 0 for a class that one
        never saw."""
        if not hasattr(self, "networks"):
            raise NotFittedError("this ShadowModels is not fitted yet: call fit first")
        if not isinstance(self.networks, list):
            return self.networks.predict_proba(X)
        out = np.zeros((len(self.networks), len(X), len(self.classes_)), np.float32)
        for answers, network in zip(out, self.networks):
            answers[:] = _AllClasses(network, self.classes_).predict_proba(X)
        return out

    def without(self, k):
        """The same collection but for model `k`: it is as if that one had never been trained."""
        others = copy.copy(self)
        rest = [j for j in range(len(self.members)) if j != k]
        others.members, others.confidences = self.members[rest], self.confidences[rest]
        others.networks = [self.networks[j] for j in rest]
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

    def _fit_through_joblib(self, seeds, progress):
        def copies():
            for mask, seed in zip(self.members, seeds):
                model = clone(self.model)
                names = sorted(
                    name for name in model.get_params() if name.split("__")[-1] == "random_state"
                )
                model.set_params(
                    **{
                        name: int(own)
                        for name, own in zip(names, draw_seeds(int(seed), len(names)))
                    }
                )
                yield joblib.delayed(model.fit)(self.X[mask], self.y[mask])

        networks = []
        # Threads by default: starting processes would cost more than the small fits of a course.
        n_jobs = -1 if threads_work() else 1
        fits = joblib.Parallel(n_jobs=n_jobs, prefer="threads", return_as="generator")
        for network in fits(copies()):
            networks.append(network)
            if progress is not None:
                progress(len(networks) / self.n_models)
        return networks


class _AllClasses:
    """A classifier that answers about all public classes, 0 for those that it never saw."""

    def __init__(self, network, classes):
        self.network, self.classes_ = network, classes

    def predict_proba(self, X):
        answers = np.zeros((len(X), len(self.classes_)), np.float32)
        known = np.searchsorted(self.classes_, self.network.classes_)
        answers[:, known] = self.network.predict_proba(X)
        return answers


def _contents(X):
    """What tells a record from all others, for each record of X (n, d)."""
    return [row.tobytes() for row in np.asarray(X, np.float32) + 0.0]  # adding 0 makes one of -0, 0
