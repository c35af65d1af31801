"""MLP: a small neural network as a scikit-learn classifier that can also train a whole collection
of itself at once."""

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from . import lockstep
from .checks import check_number, draw_seeds, public_classes
from .privacy import epsilon_of, mu_of


class MLP(ClassifierMixin, BaseEstimator):
    """A classifier with one hidden layer of ReLU units and softmax confidences, trained by Adam in
    float32.

    >>> import miaedu as mia
    >>> digits = mia.load_digits()
    >>> net = mia.MLP(epochs=20, random_state=0).fit(digits.X, digits.y)
    >>> net.predict_proba(digits.X[:3]).shape
    (3, 10)
    >>> net.score(digits.X, digits.y) > 0.95
    True

    Parameters
    ----------
    hidden : int, units of the hidden layer.
    epochs : int, passes over the training records.
    batch_size : "auto", int of at least 2, or None for full batches. "auto" is 100, and full
        batches with a `clip`.
    learning_rate : float above 0, the step of Adam; the same at every step, so a shorter run is the
        start of a longer one.
    l2 : float of at least 0; ``l2 / 2`` times the sum of squared weights (without biases) is added
        to the mean log loss.
    clip : None or float above 0: the largest Euclidean norm of one record's gradient (private
        training, full batch).
    noise_multiplier : float of at least 0: the noise on the sum of clipped gradients has standard
        deviation ``noise_multiplier * clip``.
    expected_members : None or number above 0: what gradient sums are divided by with a `clip`; a
        public constant, needed with noise.
    snapshots : epochs (ints from 1 to `epochs`) whose weights are kept; see `at`.
    random_state : None, int or RandomState. Two fits with the same int give the same bits on one
        machine.

    Attributes: ``classes_`` (c,), ``n_features_in_``, ``networks_`` (a :class:`Networks` of one).
    Method: Rumelhart et al. 1986; Adam: Kingma & Ba 2015; private training: Abadi et al. 2016,
    algorithm 1, with full batches.
    """

    def __init__(
        self,
        hidden=64,
        epochs=20,
        batch_size="auto",
        learning_rate=0.01,
        l2=0.0,
        clip=None,
        noise_multiplier=0.0,
        expected_members=None,
        snapshots=(),
        random_state=None,
    ):
        self.hidden = hidden
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.l2 = l2
        self.clip = clip
        self.noise_multiplier = noise_multiplier
        self.expected_members = expected_members
        self.snapshots = snapshots
        self.random_state = random_state

    def fit(self, X, y, classes=None, progress=None):
        """Learn from records X (n, d), labels y (n,) of the public `classes` (default: those of y).

        Raises ValueError for settings out of range, NaN or infinity in X, or a single class without
        `classes`.
        """
        # what is learned is set at the very end: a fit that fails or is stopped leaves no trace
        new = clone(self)
        X, codes, classes = new._prepare(X, y, classes)
        seeds = draw_seeds(self.random_state, 1)
        if isinstance(self.random_state, Integral):
            seeds = [self.random_state]
        new.networks_ = new._learn(X, codes, classes, [np.arange(len(X))], seeds, progress)
        new.classes_ = classes
        learned = {name: value for name, value in vars(new).items() if name.endswith("_")}
        for name in [name for name in vars(self) if name.endswith("_")]:
            delattr(self, name)
        vars(self).update(learned)
        return self

    def fit_many(self, X, y, members, classes=None, progress=None, n_jobs=None, seeds=None):
        """Train one copy for each row of `members`, a boolean mask (K, n): copy k learns from
        ``X[members[k]]``.

        >>> import miaedu as mia
        >>> digits = mia.load_digits()
        >>> halves = [[i % 2 == k for i in range(len(digits))] for k in range(2)]
        >>> networks = mia.MLP(epochs=5, random_state=0).fit_many(digits.X, digits.y, halves)
        >>> networks.predict_proba(digits.X).shape
        (2, 1797, 10)

        `progress(share)` is called with the share done, from 0 to 1, at least every 50 ms; an
        exception raised in it stops the training and nothing is kept. `n_jobs` threads are used
        (default: all cores); the bits do not depend on it. `seeds` (K,) are by default drawn from
        `random_state`. Returns :class:`Networks`. Raises ValueError for a mask of another shape or
        with an empty row.
        """
        if n_jobs is not None:
            check_number("n_jobs", n_jobs, Integral, 1)
        new = clone(self)
        X, codes, classes = new._prepare(X, y, classes)
        members = np.asarray(members)
        if (
            members.ndim != 2
            or members.shape[1] != len(X)
            or members.dtype != bool
            or len(members) == 0
        ):
            raise ValueError(
                f"members must be a boolean mask of shape (number of copies, {len(X)}) "
                f"with at least one row, got {members.dtype} of shape {members.shape}"
            )
        empty = np.flatnonzero(~members.any(axis=1))
        if len(empty):
            raise ValueError(
                f"members must put at least one record in every copy's training set, "
                f"but row {empty[0]} is empty"
            )
        rows = [np.flatnonzero(row) for row in members]
        if seeds is None:
            seeds = draw_seeds(self.random_state, len(rows))
        return new._learn(X, codes, classes, rows, seeds, progress, n_jobs)

    def predict_proba(self, X):
        """Confidences (n, c) for records X (n, d), columns in the order of ``classes_``."""
        check_is_fitted(self)
        return self.networks_.predict_proba(validate_data(self, X, reset=False, dtype=np.float32))[
            0
        ]

    def predict(self, X):
        """The most confident label of each record of X (n, d)."""
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    def at(self, epoch):
        """This classifier after `epoch`, one of its `snapshots`: the same as if trained for so many
        epochs."""
        check_is_fitted(self)
        return self.networks_.at(epoch)[0]

    def epsilon(self, delta):
        """The epsilon at `delta` that this training promises each record, added or removed:
        infinite without noise."""
        return epsilon_of(
            mu_of(noise_multiplier=self.noise_multiplier if self.clip else 0, steps=self.epochs),
            delta,
        )

    def step_size(self):
        """Records in a batch, or None for all of them."""
        if self.batch_size == "auto":
            return None if self.clip is not None else 100
        return self.batch_size

    def _prepare(self, X, y, classes):
        self.check_settings()
        X, y = validate_data(self, X, y, dtype=np.float32, order="C")
        check_classification_targets(y)
        if classes is None and self.noise_multiplier:
            raise ValueError(
                "classes must be given with noise: "
                "labels read from the members would say that a class has one"
            )
        classes = public_classes(y, classes)
        return X, np.searchsorted(classes, y), classes

    def check_settings(self):
        """Raise a ValueError that names the first setting out of its range."""
        for name, kind, low in (
            ("hidden", Integral, 1),
            ("epochs", Integral, 1),
            ("l2", Real, 0),
            ("noise_multiplier", Real, 0),
        ):
            check_number(name, getattr(self, name), kind, low)
        check_number("learning_rate", self.learning_rate, Real, 0, above=True)
        for name, why in (
            ("clip", "it is the largest length a gradient may have"),
            ("expected_members", "gradient sums are divided by it"),
        ):
            if getattr(self, name) is not None:
                check_number(name, getattr(self, name), Real, 0, above=True, why=why)
        if self.batch_size not in ("auto", None):
            if not isinstance(self.batch_size, Integral) or self.batch_size < 2:
                raise ValueError(
                    f"batch_size must be 'auto', None or a whole number of at least 2, "
                    f"got {self.batch_size!r}"
                )
            if self.clip is not None:
                raise ValueError(
                    "batch_size must be 'auto' or None with a clip (private training is "
                    f"full-batch), got {self.batch_size!r}"
                )
        if self.noise_multiplier and self.clip is None:
            raise ValueError(
                f"noise_multiplier={self.noise_multiplier!r} needs a clip: "
                f"without one, no amount of noise hides a record"
            )
        if self.noise_multiplier and self.expected_members is None:
            raise ValueError(
                "expected_members must be given with noise: "
                "a divisor read from the members would give their number away"
            )
        if not np.iterable(self.snapshots):
            raise TypeError(f"snapshots must be a collection of epochs, got {self.snapshots!r}")
        for epoch in self.snapshots:
            if not (isinstance(epoch, Integral) and 1 <= epoch <= self.epochs):
                raise ValueError(f"snapshots must be epochs from 1 to {self.epochs}, got {epoch!r}")

    def _learn(self, X, codes, classes, rows, seeds, progress=None, n_jobs=None):
        epochs = sorted({*map(int, self.snapshots), int(self.epochs)})
        kept = lockstep.train(
            lockstep.with_ones(X), codes, len(classes), rows, seeds, self, epochs, n_jobs, progress
        )
        return Networks(clone(self), classes, seeds, kept)


class Networks:
    """K trained copies of one :class:`MLP`, made by :meth:`MLP.fit_many`.

    >>> import miaedu as mia
    >>> digits = mia.load_digits()
    >>> everyone = [[True] * len(digits)] * 3
    >>> network = mia.MLP(epochs=4, snapshots=[2], random_state=0)
    >>> networks = network.fit_many(digits.X, digits.y, everyone)
    >>> len(networks), networks.at(2).predict_proba(digits.X[:5]).shape
    (3, (3, 5, 10))

    ``networks[k]`` is copy k as a fitted MLP, whose `random_state` is the seed that gives the same
    bits when it is fitted alone.
    """

    def __init__(self, net, classes, seeds, weights):
        """Settings, public labels, a seed a copy, and for each kept epoch the weights (K, P)."""
        self.classes_ = classes
        self.seeds = [int(seed) for seed in seeds]
        self._net, self._weights = net, weights

    def __len__(self):
        return len(self.seeds)

    def __getitem__(self, k):
        k = range(len(self))[k]
        alone = clone(self._net).set_params(random_state=self.seeds[k])
        alone.classes_, alone.n_features_in_ = self.classes_, self.n_features_in_
        one = {epoch: theta[k : k + 1] for epoch, theta in self._weights.items()}
        alone.networks_ = Networks(self._net, self.classes_, self.seeds[k : k + 1], one)
        return alone

    @property
    def n_features_in_(self):
        """Number of features d of the records these networks were trained on."""
        return (
            (self._theta.shape[1] - len(self.classes_)) // self._net.hidden - 1 - len(self.classes_)
        )

    @property
    def _theta(self):
        return self._weights[max(self._weights)]

    def predict_proba(self, X):
        """Confidences (K, n, c) of every copy for records X (n, d)."""
        X = check_array(X, dtype=np.float32, order="C", input_name="X")
        if X.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {X.shape[1]} features, but these networks were trained on "
                f"{self.n_features_in_}"
            )
        return lockstep.forward(
            lockstep.with_ones(X), self._theta, self._net.hidden, len(self.classes_)
        )

    @classmethod
    def joined(cls, parts):
        """The networks of several collections of one :class:`MLP`, in their order, as one."""
        weights = {
            epoch: np.concatenate([part._weights[epoch] for part in parts])
            for epoch in parts[0]._weights
        }
        seeds = [seed for part in parts for seed in part.seeds]
        return cls(parts[0]._net, parts[0].classes_, seeds, weights)

    def at(self, epoch):
        """The same networks as they were after `epoch`, one of their snapshots."""
        if epoch not in self._weights:
            raise ValueError(
                f"epoch must be one of the snapshots {sorted(self._weights)}, got {epoch!r}"
            )
        kept = {e: theta for e, theta in self._weights.items() if e <= epoch}
        net = clone(self._net).set_params(
            epochs=epoch, snapshots=tuple(e for e in kept if e < epoch)
        )
        return Networks(net, self.classes_, self.seeds, kept)
