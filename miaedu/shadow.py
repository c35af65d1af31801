"""ShadowModels: models like the target, whose members the attacker knows, having chosen them."""

import copy
from numbers import Integral

import numpy as np
from sklearn.exceptions import NotFittedError

from .blackbox import BlackBox
from .checks import as_labels, check_number, draw_seeds, public_classes
from .draws import draw_of_groups, half_of_groups, stratified_draw, stratified_half
from .records import as_table, numbers_of
from .training import in_lockstep, public_answers, side_by_side


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
            new.networks = in_lockstep(*training, progress)
            new.confidences = new.predict_proba(X)
        else:
            shape = self.n_models, len(X), len(new.classes_)
            new.networks, new.confidences = [], np.empty(shape, np.float32)
            for network, answers in side_by_side(*training, X, True, progress):
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
        if X is not self.X:
            return self._look_up(X)
        # every attack that learns from these models asks this
        kept = vars(self).get("_kept", (None,))
        if kept[0] is not self.members:
            kept = self._kept = self.members, self._look_up(X)
        return kept[1].copy()

    def _look_up(self, X):
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
