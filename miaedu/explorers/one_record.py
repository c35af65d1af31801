"""One record: what do many models say of it, with it and without it, and what does this one say?"""

import copy
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from IPython import get_ipython
from IPython.display import HTML, display

from ..attacks import ATTACKS, Answers, LiRA
from ..attacks.contract import log_odds, right
from ..blackbox import BlackBox
from ..cache import stage
from ..experiment import RECORDS, SHADOWS, WORLD, deal, load, network_of, seeds_of, train_shadows
from ..exposure import TARGETS, Exposure, ManyTargets, train_targets
from ..plots import ATTACK, MEMBER, NONMEMBER
from .attackers import CALIBRATED, LIRA_AUDITOR, OF_2017
from .controls import slider, tick
from .explorer import Explorer
from .figure import LiveFigure
from .machine import affordable
from .panels import below

PLACES = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 100, 200, 400, 600)
ATTACKERS = OF_2017, CALIBRATED, LIRA_AUDITOR
COUNTS = (16, 64, 256)  # of models, on machines too slow for more
FEW = (1, 2, 4, 8, 16)  # shadow models of the pool
LOW = 0.01  # the false alarm rate that each attack keeps on its shadow models
EDGES = np.linspace(-10, 12, 45)  # of the bins of phi; the outer ones hold what is beyond
ROWS = 2.2, 1.2, 0.2  # where the attackers stand in the left panel


def one_record(n_models=512):
    """The explorer of notebook 05: one record under the microscope.

    >>> import miaedu as mia
    >>> explorer = mia.one_record(n_models=64)
    >>> explorer.controls["inside"].value = True
    >>> "in the training set" in explorer.words
    True

    `n_models` networks of 32 units, fewer on a slow machine, learn once from random halves of the
    same 900 digits, about half of them with each record. Then each move trains this one target,
    with the record or without it, and three attacks judge it: two in the attacker's view, and LiRA
    with all the models as its shadow models. A record's place is its exposure on one half of the
    models. Returns an :class:`Explorer`.
    """
    settings = {"data": "digits", "n_members": 450, "hidden": 32, "attack": "gap"}
    # trained once: that may take five times as long as what an explorer begins with elsewhere
    n_models = affordable(
        [count for count in COUNTS if count < n_models] + [n_models], n_models, 0.2
    )
    many = ManyTargets(**settings, n_shadows=affordable(FEW, 16), n_targets=n_models)
    controls = {
        "place": slider("record, the most exposed first", PLACES, 1),
        "inside": tick("in the training set"),
    }

    def experiments(place, inside):
        return [OneRecord(many, place, inside)]

    with_progress(lambda progress: examine(OneRecord(many, 1, False), progress))
    return Explorer(controls, experiments, OneRecordFigure(), words, numbers, carry_out=examine)


class OneRecord(NamedTuple):
    """The models, and which of their records is examined: its place by exposure, and whether it is
    in the training set of this target."""

    many: ManyTargets
    place: int
    inside: bool


@dataclass(frozen=True, eq=False)
class Examined:
    """What came of a :class:`OneRecord`, the `case`.

    The record `x` of class `label`; `phi`, its log odds of that class in many models, and
    `members`, which of them learned from it, (N,); `told`, its phi in this target; `auc`, how
    surely phi tells the models of the second half apart, and `memorisation`; each attacker's score
    and the one from which on they flag a record, dicts by attacker.
    """

    case: OneRecord
    x: np.ndarray
    label: str
    members: np.ndarray
    phi: np.ndarray
    auc: float
    memorisation: float
    told: float
    scores: dict
    thresholds: dict

    @property
    def experiment(self):
        """The many models."""
        return self.case.many

    @cached_property
    def flagged(self):
        """Which attackers flag it."""
        return [who for who in ATTACKERS if self.scores[who] >= self.thresholds[who]]


def examine(case, progress=None):
    """Train the many models, unless they are kept; then the target with the record or without it,
    and ask it: a pure function of a :class:`OneRecord`."""
    e, tell = case.many, progress or (lambda share: None)
    share = e.n_targets / (e.n_targets + e.n_shadows)
    records = stage(e, load, RECORDS)
    world = stage(e, deal, WORLD, records)
    models = stage(e, train_targets, TARGETS, world, lambda done: tell(share * done))
    of_pool = lambda done: tell(share + (1 - share) * done)  # noqa: E731
    shadows = stage(e, train_shadows, SHADOWS, world, None, of_pool)
    order, exposure, second, lira = stage(e, compare_models, TARGETS, models)()
    attacks = stage(e, fit_attackers, SHADOWS, shadows)() | {LIRA_AUDITOR: lira}

    X, y, i = models().X, models().y, order[case.place - 1]
    members = np.arange(len(y)) < len(world().members[1])
    members[i] = case.inside
    seeds = seeds_of(e.random_state)
    target = network_of(e, seeds.target).fit(X[members], y[members], world().classes)
    answers = Answers(BlackBox(target), X[[i]], y[[i]])
    judges = {who: attack.facing(answers) for who, attack in attacks.items()}
    return Examined(
        case,
        X[i],
        records().class_names[y[i]],
        exposure.members[:, i],
        exposure.phi[:, i],
        float(second.auc[i]),
        float(exposure.memorisation[i]),
        float(log_odds(answers.confidences, answers.y, answers.classes)[0]),
        {who: float(attack.score_answers(answers)[0]) for who, attack in attacks.items()},
        {who: judge.threshold_at(LOW) for who, judge in judges.items()},
    )


def compare_models(seen, models):
    """The records, the most exposed on one half of the models first; their Exposure, and that on
    the other half; and LiRA, which has learned from the models. Their confidences are needed for
    this alone: phi, and who is right, are kept."""
    told = copy.copy(models())
    told.confidences = told.predict_proba(told.X)
    phi = log_odds(told.confidences, told.y, told.classes_)
    rights = np.array([right(answers, told.y, told.classes_) for answers in told.confidences])
    exposure = Exposure(told.saw(told.X), phi, phi, rights, threshold=0.0)
    lira = LiRA().fit(told)
    del told.confidences
    order = np.argsort(-exposure.half(0).auc, kind="stable")
    return order, exposure, exposure.half(1), lira


def fit_attackers(seen, shadows):
    """The attackers who have shadow models of their own pool."""
    return {who: ATTACKS[who.attack]().fit(shadows()) for who in (OF_2017, CALIBRATED)}


def with_progress(work):
    """What `work(progress)` returns; a notebook shows meanwhile how far it has come."""
    if not hasattr(get_ipython(), "kernel"):
        return work(None)
    bar = display(HTML(""), display_id=True)

    def progress(share):
        bar.update(HTML(f"training: <progress value='{share:.2f}'>{share:.0%}</progress>"))

    try:
        return work(progress)
    finally:
        bar.update(HTML(""))


def words(results, values):
    """How exposed the record is, and who flags it."""
    found = results[0]
    place, inside, people = found.case.place, found.case.inside, 2 * found.experiment.n_members
    flag = [who.words for who in found.flagged]
    spare = [who.words for who in ATTACKERS if who not in found.flagged]
    verdict = f"{_listed(flag)} flag{'s' * (len(flag) == 1)} it" if flag else "no attack flags it"
    if flag and spare:
        verdict += f", {_listed(spare)} do{'es' * (len(spare) == 1)} not"
    return (
        f"This {found.label} is number {place} of {people} by exposure: its phi tells "
        f"models with it from models without it by an AUC of {found.auc:.2f}. It is "
        f"{'' if inside else 'not '}in the training set of this target. At 1 false alarm in 100 "
        f"{verdict}."
    )


def _listed(names):
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def numbers(results):
    """Means of phi, this target's phi, memorisation, and each attack's score and threshold."""
    found = results[0]
    inside, outside = (found.phi[side].mean() for side in (found.members, ~found.members))
    judged = ", ".join(
        f"{who.words} {found.scores[who]:z.2f} (flags from {found.thresholds[who]:z.2f} on)"
        for who in ATTACKERS
    )
    return (
        f"Phi is {found.told:z.1f} in this target, {inside:z.1f} on average in the "
        f"{found.members.sum()} models with the record, and {outside:z.1f} in the "
        f"{(~found.members).sum()} without it. Models with it are right about it "
        f"{100 * found.memorisation:z.0f} times in 100 more often (memorisation). Scores: {judged}."
    )


class OneRecordFigure(LiveFigure):
    """Left: the record, and who flags it. Right: its phi in models with it, in models without it,
    and in this target."""

    def build(self, left, right):
        left.set_title("The record, and who flags it\nat 1 false alarm in 100")
        left.set(xlim=(-0.5, 10), ylim=(-0.6, 10), aspect="equal", xticks=[], yticks=[])
        left.spines[:].set_visible(False)
        # an image would be no group of an SVG
        across, down = np.linspace(1.6, 8.2, 9), np.linspace(9.9, 3.3, 9)
        how = {"cmap": "gray_r", "vmin": 0, "vmax": 1, "edgecolors": "face", "lw": 0.3}
        squares = left.pcolormesh(across, down, np.zeros((8, 8)), label="_record", **how)
        self.picture = self.move(squares)
        for row, who in zip(ROWS, ("attack of 2017", "calibrated", "LiRA, auditor's view")):
            left.text(1.2, row, who, va="center")
        left.plot([0.4] * 3, ROWS, "o", color=ATTACK, ms=10, mfc="none", label="does not flag it")
        self.flagged = self.curve(left, "o", ATTACK, ms=10, label="flags it")
        below(left, 0.0)

        right.set_title("Log odds of the true digit (phi)")
        right.set(xlim=(-10, 12), ylim=(0, 0.5), xlabel="phi", ylabel="share of the models")
        sides = ("models with it", MEMBER, "-"), ("models without it", NONMEMBER, "--")
        self.sides = [
            self.move(right.stairs(np.zeros(44), EDGES, color=color, ls=style, lw=2, label=label))
            for label, color, style in sides
        ]
        how = {"color": "black", "lw": 2, "ls": ":", "label": "this target"}
        self.here = self.move(right.axvline(0, **how))
        right.set_xticks(range(-10, 11, 5))
        right.grid(axis="x", color="#dddddd")
        below(right)

    def update(self, results, values):
        """Show what was Examined."""
        found = results[0]
        self.picture.set_array(found.x.reshape(8, 8))
        self.flagged.set_data(*_rows_of(found.flagged))
        for stairs, side in zip(self.sides, (found.members, ~found.members)):
            stairs.set_data(np.histogram(_within(found.phi[side]), EDGES)[0] / side.sum())
        self.here.set_xdata([_within(found.told)] * 2)


def _within(phi):
    return np.clip(phi, EDGES[0], EDGES[-1])


def _rows_of(flagged):
    rows = [row for row, who in zip(ROWS, ATTACKERS) if who in flagged]
    return [0.4] * len(rows), rows
