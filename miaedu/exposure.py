"""Exposure: over many targets, each trained on a random half of the same records, how surely is
each record told, and how often is it flagged falsely?"""

import copy
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral

import numpy as np
from scipy.stats import rankdata

from .attacks import Answers, check_learned
from .attacks.contract import log_odds, strict_threshold
from .blackbox import BlackBox
from .cache import stage
from .checks import check_number, draw_seeds
from .experiment import (
    ADAPTIVE,
    RECORDS,
    SHADOWS,
    TARGET,
    WORLD,
    Experiment,
    deal,
    fit_adaptive,
    load,
    network_of,
    seeds_of,
    train_shadows,
)
from .hiding import by_name
from .shadow import ShadowModels

MEASURES = "auc", "memorisation", "flagged_in", "flagged_out"
SIMULATIONS = 30  # of chance: their mean share of a tenth is then known to about 0.2 %


@dataclass(frozen=True, eq=False)
class Exposure:
    """What an attack says of each of n records, over N targets; made by :func:`measure_exposure` or
    :func:`expose`.

    >>> import numpy as np
    >>> members = np.array([[True], [True], [False], [False]])
    >>> phi = np.array([[5.0], [3.0], [4.0], [1.0]])
    >>> told = Exposure(members, scores=phi, phi=phi, right=phi > 2, threshold=3.5)
    >>> told.auc.item(), told.memorisation.item(), told.flagged_in.item(), told.flagged_out.item()
    (0.75, 0.5, 0.5, 0.5)

    `members`, which target learned from which record; `scores`, the attack's; `phi`, the log odds
    of the true class; `right`, where the target is right: all (N, n). A record is flagged from
    `threshold` on. `experiment`, what was run, or None.

    Per record, (n,), nan where no target is of the kind: ``flagged_in`` and ``flagged_out``, the
    share of the targets with it and without it in which it is flagged; ``auc``, how surely its
    `phi` tells the two kinds of targets apart; ``memorisation``, how much oftener targets that
    learned from it are right about it (Feldman & Zhang 2020, section 2).
    """

    members: np.ndarray
    scores: np.ndarray
    phi: np.ndarray
    right: np.ndarray
    threshold: float
    experiment: Experiment | None = None

    @cached_property
    def flagged(self):
        """Which record is flagged in which target, (N, n)."""
        return self.scores >= self.threshold

    @cached_property
    def flagged_in(self):
        return _share(self.flagged, self.members)

    @cached_property
    def flagged_out(self):
        return _share(self.flagged, ~self.members)

    @cached_property
    def memorisation(self):
        return _share(self.right, self.members) - _share(self.right, ~self.members)

    @cached_property
    def auc(self):
        n_in = self.members.sum(axis=0)
        n_out = len(self.members) - n_in
        ranks = np.where(self.members, rankdata(self.phi, axis=0), 0).sum(axis=0)
        above = ranks - n_in * (n_in + 1) / 2  # pairs in which the target with the record is higher
        pairs = n_in * n_out
        return np.divide(above, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)

    @property
    def fpr(self):
        """The false alarm rate, pooled over all targets and records."""
        return float(self.flagged[~self.members].mean())

    @property
    def tpr(self):
        """The share of members that is flagged, pooled over all targets and records."""
        return float(self.flagged[self.members].mean())

    def half(self, which):
        """The Exposure over every other target: those at even places with 0, at odd ones with 1."""
        parts = (part[which::2] for part in (self.members, self.scores, self.phi, self.right))
        return Exposure(*parts, self.threshold, self.experiment)

    def most_exposed(self, n=10, by="auc"):
        """The `n` records with the highest of a measure, as rows: chosen on one half of the
        targets, judged on the other.

        A row is a dict of ``record``, its place; ``chosen_by``, the measure on the first half; and
        the four measures on the second. `by` is one of them. What is chosen as the highest of many
        is partly luck: the second half shows how much of it lasts.
        """
        check_number("n", n, Integral, 1, self.members.shape[1])
        if by not in MEASURES:
            raise ValueError(f"by must be one of {', '.join(MEASURES)}, got {by!r}")
        first, second = self.half(0), self.half(1)
        chosen_by = getattr(first, by)
        return [
            {"record": int(i), "chosen_by": float(chosen_by[i])}
            | {name: float(getattr(second, name)[i]) for name in MEASURES}
            for i in _highest_first(chosen_by)[:n]
        ]

    @cached_property
    def accused(self):
        """The records (n,) by how often they are flagged falsely in the first half of the targets,
        most often first."""
        return _highest_first(self.half(0).flagged_out)

    @cached_property
    def share_of_alarms(self):
        """What share of all false alarms the first 0, 1, ... n of the `accused` bear, (n + 1,):
        counted on the second half of the targets, which had no say in their order."""
        second = self.half(1)
        return _cumulated((second.flagged & ~second.members).sum(axis=0)[self.accused])

    @cached_property
    def share_by_chance(self):
        """The same curve if whoever is not a member were flagged equally often: the mean of
        simulations, in which each alarm is a draw of its own."""
        rng = np.random.default_rng(0)
        n_first, n_second = ((~self.half(which).members).sum(axis=0) for which in (0, 1))
        curves = []
        for _ in range(SIMULATIONS):
            rates = rng.binomial(n_first, self.fpr) / np.maximum(n_first, 1)
            curves.append(_cumulated(rng.binomial(n_second, self.fpr)[_highest_first(rates)]))
        return np.mean(curves, axis=0)


def _share(marked, rows):
    """The share of the marked among `rows`, a column at a time; nan where there are none."""
    count = rows.sum(axis=0)
    marked = (marked & rows).sum(axis=0)
    return np.divide(marked, count, out=np.full(len(count), np.nan), where=count > 0)


def _highest_first(values):
    return np.argsort(-np.where(np.isnan(values), -np.inf, values), kind="stable")


def _cumulated(counts):
    """What share of all the first 0, 1, ... n of `counts` are; of nothing, an equal share each."""
    counts = counts if counts.any() else np.ones_like(counts)
    return np.append(0, np.cumsum(counts)) / counts.sum()


def measure_exposure(attack, targets, fpr=0.01, hide=(), progress=None):
    """Let one attack judge many targets, and tell for each record how exposed it is.

    >>> import miaedu as mia
    >>> world = mia.split(mia.load_purchases(random_state=0), n_members=500, random_state=0)
    >>> shadows = mia.ShadowModels(mia.MLP(), n_models=4, random_state=1).fit(*world.pool)
    >>> targets = mia.ShadowModels(mia.MLP(), n_models=8, random_state=2).fit(*world.members)
    >>> exposure = mia.measure_exposure(mia.CalibratedAttack().fit(shadows), targets)
    >>> exposure.auc.shape, exposure.fpr <= 0.01
    ((500,), True)

    `attack`, fitted; `targets`, fitted :class:`ShadowModels` whose pool are the records in
    question; `fpr`, the false alarm rate at which every attack is compared, pooled over all targets
    and records: the threshold is one that just keeps it, which takes knowledge of who is a member;
    `hide`, what the targets' owner does to confidences. `progress(share)` may raise to stop. A
    record is in a target that learned from any copy of it. Returns an :class:`Exposure`.
    """
    check_learned(attack)
    check_number("fpr", fpr, high=1, above=True, below=True, why="it is a share of non-members")
    scores, phi, right = _judge(attack, targets, hide, progress or (lambda share: None))
    return _at(fpr, targets.saw(targets.X), scores, phi, right)


def _judge(attack, targets, hide, tell):
    """The attack's scores, phi, and where targets are right, (N, n) each."""
    judged, told = [], {}
    for k, target in enumerate(targets.networks):
        answers = _Answers(BlackBox(target, hide), targets.X, targets.y, told)
        phi = log_odds(answers.confidences, answers.y, answers.classes)
        judged.append((attack.score_answers(answers), phi, answers.right))
        tell((k + 1) / len(targets.networks))
    return tuple(map(np.array, zip(*judged)))


class _Answers(Answers):
    """Answers of one of many targets about the same records: what shadow models say of these is
    `told` once for all."""

    def __init__(self, black_box, X, y, told):
        super().__init__(black_box, X, y)
        self._by_shadows = told


def _at(fpr, members, scores, phi, right, experiment=None):
    threshold = strict_threshold(np.sort(scores[~members]), fpr)
    return Exposure(members, scores, phi, right, threshold, experiment)


@dataclass(frozen=True, repr=False)
class ManyTargets(Experiment):
    """An :class:`Experiment` on many targets, each trained on a random half of the same records;
    give it to :func:`expose`.

    >>> import miaedu as mia
    >>> mia.ManyTargets(n_targets=64, attack="calibrated").code
    "mia.expose(mia.ManyTargets(attack='calibrated', n_targets=64))"

    The records are those that the Experiment of the same settings asks about: members and
    non-members alike, ``2 * n_members`` of them. `n_targets`, at least 4; `labels` are the true
    ones, and the `pool` is real.
    """

    n_targets: int = 256

    def __post_init__(self):
        super().__post_init__()
        why = "records are chosen on one half of them, and judged on the other"
        check_number("n_targets", self.n_targets, Integral, 4, why=why)
        for name, only in (("labels", "true"), ("pool", "real")):
            if (value := getattr(self, name)) != only:
                raise ValueError(
                    f"{name} must be {only!r} where there are many targets, got {value!r}: "
                    "no one target could be asked for them"
                )

    @property
    def horizon(self):
        """The epochs whose weights are kept: the last alone."""
        return (self.epochs,)

    @property
    def code(self):
        """The line of code that runs this experiment, with what differs from the defaults."""
        return f"mia.expose(mia.{self!r})"


def expose(experiment, progress=None):
    """Train many targets and the shadow models, fit the attack, and tell how exposed each record
    is, at 1 % false alarms: a pure function of a :class:`ManyTargets`.

    >>> import miaedu as mia
    >>> many = mia.ManyTargets(hidden=16, n_targets=16, n_shadows=4, attack="calibrated")
    >>> exposure = mia.expose(many)
    >>> exposure.auc.shape, exposure.tpr > exposure.fpr
    ((1000,), True)

    `progress(share)` is called at least every 50 ms while networks are trained and judged, and may
    raise to stop. Stages are kept, as by :func:`run`. Returns an :class:`Exposure`.
    """
    e, tell = experiment, progress or (lambda share: None)
    share = e.n_targets / (e.n_targets + e.n_shadows) / 2  # of the work: training is half of it

    records = stage(e, load, RECORDS)
    world = stage(e, deal, WORLD, records)
    targets = stage(e, train_targets, TARGETS, world, lambda done: tell(share * done))
    of_shadows = lambda done: tell(share + (0.5 - share) * done)  # noqa: E731
    shadows = stage(e, train_shadows, SHADOWS, world, None, of_shadows)
    attack = stage(e, fit_adaptive, ADAPTIVE, shadows)
    judged = stage(e, judge_targets, JUDGED, targets, attack, lambda done: tell((1 + done) / 2))
    return _at(0.01, *judged(), e)


TARGETS = (*TARGET, "n_targets")


def train_targets(seen, world, tell):
    """The targets, without the confidences that an attack will ask for again."""
    X, y = (np.concatenate(part) for part in zip(world().members, world().nonmembers))
    seed = int(draw_seeds(seeds_of(seen.random_state).target, 2)[1])  # not the one target's own
    targets = ShadowModels(network_of(seen), seen.n_targets, random_state=seed)
    targets.fit(X, y, world().classes, tell, groups=world().groups.both_sides)
    targets = copy.copy(targets)
    del targets.confidences
    return targets


JUDGED = (*ADAPTIVE, "n_targets")


def judge_targets(seen, targets, attack, tell):
    """Who learned from whom, the scores, phi, and where targets are right: (N, n) each."""
    hide = by_name(seen.hide, seeds_of(seen.random_state).owner)
    members = targets().saw(targets().X)
    return members, *_judge(attack(), targets(), hide, tell)
