"""One frozen Experiment in, one Result out: the whole story, from data to a measured attack, as a
pure function."""

from dataclasses import asdict, dataclass, fields, replace
from math import inf
from numbers import Integral
from types import SimpleNamespace

import joblib
from tqdm.auto import tqdm

from . import data
from .attacks import GapAttack, LabelOnlyAttack, ShadowAttack, ThresholdAttack
from .cache import stage
from .countermeasures import BlackBox, labels_only, noisy, rounded, softened, top_k
from .dataset import split
from .metrics import Report, evaluate
from .network import MLP, check_number, draw_seeds
from .privacy import epsilon_of, mu_of
from .shadow import ShadowModels
from .synthesis import label_by_querying

CHOICES = {
    "data": ("purchases", "clinic", "census", "digits", "tumours"),
    "labels": ("true", "queried"),
    "attack": ("shadow", "threshold", "label_only", "gap"),
}
ATTACKS = {
    "shadow": ShadowAttack,
    "threshold": ThresholdAttack,
    "label_only": LabelOnlyAttack,
    "gap": GapAttack,
}
HIDING = {
    function.__name__: function for function in (top_k, rounded, softened, noisy, labels_only)
}


@dataclass(frozen=True)
class Experiment:
    """The plain values that decide an experiment; give them to :func:`run`.

    >>> import miaedu as mia
    >>> mia.Experiment(n_shadows=4)
    mia.run(mia.Experiment(n_shadows=4))

    data : "purchases", "clinic", "census", "digits" or "tumours"; n_classes and n_items are for
        "purchases" alone.
    n_members : records the target learns from; as many are non-members, and the attacker's pool is
        twice as large where there are so many.
    hidden, epochs, batch_size, learning_rate, l2, clip, noise_multiplier : settings of
        :class:`MLP`, of target and shadows alike. With a `clip`, membership is drawn by a fair coin
        a record among twice n_members: the world in which the proven ceiling holds.
    snapshots : epochs that are kept from one training run, so that moving `epochs` among them
        retrains nothing; no effect on a result.
    n_shadows : number of shadow models. labels : of the attacker's pool, "true" or "queried" (asked
        of the target).
    hide : what the owner does to confidences: tuples of a function's name and its numbers,
        ``(("top_k", 3),)``.
    attack : "shadow", "threshold", "label_only" or "gap". random_state : int, decides the rest.

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
    batch_size: int | str | None = "auto"
    clip: float | None = None
    noise_multiplier: float = 0.0
    snapshots: tuple = ()
    hide: tuple = ()
    n_shadows: int = 16
    labels: str = "true"
    attack: str = "shadow"
    random_state: int = 0

    def __post_init__(self):
        for name, allowed in CHOICES.items():
            if (value := getattr(self, name)) not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
        for name, low in (
            ("n_classes", 2),
            ("n_items", 1),
            ("n_members", 2),
            ("n_shadows", 1),
            ("random_state", 0),
        ):
            check_number(name, getattr(self, name), Integral, low)
        _net(self).check_settings()
        _hiding(self.hide)
        object.__setattr__(
            self,
            "hide",
            tuple(tuple(step) if isinstance(step, list) else step for step in self.hide),
        )
        object.__setattr__(self, "snapshots", tuple(self.snapshots))

    @property
    def horizon(self):
        """The epochs whose weights are kept: the same for all experiments that one training run can
        serve."""
        return tuple(sorted({*self.snapshots, self.epochs}))

    @property
    def coin(self):
        """Whether each record's membership is drawn by a coin."""
        return self.clip is not None

    @property
    def label_epoch(self):
        """The epoch of the target that the pool's labels come from; None where they are the true
        ones."""
        return self.epochs if self.labels == "queried" else None

    def __repr__(self):
        """The line of code that runs this experiment, with what differs from the defaults."""
        said = (
            f"{f.name}={getattr(self, f.name)!r}"
            for f in fields(self)
            if getattr(self, f.name) != f.default
        )
        return f"mia.run(mia.Experiment({', '.join(said)}))"


@dataclass(frozen=True)
class Result:
    """What came of an experiment; made by :func:`run`.

    >>> import miaedu as mia
    >>> mia.run(mia.Experiment(n_shadows=2)).n_queries
    1000

    `naive` and `adaptive`, the Reports of the attack that ignores `hide` and of the one whose
    shadows answer through it too; `n_queries`, records the target was asked about; `experiment`,
    what was run.
    """

    experiment: Experiment
    naive: Report
    adaptive: Report
    n_queries: int

    @property
    def report(self):
        """The Report of the attacker who adapts: the one to judge a countermeasure by."""
        return self.adaptive

    @property
    def mu(self):
        """The mu that the training promises, for one record drawn in or out by a coin: infinite
        without noise."""
        e = self.experiment
        return mu_of(noise_multiplier=e.noise_multiplier, steps=e.epochs) if e.clip else inf

    def epsilon(self, delta=1e-5):
        """The epsilon that the training promises at `delta`: infinite without noise."""
        return epsilon_of(self.mu, delta)


def run(experiment, progress=None):
    """Load, split, train the target, train shadows, attack, evaluate: a pure function of
    `experiment`.

    >>> import miaedu as mia
    >>> result = mia.run(mia.Experiment(n_shadows=4))
    >>> result.report.auc > result.report.null().auc
    True

    `progress(share)` is called at least every 50 ms while networks are trained, and may raise to
    stop; then nothing is kept of the stage under way. Earlier stages are kept within 64 MB, each by
    the settings that decide it. Returns a :class:`Result`.
    """
    e, progress = experiment, progress or (lambda share: None)
    share = 1 / (1 + e.n_shadows)  # the target's of the training
    world, target = _world(e, progress), _target(e, lambda done: progress(share * done))
    api = BlackBox(target, hide=_hiding(e.hide, _seeds(e.random_state).owner))

    def then(done):
        progress(share + (1 - share) * done)

    attacks = {"naive": _naive_attack(e, then)}
    if e.hide:
        attacks["adaptive"] = _adaptive_attack(e, then)
    reports = evaluate(attacks, api, world)
    asked = len(world.pool[1]) if e.labels == "queried" else 0
    return Result(
        e, reports["naive"], reports.get("adaptive", reports["naive"]), api.n_queries + asked
    )


def sweep(experiments, progress=True):
    """Run many experiments, through joblib; returns a flat record (a dict) of each one's settings
    and measures.

    >>> import miaedu as mia
    >>> records = mia.sweep([mia.Experiment(n_shadows=k) for k in (1, 2)], progress=False)
    >>> [record["n_shadows"] for record in records], records[0]["auc"] > 0.5
    ([1, 2], True)

    Each uses all cores, so they run one after another unless ``joblib.parallel_config`` says
    otherwise. `progress` shows a bar. Measures: ``auc``, ``advantage``, ``naive_auc``,
    ``naive_advantage``, ``gap_advantage``, ``train_accuracy``, ``test_accuracy``, ``mu``,
    ``epsilon`` (at delta 1e-5).
    """
    experiments = list(experiments)
    work = joblib.Parallel(return_as="generator")(joblib.delayed(_record)(e) for e in experiments)
    return list(tqdm(work, total=len(experiments), disable=not progress, desc="experiments"))


def _record(experiment):
    result = run(experiment)
    measures = "auc", "advantage", "gap_advantage", "train_accuracy", "test_accuracy"
    record = asdict(experiment) | {name: getattr(result.adaptive, name) for name in measures}
    record |= {f"naive_{name}": getattr(result.naive, name) for name in measures[:2]}
    return record | {"mu": result.mu, "epsilon": result.epsilon()}


def _hiding(hide, random_state=None):
    """The hiding functions that `hide` names, made anew, so that noise starts at the start of its
    stream."""
    functions = []
    for i, step in enumerate(hide):
        name, *numbers = step if isinstance(step, (tuple, list)) and step else (step,)
        if name not in HIDING:
            raise ValueError(f"hide must name functions among {', '.join(HIDING)}, got {name!r}")
        if len(numbers) != (name != "labels_only"):
            wanted = "no number" if name == "labels_only" else "one number"
            raise ValueError(f"hide must give {name} {wanted}, got {step!r}")
        seed = {} if name != "noisy" or random_state is None else {"random_state": random_state + i}
        functions.append(HIDING[name](*numbers, **seed) if numbers else labels_only)
    return functions


WORLD = ("data", "n_classes", "n_items", "n_members", "coin", "random_state")
NET = ("hidden", "batch_size", "learning_rate", "l2", "clip", "noise_multiplier", "horizon")
SHADOWS = ("n_shadows", "labels", "label_epoch")


def _net(e, **settings):
    settings |= {name: getattr(e, name) for name in NET[:-1]}
    return MLP(
        **settings,
        epochs=max(e.horizon),
        snapshots=e.horizon,
        expected_members=e.n_members if e.clip else None,
    )


def _seeds(random_state):
    names = "data", "split", "target", "shadows", "owner", "attacker"
    return SimpleNamespace(**dict(zip(names, map(int, draw_seeds(random_state, len(names))))))


@stage(*WORLD)
def _world(e, progress):
    seeds = _seeds(e.random_state)
    if e.data == "purchases":
        records = data.load_purchases(e.n_classes, 4 * e.n_members, e.n_items, seeds.data)
    else:
        records = getattr(data, f"load_{e.data}")()
    settings = {"coin": e.coin, "random_state": seeds.split}
    if records.repeats or e.coin:
        # where doubles are natural, a slider is no place for a warning
        settings["duplicates"] = "allow"
    if e.coin:
        # the promise is for one record: a household's, under one coin, is weaker
        settings["by_group"] = False
    world = split(records, e.n_members, **settings)
    return replace(world, pool=tuple(part[: 2 * e.n_members].copy() for part in world.pool))


@stage(*WORLD, *NET)
def _trained_target(e, progress):
    world = _world(e, progress)
    return _net(e, random_state=_seeds(e.random_state).target).fit(
        *world.members, world.classes, progress
    )


def _target(e, progress):
    return _trained_target(e, progress).at(e.epochs)


@stage(*WORLD, *NET, *SHADOWS)
def _trained_shadows(e, progress):
    world = _world(e, progress)
    X, y = world.pool
    if e.labels == "queried":
        y = label_by_querying(BlackBox(_trained_target(e, progress).at(e.label_epoch)), X)
    models = ShadowModels(_net(e), e.n_shadows, random_state=_seeds(e.random_state).shadows)
    return models.fit(X, y, classes=world.classes, progress=progress)


@stage(*WORLD, *NET, *SHADOWS, "epochs")
def _shadows(e, progress):
    return _trained_shadows(e, progress).at(e.epochs)


@stage(*WORLD, *NET, *SHADOWS, "epochs", "attack")
def _naive_attack(e, progress):
    return ATTACKS[e.attack]().fit(_shadows(e, progress))


@stage(*WORLD, *NET, *SHADOWS, "epochs", "attack", "hide")
def _adaptive_attack(e, progress):
    return ATTACKS[e.attack]().fit(
        _shadows(e, progress), hide=_hiding(e.hide, _seeds(e.random_state).attacker)
    )
