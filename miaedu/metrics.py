"""evaluate -> Report: ROC, advantage, precision, recall, TPR at a low FPR of an attack, each with
an interval."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from html import escape
from numbers import Real
from textwrap import wrap

import numpy as np

from .attacks import Answers, check_learned, sizes_that_differ
from .baselines import BASELINES_FOOTNOTE, blind_scores, both_sides, looked_at, untouched_scores
from .bootstrap import Ranking, Weighed, draws, roc_curve, without_spread
from .checks import warn_if_hardly_right

STRICT = 0.01  # the false alarm rate of a second threshold, learned from the shadow models too
LOW_FPR = (0.01, 0.001)
FALSE_ALARMS = 10  # to be expected at the least where a TPR at a low FPR is given
STRICT_TPR = f"TPR at the shadows' {100 * STRICT:g} %"
FOOTNOTES = {
    "AUC": "Intervals cover the draw of records, not of targets or shadow models: another target "
    "of the same kind may fall outside them.",
    STRICT_TPR: f"{STRICT_TPR}: hits at the threshold that flags {100 * STRICT:g} % of the shadow "
    "models' non-members. An attacker can find it; for a TPR at an exact FPR one has to know who "
    "is a member.",
    "untouched run's AUC": BASELINES_FOOTNOTE,
}


def evaluate(attack, black_box, world, name=None, by_shadows=None):
    """Attack every member and non-member of `world` through `black_box`, and report how well it
    went.

    >>> import miaedu as mia
    >>> world = mia.split(mia.load_purchases(random_state=0), n_members=500, random_state=0)
    >>> api = mia.BlackBox(mia.MLP(random_state=0).fit(*world.members))
    >>> report = mia.evaluate(mia.GapAttack(), api, world)
    >>> report.advantage == report.train_accuracy - report.test_accuracy
    True

    `attack` is fitted, or is a dict of fitted attacks by name, such as ``{"naive": ..., "adaptive":
    ...}``: then all judge the same answers, and a dict of Reports comes back. `world` is from
    :func:`split` or your own; `name` heads the report; `by_shadows(shadows)`, if given, is what
    shadow models say of the records (K, n, c), and which saw them (K, n). Costs one query a record
    for all attacks that judge one answer, and for each other attack its own; nothing is asked where
    the budget is too small, or the target knows none of the labels. Returns a :class:`Report`.
    """
    attacks = attack if isinstance(attack, dict) else {name or type(attack).__name__: attack}
    for each in attacks.values():
        check_learned(each)
    X, y, members = both_sides(world)
    answers, reports = Answers(black_box, X, y, by_shadows), {}
    answers.check(attacks.values())
    for key, each in attacks.items():
        scores, judge = each.score_answers(answers), each.facing(answers)
        reports[key] = Report(
            key,
            scores,
            members,
            y,
            answers.right,
            judge.threshold_,
            strict_threshold=None if judge.threshold_ is None else judge.threshold_at(STRICT),
            mode=judge.mode,
            note=sizes_that_differ(each, members),
            groups=world.groups.both_sides,
            run_untouched=partial(untouched_scores, each, world),
            run_blind=partial(blind_scores, world),
        )
    warn_if_hardly_right(answers.labels[members], y[members])
    return reports if isinstance(attack, dict) else next(iter(reports.values()))


@dataclass(frozen=True, eq=False)
class Report:
    """How well one attack told members from non-members; made by :func:`evaluate`. Print it, or ask
    it.

    >>> import numpy as np
    >>> scores, members = np.array([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False])
    >>> report = Report("by hand", scores, members, y=np.zeros(4), right=members, threshold=0.5)
    >>> report.auc, report.advantage, round(report.precision, 3), report.recall
    (0.75, 0.5, 0.667, 1.0)

    Fields: `name`; `scores` (n,), higher for a likelier member; `members` (n,) bool, the truth; `y`
    (n,) true labels; `right` (n,) bool, where the target's own label was right; `threshold`,
    learned from the shadows: at or above it the attack flags a record (None: no threshold);
    `strict_threshold`, the one that flagged 1 % of the shadows' non-members; `mode`, how the attack
    judged, where it has several ways; `note`, a remark for the end; `groups` (n,), a number for
    records that were dealt together, or None. `run_untouched()` and `run_blind()` are called when
    the report is printed, or asked for ``untouched`` or ``blind``: an evaluation that finds
    something there, where there is nothing to find, is broken.

    All rates are shares from 0 to 1. Intervals are 95 % percentile bootstraps over members and
    non-members, or over their groups (Efron 1979): they cover the draw of records, not of targets.
    Measures: advantage, Yeom et al. 2018, definition 4; TPR at a low FPR, Carlini et al. 2022, III.
    """

    name: str
    scores: np.ndarray
    members: np.ndarray
    y: np.ndarray
    right: np.ndarray
    threshold: float | None
    strict_threshold: float | None = None
    mode: str = ""
    note: str = ""
    groups: np.ndarray | None = None
    run_untouched: Callable | None = None
    run_blind: Callable | None = None

    def __post_init__(self):
        if not np.isfinite(self.scores).all():
            raise ValueError(
                f"scores must be finite, got {self.scores[~np.isfinite(self.scores)][0]} from "
                f"{self.name}"
            )
        if self.members.all() or not self.members.any():
            raise ValueError("members must hold at least one member and one non-member")

    @property
    def auc(self):
        """Area under the ROC curve: how often a random member outscores a random non-member. Chance
        is 0.5."""
        return self._value("auc")

    @property
    def advantage(self):
        """TPR - FPR at the threshold learned from the shadows. Chance is 0."""
        return self._value("advantage")

    @property
    def precision(self):
        """Share of members among the flagged records (nan if there are none); depends on how common
        members are."""
        return self._value("precision")

    @property
    def recall(self):
        """Share of the members that are flagged: the TPR at the threshold learned from the
        shadows."""
        return self._value("recall")

    @property
    def fpr(self):
        """Share of the non-members flagged at the threshold learned from the shadows."""
        return self._value("fpr")

    @property
    def gap_advantage(self):
        """Advantage of the gap attack on the same records: train accuracy minus test accuracy."""
        return self._value("gap_advantage")

    @property
    def train_accuracy(self):
        """The target's accuracy on the members, after hiding."""
        return float(self.right[self.members].mean())

    @property
    def test_accuracy(self):
        """The target's accuracy on the non-members, after hiding."""
        return float(self.right[~self.members].mean())

    def rates_at(self, threshold):
        """False alarms and hits, as shares, at another threshold."""
        flagged = self.scores >= threshold
        return float(flagged[~self.members].mean()), float(flagged[self.members].mean())

    def rates_within(self, fpr):
        """False alarms and hits, as shares, at the lowest threshold that keeps to this FPR."""
        alarms, hits = self._curve
        last = np.flatnonzero(alarms <= fpr + 1e-9)[-1]
        return float(alarms[last]), float(hits[last])

    def tpr_at(self, fpr):
        """Largest TPR of a threshold whose FPR is at most `fpr`; nan where `fpr` is below 10 /
        (number of non-members).

        From fewer than ten false alarms to be expected, the threshold is too uncertain: the TPR is
        then too high, and its interval too narrow.
        """
        return self._value("tpr_at", fpr)

    def interval(self, name, *args):
        """95 % interval (low, high) of a measure, as in ``interval("tpr_at", 0.01)``; nan where the
        measure is."""
        if self._obstacle(name, *args):
            return float("nan"), float("nan")
        self._find_spans([(name, args)])
        return self._spans[name, args]

    def roc(self):
        """The ROC curve: arrays (fpr, tpr) from (0, 0) to (1, 1), one point for each distinct
        score."""
        return tuple(rates.copy() for rates in self._curve)

    def per_class(self):
        """A dict a class: ``label``, ``members``, ``nonmembers`` (counts), ``auc``, ``advantage``;
        nan if one-sided."""
        rows = []
        for label in np.unique(self.y):
            own = self.y == label
            n_in, n_out = int(self.members[own].sum()), int((~self.members[own]).sum())
            part = self.part(own) if n_in and n_out else None
            auc, advantage = (part.auc, part.advantage) if part else (np.nan, np.nan)
            row = {"label": label, "members": n_in, "nonmembers": n_out}
            rows.append(row | {"auc": auc, "advantage": advantage})
        return rows

    @cached_property
    def untouched(self):
        """The Report of the untouched run: a shadow model that the attack was fitted without
        answers in the target's place. Its AUC is 0.5 on average. None where it was not run."""
        scores = self.run_untouched() if self.run_untouched else None
        return None if scores is None else self._scored("untouched run of ", scores, self.members)

    @cached_property
    def blind(self):
        """The Report of the blind baseline, which sees records and labels, and asks no target. Its
        AUC is 0.5 on average where both sides were drawn alike. None where it was not run."""
        found = self.run_blind() if self.run_blind else None
        return None if found is None else self._scored("blind baseline beside ", *found)

    def part(self, which):
        """The Report of some records alone, by a mask (n,)."""
        names = "scores", "members", "y", "right", "groups"
        parts = {name: getattr(self, name) for name in names}
        parts = {name: part[which] for name, part in parts.items() if part is not None}
        return replace(self, **parts)

    def _scored(self, prefix, scores, members):
        nobody, name, groups = np.zeros(len(members), int), prefix + self.name, self.groups
        if groups is not None and len(members) < len(groups):
            groups = groups[looked_at(len(groups))]
        return Report(name, scores, members, nobody, nobody > 0, self.threshold, groups=groups)

    def __str__(self):
        table = self.table()
        width = max(len(label) for label, _, _ in table)
        rows = [f"{label:<{width}}  {value:>7}  {span}" for label, value, span in table]
        return "\n  ".join([f"{self.name}: {self._sizes()}", *rows, *self._footnotes(78)])

    __repr__ = __str__

    def _repr_html_(self):
        rows = "".join(
            f"<tr><th scope='row' style='text-align:left'>{escape(label)}</th><td>{value}</td>"
            f"<td>{escape(span)}</td></tr>"
            for label, value, span in self.table()
        )
        return (
            f"<table><caption><b>{escape(self.name)}</b>: "
            f"{self._sizes()}</caption><thead><tr><th>measure</th><th>value</th><th>95 % "
            f"interval</th></tr></thead><tbody>{rows}</tbody></table>"
            f"<small>{'<br>'.join(map(escape, self._footnotes()))}</small>"
        )

    def _sizes(self):
        sizes = f"{self.members.sum()} members, {(~self.members).sum()} non-members"
        return f"{sizes}, {self.mode}" if self.mode else sizes

    def _footnotes(self, width=None):
        notes = [FOOTNOTES[label] for label, _, _ in self.table() if label in FOOTNOTES]
        notes += [self.note] if self.note else []
        return [line for note in notes for line in (wrap(note, width) if width else [note])]

    def table(self):
        """The report as rows of text: (measure, value, interval)."""
        measures = [
            ("AUC", "auc"),
            ("advantage (TPR - FPR)", "advantage"),
            ("precision", "precision"),
            ("recall (TPR)", "recall"),
            ("false alarms (FPR)", "fpr"),
            *((f"TPR at {100 * fpr:g} % FPR", "tpr_at", fpr) for fpr in LOW_FPR),
        ]
        gap = "gap attack's advantage", "gap_advantage"
        asked = [(key, tuple(args)) for _, key, *args in (*measures, gap)]
        self._find_spans([(key, args) for key, args in asked if not self._obstacle(key, *args)])
        rows = [self._row(*measure) for measure in measures]
        if self.strict_threshold is not None:
            rows += [self._strict_row()]
        rows += [self._row(*gap)]
        for label, other in (
            ("untouched run's AUC", self.untouched),
            ("blind baseline's AUC", self.blind),
        ):
            rows += [other._row(label, "auc") if other else (label, "-", "not run")]
        accuracies = (
            f"{self.train_accuracy:.3f}",
            f"on members, {self.test_accuracy:.3f} on non-members",
        )
        return [*rows, ("target's accuracy", *accuracies)]

    def _row(self, label, key, *args):
        if obstacle := self._obstacle(key, *args):
            return label, "-", obstacle
        low, high = self.interval(key, *args)
        span = f"{low:.3f} to {high:.3f}"
        if key == "tpr_at":
            alarms = self.rates_within(*args)[0] * (~self.members).sum()
            span += f", {alarms:.0f} false alarms"
        return label, f"{self._value(key, *args):.3f}", span

    def _strict_row(self):
        fpr, tpr = self.rates_at(self.strict_threshold)
        alarms = fpr * (~self.members).sum()
        return STRICT_TPR, f"{tpr:.3f}", f"FPR {fpr:.3f}, {alarms:.0f} false alarms"

    def _obstacle(self, name, *args):
        """Why a measure cannot be given, or an empty string."""
        nonmembers = (~self.members).sum()
        if name == "tpr_at":
            (fpr,) = args or (None,)
            if not (isinstance(fpr, Real) and 0 <= fpr <= 1):
                raise ValueError(f"tpr_at needs an fpr from 0 to 1, got {fpr!r}")
            if fpr * nonmembers < FALSE_ALARMS - 1e-9:
                least = int(np.ceil(FALSE_ALARMS / fpr - 1e-9)) if fpr else 0
                needed = f"at least {least} needed" if fpr else "no number is enough"
                return f"too few non-members ({nonmembers}; {needed})"
        if self.threshold is None and name in ("advantage", "precision", "recall", "fpr"):
            return "no threshold: fit the attack with shadow models"
        none_flagged = name == "precision" and not (self.scores >= self.threshold).any()
        return "no record is flagged" if none_flagged else ""

    def _value(self, name, *args):
        if self._obstacle(name, *args):
            return float("nan")
        ones = [np.ones((1, side.sum()), np.int32) for side in (self.members, ~self.members)]
        return float(self._statistic(Weighed(self._ranking, *ones), name, *args)[0])

    @cached_property
    def _spans(self):
        return {}

    def _find_spans(self, measures):
        """The intervals of some measures, (name, args) each, from one walk through the draws."""
        found = {measure: [] for measure in measures if measure not in self._spans}
        if not found:
            return
        for weights in draws(self.members, self.groups):
            weighed = Weighed(self._ranking, *weights)
            for (name, args), values in found.items():
                values.append(self._statistic(weighed, name, *args))
        for measure, values in found.items():
            low, high = map(float, np.nanpercentile(np.concatenate(values), [2.5, 97.5]))
            alike = without_spread(low, *self._least(measure[0])) if high - low < 1e-12 else None
            self._spans[measure] = alike or (low, high)

    def _least(self, name):
        """How many records or groups stand behind a measure at the least; its least value."""
        units = np.arange(len(self.members)) if self.groups is None else self.groups
        flagged = [self.scores >= self.threshold] if name == "precision" else []
        sides = [self.members, ~self.members, *flagged]
        low = -1.0 if name.endswith("advantage") else 0.0
        return min(len(np.unique(units[side])) for side in sides), low

    @cached_property
    def _ranking(self):
        return Ranking(self.scores[self.members], self.scores[~self.members])

    @cached_property
    def _curve(self):
        return roc_curve(self.scores, self.members)

    @cached_property
    def _flagged(self):
        """How many members, and how many non-members, are flagged: those of the highest scores."""
        flagged = self.scores >= self.threshold
        return int(flagged[self.members].sum()), int(flagged[~self.members].sum())

    @cached_property
    def _right(self):
        """Where the target is right about members, and about non-members: 1, elsewhere 0."""
        return [self.right[side].astype(np.int32) for side in (self.members, ~self.members)]

    def _statistic(self, weighed, name, *args):
        """A measure (B,) under each row of weights."""
        if name == "auc":
            return weighed.auc()
        if name == "tpr_at":
            return weighed.tpr_at(*args)
        if name == "gap_advantage":
            sides = zip((weighed.members, weighed.nonmembers), self._right, strict=True)
            hits, alarms = (weights @ right for weights, right in sides)
        else:
            hits, alarms = weighed.first(*self._flagged)
        tpr, fpr = hits / weighed.members.shape[1], alarms / weighed.nonmembers.shape[1]
        if name == "precision":
            return np.divide(
                hits, hits + alarms, out=np.full(len(hits), np.nan), where=hits + alarms > 0
            )
        measures = {"recall": tpr, "fpr": fpr, "advantage": tpr - fpr, "gap_advantage": tpr - fpr}
        if name not in measures:
            raise ValueError(
                f"name must be one of auc, precision, tpr_at, {', '.join(measures)}, got {name!r}"
            )
        return measures[name]
