"""One frozen Experiment in, one Result out: the whole story, from data to a measured attack, as a pure function."""
import threading
from collections import OrderedDict
from dataclasses import dataclass, fields, replace
from numbers import Integral
from types import SimpleNamespace

import numpy as np

from . import attacks, data
from .countermeasures import BlackBox
from .metrics import Report, evaluate
from .dataset import split
from .network import MLP, check_number, draw_seeds
from .shadow import ShadowModels
from .synthesis import label_by_querying

CACHE_BYTES = 64 * 2**20
CHOICES = {
    "data": ("purchases", "clinic", "census", "digits", "tumours"),
    "labels": ("true", "queried"),
    "attack": ("shadow", "threshold", "gap"),
}


@dataclass(frozen=True)
class Experiment:
    """The plain values that decide an experiment; give them to :func:`run`.

    >>> import miaedu as mia
    >>> mia.Experiment(n_shadows=4)
    mia.run(mia.Experiment(n_shadows=4))

    data : "purchases", "clinic", "census", "digits" or "tumours"; n_classes and n_items are for "purchases" alone.
    n_members : records the target learns from; as many are non-members, and the attacker's pool is twice as large where there are so many.
    hidden, epochs, learning_rate, l2 : settings of :class:`MLP`, of target and shadows alike.
    snapshots : epochs that are kept from one training run, so that moving `epochs` among them retrains nothing; no effect on a result.
    n_shadows : number of shadow models. labels : of the attacker's pool, "true" or "queried" (asked of the target).
    attack : "shadow", "threshold" or "gap". random_state : int, decides the rest.

    Raises ValueError for a name or number that is not allowed.
    """

    data: str = "purchases"
    n_classes: int = 10
    n_items: int = 200
    n_members: int = 500
    hidden: int = 64
    epochs: int = 20
    learning_rate: float = 0.01
    l2: float = 0.0
    snapshots: tuple = ()
    n_shadows: int = 16
    labels: str = "true"
    attack: str = "shadow"
    random_state: int = 0

    def __post_init__(self):
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {getattr(self, name)!r}")
        for name in ("n_classes", "n_items", "n_members", "n_shadows"):
            check_number(name, getattr(self, name), Integral, 2 if name in ("n_classes", "n_members") else 1)
        _net(self).check_settings()

    @property
    def horizon(self):
        """The epochs whose weights are kept: the same for all experiments that one training run can serve."""
        return tuple(sorted({*self.snapshots, self.epochs}))

    @property
    def label_epoch(self):
        """The epoch of the target that the pool's labels come from; None where they are the true ones."""
        return self.epochs if self.labels == "queried" else None

    def __repr__(self):
        """The line of code that runs this experiment, with what differs from the defaults."""
        said = (f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if getattr(self, f.name) != f.default)
        return f"mia.run(mia.Experiment({', '.join(said)}))"


@dataclass(frozen=True)
class Result:
    """What came of an experiment.

    `report`, the :class:`Report` of the attack; `n_queries`, records the target was asked about, by the attacker or in his name;
    `experiment`, what was run.
    """

    experiment: Experiment
    report: Report
    n_queries: int


def run(experiment, progress=None):
    """Run an experiment: load, split, train the target, train shadows, attack, evaluate. A pure function of `experiment`.

    >>> import miaedu as mia
    >>> result = mia.run(mia.Experiment(n_shadows=4))
    >>> result.report.auc > result.report.null().auc
    True

    `progress(share)` is called at least every 50 ms while networks are trained, and may raise to stop; then nothing is kept of the
    stage under way. Earlier stages are kept within 64 MB, each by the settings that decide it. Returns a :class:`Result`.
    """
    progress = progress or (lambda share: None)
    world, target = _world(experiment, progress), _target(experiment, progress)
    api = BlackBox(target)
    attack = getattr(attacks, f"{experiment.attack.capitalize()}Attack")()
    if experiment.attack != "gap":
        attack.fit(_shadows(experiment, progress))
    report = evaluate(attack, api, world, name=f"{experiment.attack} attack")
    asked = len(world.pool[1]) if experiment.labels == "queried" else 0
    return Result(experiment, report, api.n_queries + asked)


def stage(*names):
    """Decorate a function of some fields of an Experiment: it sees these fields alone, and its last results are kept by them."""

    def decorate(function):
        def staged(experiment, progress):
            seen = {name: getattr(experiment, name) for name in names}
            key = (function.__name__, *seen.values())
            return _cache.get(key, lambda: function(SimpleNamespace(**seen), progress))

        return staged

    return decorate


class _Cache:
    """The most recently used values, as long as the arrays in them stay within `limit` bytes."""

    def __init__(self, limit):
        self.limit, self.bytes = limit, 0
        self.kept, self.lock = OrderedDict(), threading.Lock()

    def get(self, key, make):
        with self.lock:
            if key in self.kept:
                self.kept.move_to_end(key)
                return self.kept[key][0]
        value = make()
        size = _nbytes(value)
        with self.lock:
            if key not in self.kept and size <= self.limit:
                self.kept[key] = value, size
                self.bytes += size
            while self.bytes > self.limit:
                self.bytes -= self.kept.popitem(last=False)[1][1]
        return value


def _nbytes(value):
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, (list, tuple)):
        return sum(map(_nbytes, value))
    if isinstance(value, dict):
        return sum(map(_nbytes, value.values()))
    return sum(map(_nbytes, vars(value).values())) if hasattr(value, "__dict__") else 0


_cache = _Cache(CACHE_BYTES)

WORLD = ("data", "n_classes", "n_items", "n_members", "random_state")
NET = ("hidden", "learning_rate", "l2")


def _net(e, **settings):
    return MLP(**{name: getattr(e, name) for name in NET}, epochs=max(e.horizon), snapshots=e.horizon, **settings)


def _seeds(random_state):
    names = "data", "split", "target", "shadows"
    return SimpleNamespace(**dict(zip(names, map(int, draw_seeds(random_state, len(names))))))


@stage(*WORLD)
def _world(e, progress):
    seeds = _seeds(e.random_state)
    if e.data == "purchases":
        records = data.load_purchases(e.n_classes, 4 * e.n_members, e.n_items, seeds.data)
    else:
        records = getattr(data, f"load_{e.data}")()
    world = split(records, e.n_members, random_state=seeds.split)
    return replace(world, pool=tuple(part[: 2 * e.n_members] for part in world.pool))


@stage(*WORLD, *NET, "horizon")
def _trained_target(e, progress):
    world = _world(e, progress)
    return _net(e, random_state=_seeds(e.random_state).target).fit(*world.members, world.classes, progress)


def _target(e, progress):
    return _trained_target(e, progress).at(e.epochs)


@stage(*WORLD, *NET, "horizon", "n_shadows", "labels", "label_epoch")
def _trained_shadows(e, progress):
    world = _world(e, progress)
    X, y = world.pool
    if e.labels == "queried":
        y = label_by_querying(BlackBox(_trained_target(e, progress).at(e.label_epoch)), X)
    models = ShadowModels(_net(e), e.n_shadows, random_state=_seeds(e.random_state).shadows)
    return models.fit(X, y, classes=world.classes, progress=progress)


@stage(*WORLD, *NET, "horizon", "n_shadows", "labels", "label_epoch", "epochs")
def _shadows(e, progress):
    return _trained_shadows(e, progress).at(e.epochs)
