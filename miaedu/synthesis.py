"""How an attacker without labelled data makes some: labels asked of the target, and records that
are found by asking it, drawn from statistics, spoilt by noise, or drawn blindly."""

import warnings
from dataclasses import dataclass
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_array

from .checks import check_number, draw_seeds

SIDE_BY_SIDE = 2000  # chains: more would only fill the memory
STEP = [("chain", np.int32), ("confidence", np.float32), ("k", np.int32), ("kept", bool)]


def label_by_querying(black_box, X):
    """Labels (n,) for records X (n, d) from anywhere: the target's own most confident class. Costs
    one query a record.

    >>> import miaedu as mia
    >>> digits = mia.load_digits()
    >>> api = mia.BlackBox(mia.MLP(random_state=0).fit(digits.X[:900], digits.y[:900]))
    >>> labels = mia.label_by_querying(api, digits.X[900:])
    >>> labels.shape, api.n_queries
    ((897,), 897)

    Raises ValueError when the black box's budget does not cover all records. Source: Shokri et al.
    2017, section V-C.
    """
    return black_box.classes_[np.argmax(black_box.predict_proba(X), axis=1)]


@dataclass(frozen=True, eq=False)
class Features:
    """The format of a record, which an attacker knows: what each feature ranges over.

    >>> import miaedu as mia
    >>> mia.Features([0, -1.5], [1, 1.5], whole=[True, False]).draw(3, random_state=0).shape
    (3, 2)
    >>> mia.Features.binary(200).high.sum().item()
    200.0

    `low` and `high` (d,), the ends of each range; `whole` (d,), which features take whole numbers
    only. Raises ValueError for ends that are no finite numbers, in the wrong order, or not whole
    where they should be.
    """

    low: np.ndarray
    high: np.ndarray
    whole: np.ndarray

    def __post_init__(self):
        low, high, whole = (
            np.atleast_1d(np.asarray(part, dtype))
            for part, dtype in ((self.low, float), (self.high, float), (self.whole, bool))
        )
        if low.ndim != 1 or not low.shape == high.shape == whole.shape or len(low) == 0:
            raise ValueError(
                "low, high and whole must hold one value for each feature, got shapes "
                f"{low.shape}, {high.shape} and {whole.shape}"
            )
        for j in np.flatnonzero(~(np.isfinite(low) & np.isfinite(high) & (low <= high))):
            raise ValueError(
                f"low must be finite and at most high, got {low[j]} and {high[j]} for feature {j}"
            )
        for j in np.flatnonzero(whole & ((low % 1 != 0) | (high % 1 != 0))):
            raise ValueError(
                f"low and high must be whole numbers where whole is True, got {low[j]} and "
                f"{high[j]} for feature {j}"
            )
        vars(self).update(low=low, high=high, whole=whole)

    @classmethod
    def binary(cls, d):
        """`d` features of 0 or 1."""
        check_number("d", d, Integral, 1)
        return cls(np.zeros(d), np.ones(d), np.ones(d, bool))

    @classmethod
    def of(cls, X):
        """The format of records X (n, d): their lowest and highest values, and where all are whole
        numbers. Where X holds nothing but 0 and 1, each feature has both."""
        X = check_array(X, dtype=np.float32)
        if np.isin(X, (0, 1)).all():
            return cls.binary(X.shape[1])
        return cls(X.min(axis=0), X.max(axis=0), (X % 1 == 0).all(axis=0))

    def draw(self, n_records, random_state=None):
        """Records (n_records, d), float32, each feature drawn uniformly from its range by itself.
        `random_state`: None, int, RandomState, or a numpy Generator to go on with."""
        check_number("n_records", n_records, Integral, 0)
        lots = _generator(random_state).random((n_records, len(self.low)), dtype=np.float32)
        width = self.high - self.low
        whole = np.minimum(np.floor(lots * (width + 1)), width)
        return (self.low + np.where(self.whole, whole, lots * width)).astype(np.float32)

    def redraw(self, X, chosen, rng):
        """A copy of X (n, d) in which the `chosen` features (n, d) are drawn again; one with two
        values takes the other."""
        other = self.low + self.high - X
        if not self._two_valued.all():
            other = np.where(self._two_valued, other, self.draw(len(X), rng))
        return np.where(chosen, other, X).astype(np.float32)

    @property
    def _two_valued(self):
        return self.whole & (self.high - self.low == 1)


def draw_uniformly(features, n_records, random_state=None):
    """Records (n_records, d) drawn blindly: each feature uniformly from its range, whatever records
    look like.

    >>> import miaedu as mia
    >>> mia.draw_uniformly(mia.Features.binary(200), 1000, random_state=0).shape
    (1000, 200)

    `features`: a :class:`Features`. Let the target label them: :func:`label_by_querying`.
    """
    return features.draw(n_records, random_state)


def sample_marginals(X, n_records, random_state=None):
    """Records (n_records, d) in which each feature has the values of X (n, d) as often as X has
    them, but independently of all others.

    >>> import miaedu as mia
    >>> baskets = mia.load_purchases().X
    >>> made = mia.sample_marginals(baskets, 5000, random_state=0)
    >>> made.shape, bool(abs(made.mean(axis=0) - baskets.mean(axis=0)).max() < 0.05)
    ((5000, 200), True)

    Stands for an attacker who knows how common each value is, and no record; X serves for nothing
    else. Raises ValueError for an X without records. Source: Shokri et al. 2017, section V-C,
    statistics-based synthesis.
    """
    check_number("n_records", n_records, Integral, 1)
    X = check_array(X, dtype=np.float32)
    rows = _generator(random_state).integers(len(X), size=(n_records, X.shape[1]))
    return np.take_along_axis(X, rows, axis=0)


def with_noise(X, share=0.1, random_state=None):
    """A copy of records X (n, d) in which a `share` of the values is wrong, each by a coin of its
    own.

    >>> import miaedu as mia
    >>> baskets = mia.load_purchases().X
    >>> round(float((mia.with_noise(baskets, 0.1, random_state=0) != baskets).mean()), 2)
    0.1

    Where X holds nothing but 0 and 1, a wrong value is flipped. Elsewhere it is replaced by the
    same feature of a random record of X, which may happen to be equal. Raises ValueError for a
    `share` outside 0 to 1. Source: Shokri et al. 2017, section V-C, noisy real data, which are
    flipped; the replacing is ours.
    """
    check_number("share", share, Real, 0, 1)
    X = check_array(X, dtype=np.float32)
    rng = _generator(random_state)
    wrong = rng.random(X.shape) < share
    flips = np.isin(X, (0, 1)).all()
    return np.where(wrong, 1 - X if flips else sample_marginals(X, len(X), rng), X)


# Records without labels, of the format `features`, from records X or what is known of them.
SOURCES = {
    "noisy": lambda X, features, n_records, seed: with_noise(X, 0.1, seed),
    "marginals": lambda X, features, n_records, seed: sample_marginals(X, n_records, seed),
    "uniform": lambda X, features, n_records, seed: draw_uniformly(features, n_records, seed),
}


class Synthesis(NamedTuple):
    """What :func:`synthesize` has found, and what it cost.

    >>> import numpy as np
    >>> steps = np.array([(0, 0.3, 8, True), (0, 0.2, 4, False)], STEP)
    >>> made = Synthesis(np.zeros((0, 8)), np.zeros(0, int), np.zeros(0, int), 1, 2, steps)
    >>> made.success_rate, made.trace(0)["kept"].tolist()
    (0.0, [True, False])

    `X` (n, d) and `y` (n,), the records and the classes they were sought for; `chains` (n,), which
    chain found each; `n_chains`, those that were begun; `n_queries`; `steps` (n_queries,), a row a
    query: its ``chain``, the ``confidence`` in the class sought, ``k``, how many features the
    proposal changed, and whether it was ``kept`` as the best so far.
    """

    X: np.ndarray
    y: np.ndarray
    chains: np.ndarray
    n_chains: int
    n_queries: int
    steps: np.ndarray

    @property
    def success_rate(self):
        """The share of the chains begun that found a record."""
        return len(self.y) / self.n_chains

    @property
    def queries_a_record(self):
        """Queries for each record found, those of the chains that found none included."""
        return self.n_queries / len(self.y) if len(self.y) else float("inf")

    @property
    def acceptance(self):
        """The share of the proposals that were kept."""
        return float(self.steps["kept"].mean())

    def trace(self, chain):
        """The steps of one chain, in their order."""
        return self.steps[self.steps["chain"] == chain]


def synthesize(
    black_box,
    features,
    n_records,
    *,
    classes=None,
    k_max=None,
    k_min=4,
    rej_max=10,
    conf_min=0.2,
    iter_max=1000,
    random_state=None,
    progress=None,
):
    """Make records out of nothing but queries: change a random record until the target takes it for
    one of the class sought.

    >>> import miaedu as mia
    >>> shoppers = mia.load_purchases(n_records=400, random_state=0)
    >>> api = mia.BlackBox(mia.MLP(random_state=0).fit(shoppers.X, shoppers.y))
    >>> made = mia.synthesize(api, mia.Features.binary(200), 50, random_state=0)
    >>> made.X.shape, made.y.shape, made.n_queries == api.n_queries
    ((50, 200), (50,), True)

    A chain proposes records that differ from its best so far in `k` features, and keeps those of
    which the target is at least as sure. `k` begins at `k_max` (default: a fifth of the features)
    and is halved, not below `k_min`, when more than `rej_max` proposals in a row were rejected. A
    kept record is returned, with the confidence as probability, where the class sought is the
    likeliest and its confidence above `conf_min`. A chain fails after `iter_max` queries.

    `features`: a :class:`Features`, the format of a record; a feature with two values is flipped,
    any other is drawn again from its range. One chain is begun for each of the `n_records`, in turn
    for each of the `classes` (default: all); they run side by side, so that one call of the black
    box serves them all. `progress(share)` is called for each such call, and may raise to stop.

    Returns a :class:`Synthesis`. Raises ValueError for a setting out of range, and, before any
    query, where the budget is below one query a record; a budget that is spent on the way ends the
    search with a warning, and what was found is returned. Source: Shokri et al. 2017, algorithm 1;
    `k_min`, `rej_max` and `conf_min` as we recall its settings, its `k_max` 128 of 600 features.
    """
    d = len(features.low)
    k_max = max(1, round(d / 5)) if k_max is None else k_max
    check_number("n_records", n_records, Integral, 1)
    check_number("k_max", k_max, Integral, 1, d)
    check_number("k_min", k_min, Integral, 1)
    check_number("rej_max", rej_max, Integral, 0)
    check_number("conf_min", conf_min, Real, 0, 1, below=True)
    check_number("iter_max", iter_max, Integral, 1)
    sought = np.resize(_codes_of(classes, black_box.classes_), n_records)
    if n_records > black_box.queries_left:
        raise ValueError(
            f"n_records must be at most {black_box.queries_left}, the queries that the black box "
            f"has left, got {n_records}: each record costs at least one"
        )
    rng, blocks, steps, cut = _generator(random_state), [], [], False
    for start in range(0, n_records, SIDE_BY_SIDE):
        chains = _Chains(start, sought[start : start + SIDE_BY_SIDE], features, k_max, rng)
        blocks.append(chains)
        for _ in range(iter_max):
            cut |= len(chains.live) > black_box.queries_left
            chains.live = chains.live[: min(len(chains.live), black_box.queries_left)]
            if len(chains.live) == 0:
                break
            steps.append(chains.judge(black_box.predict_proba(chains.asked), conf_min))
            chains.propose(min(k_min, k_max), rej_max)
            if progress is not None:
                progress((start + len(chains.sought) - len(chains.live)) / n_records)
    made = _collect(blocks, np.concatenate(steps), black_box.classes_)
    if cut:
        warnings.warn(
            f"the query budget of the black box is spent: {len(made.y)} of {n_records} records "
            "were found, and are returned",
            stacklevel=2,
        )
    return made


class _Chains:
    """Chains of algorithm 1 that run side by side: number `first` and those after it."""

    def __init__(self, first, sought, features, k_max, rng):
        n = len(sought)
        self.first, self.sought, self.features, self.rng = first, sought, features, rng
        self.proposal = features.draw(n, rng)  # x
        self.best, self.confidence = self.proposal.copy(), np.zeros(n)  # x* and y*
        self.k, self.rejected = np.full(n, k_max), np.zeros(n, int)  # k and j
        self.changed = np.full(n, len(features.low))  # the first record is drawn whole
        self.live, self.found = np.arange(n), np.zeros(n, bool)

    @property
    def asked(self):
        """The proposals (n, d) that the target has to be asked about."""
        return self.proposal[self.live]

    def judge(self, answers, conf_min):
        """Keep what is at least as good as the best so far, and end the chains whose record is
        drawn; the steps."""
        live, sought = self.live, self.sought[self.live]
        confidence = answers[np.arange(len(live)), sought]
        kept = confidence >= self.confidence[live]
        likeliest = (confidence > conf_min) & (answers.argmax(axis=1) == sought)
        drawn = self.rng.random(len(live)) < confidence
        better = live[kept]
        self.best[better] = self.proposal[better]  # a copy: a later proposal must not change it
        self.confidence[better] = confidence[kept]
        self.rejected[live] = np.where(kept, 0, self.rejected[live] + 1)
        ended = kept & likeliest & drawn
        self.found[live[ended]] = True
        self.live = live[~ended]
        return np.rec.fromarrays((live + self.first, confidence, self.changed[live], kept), STEP)

    def propose(self, k_min, rej_max):
        """Change `k` features of the best record so far, of every chain that is live."""
        live = self.live
        weary = live[self.rejected[live] > rej_max]
        self.k[weary] = np.maximum(k_min, -(-self.k[weary] // 2))
        self.rejected[weary] = 0
        best, self.changed[live] = self.best[live], self.k[live]
        order = self.rng.random(best.shape, dtype=np.float32).argsort(axis=1)
        chosen = np.zeros(best.shape, bool)
        first_k = np.arange(best.shape[1]) < self.k[live, None]
        np.put_along_axis(chosen, order, first_k, axis=1)
        self.proposal[live] = self.features.redraw(best, chosen, self.rng)


def _collect(blocks, steps, classes):
    """The Synthesis of some blocks of chains."""
    X = np.concatenate([block.best[block.found] for block in blocks])
    codes = np.concatenate([block.sought[block.found] for block in blocks])
    chains = np.concatenate([block.first + np.flatnonzero(block.found) for block in blocks])
    n_chains = len(np.unique(steps["chain"]))
    return Synthesis(X, classes[codes], chains, n_chains, len(steps), steps)


def _codes_of(classes, known):
    """The columns of the black box's answers that stand for `classes`: all, for None."""
    if classes is None:
        return np.arange(len(known))
    known, classes = known.tolist(), np.atleast_1d(classes).tolist()
    if not classes or not set(classes) <= set(known):
        raise ValueError(f"classes must be some of the black box's, {known}, got {classes}")
    return np.array([known.index(each) for each in classes])


def _generator(random_state):
    if isinstance(random_state, np.random.Generator):
        return random_state
    return np.random.default_rng(draw_seeds(random_state, 1))
