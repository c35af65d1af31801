"""Shadow count: what does the number of shadow models buy?"""

from dataclasses import replace

import numpy as np

from ..experiment import Experiment
from ..plots import ATTACK, LINES
from .controls import menu, slider
from .explorer import Explorer
from .figure import LiveFigure
from .machine import affordable
from .panels import NOW, RocPanel, log_axis

COUNTS = (1, 2, 3, 4, 6, 8, 12, 16)
LABELS = [("true", "true"), ("asked of the target", "queried")]


def shadow_count(repetitions=3):
    """The explorer of notebook 03: what does the number of shadow models buy?

    >>> import miaedu as mia
    >>> sorted(mia.shadow_count(repetitions=1).controls)
    ['labels', 'n_shadows']

    Each position trains that many shadow models, `repetitions` times on other data, and attacks as
    many targets. Returns an :class:`Explorer`.
    """
    controls = {
        "n_shadows": slider("shadow models", COUNTS, affordable(COUNTS, 4, repetitions)),
        "labels": menu("labels of the pool", LABELS),
    }

    def experiments(n_shadows, labels):
        first = Experiment(hidden=32, n_shadows=n_shadows, labels=labels)
        return [replace(first, random_state=seed) for seed in range(repetitions)]

    return Explorer(controls, experiments, ShadowCountFigure((1, 2, 4, 8, 16), repetitions), words)


def words(results, values):
    """AUC and advantage, beside the attack that needs no shadow model."""
    count, reports = results[0].experiment.n_shadows, [result.report for result in results]
    aucs = [report.auc for report in reports]
    spread = f", from {min(aucs):.2f} to {max(aucs):.2f} in {len(aucs)} repetitions"
    advantage, gap = (
        np.mean([getattr(report, name) for report in reports])
        for name in ("advantage", "gap_advantage")
    )
    return (
        f"With {count} shadow model{'s' * (count > 1)} the attack reaches AUC "
        f"{np.mean(aucs):.2f}{spread * (len(aucs) > 1)}. Its advantage is {advantage:z.2f}; the "
        f"gap attack's, which needs no shadow model, is {gap:z.2f}."
    )


class ShadowCountFigure(LiveFigure):
    """Left: the ROC curve of each repetition. Right: AUC for every number of shadow models tried so
    far."""

    def __init__(self, counts, repetitions):
        self.counts, self.repetitions, self.tried = counts, repetitions, {}
        super().__init__()

    def build(self, roc, trend):
        styles = [(LINES[i % 5], ATTACK, f"_repetition {i}") for i in range(self.repetitions)]
        self.roc = RocPanel(self, roc, "ROC curves, one a repetition", *styles)
        trend.set_title("What the number of shadow models buys")
        trend.set(ylim=(0.6, 0.9), ylabel="AUC of the attack")
        log_axis(trend, self.counts, "shadow models")
        self.dots = self.curve(trend, "o", ATTACK, ms=4, alpha=0.6, label="one repetition")
        self.mean = self.curve(trend, "-", ATTACK, lw=2, label="their mean")
        self.here = self.curve(trend, "D", **NOW)
        trend.legend(loc="lower right")

    def update(self, results, values):
        """Show these Results, repetitions of one experiment, and remember their AUCs."""
        reports, e = [result.report for result in results], results[0].experiment
        self.roc.show(reports, *(report.roc() for report in reports))
        tried = self.tried.setdefault(e.labels, {})
        tried[e.n_shadows] = [report.auc for report in reports]
        means = {count: np.mean(tried[count]) for count in sorted(tried)}
        self.dots.set_data(
            np.repeat(list(tried), list(map(len, tried.values()))), sum(tried.values(), [])
        )
        self.mean.set_data(list(means), list(means.values()))
        self.here.set_data([e.n_shadows], [means[e.n_shadows]])
