"""One frozen Experiment in, one Result out: the whole story, from data to a measured attack, as a
pure function."""

from dataclasses import dataclass, fields, replace
from math import inf
from numbers import Integral
from types import SimpleNamespace

import numpy as np

from .attacks import ATTACKS
from .baselines import both_sides
from .blackbox import BlackBox
from .cache import stage
from .checks import check_number, draw_seeds
from .data import LOADERS, load_purchases
from .dataset import split
from .hiding import by_name
from .metrics import Report, evaluate
from .network import MLP
from .privacy import epsilon_of, mu_of
from .shadow import ShadowModels
from .synthesis import SOURCES, Features, label_by_querying, synthesize

CHOICES = {
    "data": tuple(LOADERS),
    "view": ("attacker", "auditor"),
    "pool": ("real", "noisy", "marginals", "another shop", "synthesized", "uniform"),
    "labels": ("true", "queried"),
    "attack": tuple(ATTACKS),
}
LOWEST = dict(n_classes=2, n_items=1, n_members=2, n_shadows=1, n_queries=1, random_state=0)


@dataclass(frozen=True)
class Experiment:
    """The plain values that decide an experiment; give them to :func:`run`.

    >>> import miaedu as mia
    >>> mia.Experiment(n_shadows=4)
    Experiment(n_shadows=4)
    >>> mia.Experiment(n_shadows=4).code
    'mia.run(mia.Experiment(n_shadows=4))'

    data, attack : names of the registries ``LOADERS`` and ``ATTACKS``; an unknown one is refused
        with those that are allowed. n_classes and n_items are for "purchases" alone.
    n_members : records the target learns from; as many are non-members, and the attacker's pool is
        twice as large where there are so many.
    n_nonmembers : None, or how many non-members the attack is tried on: at least n_members, those
        and further shoppers of the same shop, who change neither target nor shadow models. For
        "purchases" in the attacker's view alone. A TPR at 1 % FPR needs 1,000.
    hidden, epochs, batch_size, learning_rate, l2, clip, noise_multiplier : settings of
        :class:`MLP`, of target and shadows alike. With a `clip`, membership is drawn by a fair coin
        a record among twice n_members: the world in which the proven ceiling holds.
    snapshots : epochs that are kept from one training run, so that moving `epochs` among them
        retrains nothing; no effect on a result.
    n_shadows : number of shadow models. view : whose they are: the "attacker" trains them on halves
        of their own pool, the "auditor" on random halves of the very records in question.
    pool : where the attacker's records come from: "real", those of the pool; "noisy", the same with
        a tenth of the values wrong; "marginals", made from the pool's statistics; "another shop",
        for purchases; "synthesized", by :func:`synthesize`; "uniform", drawn blindly. All but
        "real" and "noisy" are twice n_members, or what of these is found, and labelled by queries
        whatever `labels` says. The auditor has no pool.
    labels : of the attacker's pool, "true" or "queried" (asked of the target, through `hide`).
    hide : what the owner does to confidences: tuples of a function's name and its numbers,
        ``(("top_k", 3),)``.
    n_queries : how often the attacker who adapts asks about each record: they average the answers,
        the shadow models' too. Against noise this helps; the naive attacker asks once.
    random_state : int, decides the rest.

    Raises ValueError for a name or number that is not allowed.
    """

    data: str = "purchases"
    n_classes: int = 10
    n_items: int = 200
    n_members: int = 500
    n_nonmembers: int | None = None
    hidden: int = 64
    epochs: int = 20
    learning_rate: float = 0.01
    l2: float = 0.0
    batch_size: int | str | None = "auto"
    clip: float | None = None
    noise_multiplier: float = 0.0
    snapshots: tuple = ()
    hide: tuple = ()
    view: str = "attacker"
    n_shadows: int = 16
    pool: str = "real"
    labels: str = "true"
    attack: str = "shadow"
    n_queries: int = 1
    random_state: int = 0

    def __post_init__(self):
        for name, allowed in CHOICES.items():
            if (value := getattr(self, name)) not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
        for name, low in LOWEST.items():
            check_number(name, getattr(self, name), Integral, low)
        network_of(self).check_settings()
        if self.view == "auditor" and self.labels == "queried":
            raise ValueError(
                "labels must be 'true' in the auditor's view, got 'queried': "
                "whoever trains on the very records has their labels"
            )
        if self.view == "auditor" and self.pool != "real":
            raise ValueError(
                f"pool must be 'real' in the auditor's view, got {self.pool!r}: "
                "an auditor has no pool, but the very records in question"
            )
        if self.n_nonmembers is not None:
            check_number("n_nonmembers", self.n_nonmembers, Integral, self.n_members)
            if (self.data, self.view) != ("purchases", "attacker"):
                raise ValueError(
                    f"n_nonmembers must be None with data {self.data!r} in the {self.view}'s view, "
                    f"got {self.n_nonmembers}: only 'purchases' has further records, and no "
                    "auditor's shadow model has learned from them"
                )
        if self.pool == "another shop" and self.data != "purchases":
            raise ValueError(
                f"pool must not be 'another shop' with data {self.data!r}: "
                "only 'purchases' has another one"
            )
        if self.n_queries > 1 and not ATTACKS[self.attack].averages:
            raise ValueError(
                f"n_queries must be 1 with the attack {self.attack!r}, got {self.n_queries}: "
                "it reads labels, and there are no confidences to average"
            )
        by_name(self.hide)
        hide = tuple(tuple(step) if isinstance(step, list) else step for step in self.hide)
        object.__setattr__(self, "hide", hide)
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
        asked = self.labels == "queried" or self.pool not in ("real", "noisy")
        return self.epochs if asked else None

    @property
    def label_hide(self):
        """What the target's owner does to the answers that the pool's labels come from."""
        return self.hide if self.label_epoch else ()

    def __repr__(self):
        changed = (field for field in fields(self) if getattr(self, field.name) != field.default)
        given = (f"{field.name}={getattr(self, field.name)!r}" for field in changed)
        return f"{type(self).__name__}({', '.join(given)})"

    @property
    def code(self):
        """The line of code that runs this experiment, with what differs from the defaults."""
        return f"mia.run(mia.{self!r})"


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
    """Load, split, train the target, train the shadow models, fit the attack, evaluate: a pure
    function of `experiment`.

    >>> import miaedu as mia
    >>> result = mia.run(mia.Experiment(n_shadows=4))
    >>> bool(result.report.interval("auc")[0] > 0.5)
    True

    `progress(share)` is called at least every 50 ms while networks are trained, and may raise to
    stop; then nothing is kept of the stage under way. Earlier stages are kept within 64 MB, each by
    the settings that decide it. Returns a :class:`Result`.
    """
    e, tell = experiment, progress or (lambda share: None)
    share = 1 / (1 + e.n_shadows)  # the target's of the training
    seeds = seeds_of(e.random_state)

    # Nothing happens in these lines: a stage is made when it is called, or taken from those kept.
    records = stage(e, load, RECORDS)
    world = stage(e, deal, WORLD, records)
    asked_about = world if e.n_nonmembers is None else stage(e, invite, INVITED, world)
    target = stage(e, train_target, TARGET, world, lambda done: tell(share * done))
    rest = lambda done: tell(share + (1 - share) * done)  # noqa: E731
    asked = lambda done: tell(share)  # noqa: E731  # it may stop, too
    made = stage(e, make_pool, POOL, records, world, target, asked)
    trained = stage(e, train_shadows, SHADOWS, world, made, rest)
    shadows = stage(e, stop_shadows, STOPPED, trained)
    told = stage(e, ask_shadows, TOLD, shadows, asked_about)
    naive = stage(e, fit_naive, NAIVE, shadows)
    adaptive = stage(e, fit_adaptive, ADAPTIVE, shadows)

    api = BlackBox(target().at(e.epochs), hide=by_name(e.hide, seeds.owner))
    attacks = {"naive": naive()}
    if e.hide or e.n_queries > 1:
        attacks["adaptive"] = adaptive()
    reports = evaluate(attacks, api, asked_about(), by_shadows=lambda shadows: told())
    adapted = reports.get("adaptive", reports["naive"])
    spent = made().n_queries if e.label_epoch else 0
    return Result(e, reports["naive"], adapted, api.n_queries + spent)


# The stages in their order, each below the fields that decide it: it sees no others.

RECORDS = ("data", "n_classes", "n_items", "n_members", "random_state")


def load(seen):
    """The data set."""
    if seen.data != "purchases":
        return LOADERS[seen.data]()
    seed = seeds_of(seen.random_state).data
    return load_purchases(seen.n_classes, 4 * seen.n_members, seen.n_items, seed)


WORLD = (*RECORDS, "coin")


def deal(seen, records):
    """Members, non-members, and the attacker's pool: of at most twice as many as the members."""
    settings = {"coin": seen.coin, "random_state": seeds_of(seen.random_state).split}
    if records().repeats or seen.coin:
        # where doubles are natural, a slider is no place for a warning
        settings["duplicates"] = "allow"
    if seen.coin:
        # the promise is for one record: a household's, under one coin, is weaker
        settings["by_group"] = False
    world = split(records(), seen.n_members, **settings)
    # whole households, since shadow models are to learn from these if the target does
    return world.with_pool_of(2 * seen.n_members)


INVITED = (*WORLD, "n_nonmembers")


def invite(seen, world):
    """The same members, and as many non-members as are to be asked about: further shoppers come to
    those that were dealt."""
    X, y = world().nonmembers
    n, seeds = max(0, seen.n_nonmembers - len(y)), seeds_of(seen.random_state)
    more = load_purchases(
        seen.n_classes, max(n, seen.n_classes), seen.n_items, seeds.data, shoppers=seeds.further
    )
    both = np.concatenate([X, more.X[:n]]), np.concatenate([y, more.y[:n]])
    return replace(world(), nonmembers=both)


NETWORK = ("hidden", "batch_size", "learning_rate", "l2", "clip", "noise_multiplier", "horizon")
TARGET = (*WORLD, *NETWORK)


def train_target(seen, world, tell):
    """The target, as it was after each epoch that is kept."""
    network = network_of(seen, random_state=seeds_of(seen.random_state).target)
    return network.fit(*world().members, world().classes, tell)


POOL = (*TARGET, "pool", "labels", "label_epoch", "label_hide")


def make_pool(seen, records, world, target, tell):
    """The attacker's own records, their labels, and the queries that both have cost."""
    (X, y), n, features = world().pool, 2 * seen.n_members, Features.of(records().X)
    at_random, owner = map(int, draw_seeds(seeds_of(seen.random_state).pool, 2))
    if seen.label_epoch:
        api = BlackBox(target().at(seen.label_epoch), hide=by_name(seen.label_hide, owner))
    if seen.pool == "synthesized":
        made = synthesize(api, features, n, random_state=at_random, progress=tell)
        return SimpleNamespace(X=made.X, y=made.y, n_queries=made.n_queries)
    if seen.pool in SOURCES:
        X = SOURCES[seen.pool](X, features, n, at_random)
    elif seen.pool == "another shop":
        X = load_purchases(seen.n_classes, n, seen.n_items, at_random).X
    if seen.label_epoch:
        y = label_by_querying(api, X)
    return SimpleNamespace(X=X, y=y, n_queries=len(X) if seen.label_epoch else 0)


SHADOWS = (*POOL, "view", "n_shadows")


def train_shadows(seen, world, made, tell):
    """The shadow models, as they were after each epoch that is kept: of the attacker's own pool, or
    in the auditor's view of random halves of the very records in question."""
    (X, y), groups = world().pool, world().groups.pool
    if seen.view == "auditor":
        X, y = (np.concatenate(part) for part in zip(world().members, world().nonmembers))
        groups = world().groups.both_sides
    elif seen.label_epoch or seen.pool != "real":
        X, y = made().X, made().y
        if seen.pool not in ("real", "noisy"):
            groups = None  # records that were made are of no household
    seed = seeds_of(seen.random_state).shadows
    shadows = ShadowModels(network_of(seen), seen.n_shadows, random_state=seed)
    return shadows.fit(X, y, classes=world().classes, progress=tell, groups=groups)


STOPPED = (*SHADOWS, "epochs")


def stop_shadows(seen, trained):
    """The shadow models as they were when the target's training stopped."""
    return trained().at(seen.epochs)


TOLD = (*STOPPED, "n_nonmembers")


def ask_shadows(seen, shadows, asked_about):
    """What the shadow models say of the records in question, and which of them saw each."""
    X, _, _ = both_sides(asked_about())
    return shadows().predict_proba(X), shadows().saw(X)


NAIVE = (*STOPPED, "attack")


def fit_naive(seen, shadows):
    """The attack of an attacker who does not know of the hiding."""
    return fitted(ATTACKS[seen.attack](), shadows)


ADAPTIVE = (*NAIVE, "hide", "n_queries")


def fit_adaptive(seen, shadows):
    """The attack of one who does: their shadow models answer through the same hiding, and they ask
    as often as will help them."""
    kind = ATTACKS[seen.attack]
    attack = kind(n_queries=seen.n_queries) if kind.averages else kind()
    return fitted(attack, shadows, by_name(seen.hide, seeds_of(seen.random_state).attacker))


def fitted(attack, shadows, hide=()):
    """An attack that has learned, from shadow models if it needs any."""
    return attack.fit(shadows() if attack.needs_shadows else None, hide)


def network_of(settings, random_state=None):
    """The network of an experiment, or of a stage of it, for target and shadow models alike."""
    named = {name: getattr(settings, name) for name in NETWORK if name != "horizon"}
    named |= {"epochs": max(settings.horizon), "snapshots": settings.horizon}
    if settings.clip is not None:
        named["expected_members"] = settings.n_members
    return MLP(**named, random_state=random_state)


def seeds_of(random_state):
    """A seed for each thing that is left to chance."""
    names = "data", "split", "target", "shadows", "owner", "attacker", "pool", "further"
    return SimpleNamespace(**dict(zip(names, map(int, draw_seeds(random_state, len(names))))))
