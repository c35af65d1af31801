"""Shadow count: what does the number of shadow models buy?"""

from dataclasses import replace

import numpy as np

from ..experiment import Experiment
from ..plots import ATTACK, LINES
from .attackers import CALIBRATED, ENOUGH, LIRA_AUDITOR, LOW, MENU, OF_2017
from .controls import menu, roc_axes, slider
from .explorer import Explorer
from .figure import LiveFigure
from .machine import affordable
from .panels import NOW, RocPanel, axes_in_words, below, log_axis

COUNTS = (1, 2, 3, 4, 6, 8, 12, 16, 32, 64)
LABELS = [("true", "true"), ("asked of the target", "queried")]
MEASURES = [("AUC", "auc"), ("TPR at 1% FPR", "tpr")]
ENDS = {"auc": (0.5, 1), "tpr": (0, 0.5)}  # of the axis: from chance on, and as far as it goes
ATTACKERS = OF_2017, CALIBRATED, LIRA_AUDITOR


def shadow_count(repetitions=3):
    """The explorer of notebook 03: what does the number of shadow models buy?

    >>> import miaedu as mia
    >>> sorted(mia.shadow_count(repetitions=1).controls)
    ['attack', 'axes', 'labels', 'measure', 'n_shadows']

    Each position trains that many shadow models, `repetitions` times on other data, and attacks as
    many targets. An auditor has the records' true labels, whatever the menu says. Returns an
    :class:`Explorer`.
    """
    controls = {
        "n_shadows": slider("shadow models", COUNTS, affordable(COUNTS, 4, repetitions)),
        "attack": menu("attack", [entry for entry in MENU if entry[1] in ATTACKERS]),
        "measure": menu("measure", MEASURES),
        "labels": menu("labels of the pool", LABELS),
        "axes": roc_axes(),
    }

    def experiments(n_shadows, attack, measure, labels, axes):
        labels = "true" if attack.view == "auditor" else labels
        first = Experiment(hidden=32, n_shadows=n_shadows, labels=labels, **attack._asdict())
        return [replace(first, random_state=seed) for seed in range(repetitions)]

    figure = ShadowCountFigure((1, 2, 4, 8, 16, 32, 64), repetitions)
    return Explorer(controls, experiments, figure, words, more=["labels", "axes"])


def tpr_at_low_fpr(reports):
    """The share of members that is flagged at 1 % false alarms, over the records of these Reports
    together; nan where they are too few, or judged in two ways."""
    scores, members = (
        np.concatenate([getattr(report, name) for report in reports])
        for name in ("scores", "members")
    )
    if (~members).sum() < ENOUGH or len({report.mode for report in reports}) > 1:
        return np.nan
    alarms = int(LOW * (~members).sum())
    highest_spared = np.sort(scores[~members])[-1 - alarms]
    return float((scores > highest_spared)[members].mean())


def words(results, values):
    """AUC and TPR at a low FPR, the chosen one first, and advantage, beside the attack that needs
    no shadow model."""
    count, reports = results[0].experiment.n_shadows, [result.report for result in results]
    aucs, tpr = [report.auc for report in reports], tpr_at_low_fpr(reports)
    modes = " and ".join(sorted({report.mode for report in reports} - {""}))
    spread = f", from {min(aucs):.2f} to {max(aucs):.2f} in {len(aucs)} repetitions"
    found = [
        f"reaches AUC {np.mean(aucs):.2f}{spread * (len(aucs) > 1)}",
        f"needs {ENOUGH:,} non-members, all judged in one way, to show its TPR at 1% FPR"
        if np.isnan(tpr)
        else f"flags {tpr:.0%} of the members at 1% false alarms, all repetitions together",
    ]
    if values["measure"] == "tpr":
        found.reverse()
    advantage, gap = (
        np.mean([getattr(report, name) for report in reports])
        for name in ("advantage", "gap_advantage")
    )
    return (
        f"With {count} shadow model{'s' * (count > 1)} {values['attack'].words}"
        f"{f' ({modes})' * bool(modes)} {', and '.join(found)}. Its advantage is {advantage:z.2f}; "
        f"the gap attack's, which needs no shadow model, is {gap:z.2f}."
        f"{axes_in_words(values)}"
    )


class ShadowCountFigure(LiveFigure):
    """Left: the ROC curve of each repetition. Right: the chosen measure for every attack and number
    of shadow models tried so far."""

    def __init__(self, counts, repetitions):
        self.counts, self.repetitions = counts, repetitions
        self.measure = None
        super().__init__()

    def build(self, roc, trend):
        styles = [(LINES[i % 5], ATTACK, f"_repetition {i}") for i in range(self.repetitions)]
        self.roc = RocPanel(self, roc, "ROC curves, one a repetition", *styles)
        trend.set_title("What the number of shadow models buys")
        trend.set(ylim=ENDS["auc"], ylabel="AUC")
        self.trend, self.axis = trend, self.move(trend.yaxis)
        log_axis(trend, self.counts, "shadow models")
        self.dots = self.curve(trend, "o", ATTACK, ms=4, alpha=0.6, label="one repetition")
        styles = ("^:", "black"), ("s-", ATTACK), ("v--", ATTACK)
        labels = "attack of 2017", "calibrated", "LiRA, auditor's view"
        self.lines = {
            attacker: self.curve(trend, style, color, ms=5, label=label)
            for attacker, (style, color), label in zip(ATTACKERS, styles, labels, strict=True)
        }
        self.here = self.curve(trend, "D", **NOW)
        below(trend)

    def update(self, results, values):
        """Show these Results, repetitions of one experiment, and remember what they measure."""
        reports, count = [result.report for result in results], values["n_shadows"]
        self.roc.show(reports, *(r.roc() for r in reports), axes=values["axes"])
        aucs = [report.auc for report in reports]
        labels = results[0].experiment.labels
        measured = {"auc": np.mean(aucs), "tpr": tpr_at_low_fpr(reports)}
        self.tried.setdefault((values["attack"], labels), {})[count] = measured, aucs

        name = values["measure"]
        for attacker, line in self.lines.items():
            tried = self.tried.get((attacker, labels), {})
            heights = {n: tried[n][0][name] for n in sorted(tried)}
            line.set_data(list(heights), list(heights.values()))
        tried = self.tried[values["attack"], labels]
        pairs = [(n, auc) for n in tried for auc in tried[n][1]] if name == "auc" else []
        self.dots.set_data(*zip(*pairs, strict=True) if pairs else ([], []))
        self.here.set_data([count], [measured[name]])
        if name != self.measure:
            self.measure = name
            self.trend.set(ylim=ENDS[name], ylabel=dict(map(reversed, MEASURES))[name])
            self.redraw(self.axis)
