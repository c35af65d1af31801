"""Control room: all four knobs of the course on two attacks."""

import numpy as np

from ..experiment import Experiment
from ..plots import ATTACK, BASELINE, CEILING
from ..words import flagged
from .attackers import CALIBRATED, ENOUGH, numbers
from .controls import menu, roc_axes, slider
from .dp_noise import NOISE, advantages, both_attacks, ceiling, private, proven
from .explorer import Explorer
from .figure import LiveFigure
from .machine import affordable
from .panels import NOW, CeilingPanel, axes_in_words

EPOCHS = (5, 10, 20, 30, 40, 60)
SHADOWS = (1, 2, 4, 8, 16, 32)
HIDING = [
    ("nothing", ()),
    ("all but the top 3", (("top_k", 3),)),
    ("all but 1 decimal", (("rounded", 1),)),
    ("contrast: temperature 5", (("softened", 5.0),)),
    ("all but the label", ("labels_only",)),
]


def control_room():
    """The last explorer of notebook 04: all four knobs of the course on two attacks.

    >>> import miaedu as mia
    >>> explorer = mia.control_room()
    >>> sorted(explorer.controls)
    ['axes', 'epochs', 'hide', 'n_shadows', 'noise_multiplier']

    Full-batch training, so that one step is an epoch and the promise at any epoch is exact. The
    calibrated attack judges, and the attack of 2017 beside it. Returns an :class:`Explorer`.
    """
    controls = {
        "epochs": slider("epochs", EPOCHS, 60),
        "n_shadows": slider("shadow models", SHADOWS, affordable(SHADOWS, 8)),
        "hide": menu("hide", HIDING),
        "noise_multiplier": slider("noise multiplier", NOISE, "off"),
        "axes": roc_axes(),
    }

    def experiments(noise_multiplier, axes, **values):
        values |= {"batch_size": None, "snapshots": EPOCHS, "n_nonmembers": ENOUGH}
        plain = Experiment(hidden=32, **values)
        return both_attacks(private(plain, noise_multiplier))

    return Explorer(controls, experiments, ControlFigure(), words, numbers, more=["axes"])


def words(results, values):
    """Utility and leakage, and what is proven of it, if anything is."""
    report = results[0].adaptive
    limit = f" {proven(results[0])}" if np.isfinite(results[0].mu) else ""
    return (
        f"The target is right on {report.test_accuracy:.0%} of new records. "
        f"{flagged(report.recall, report.fpr, CALIBRATED.words)} {advantages(results)}"
        f"{limit}{axes_in_words(values)}"
    )


class ControlFigure(LiveFigure):
    """Left: the ROC curves, under their ceiling if any. Right: utility and leakage of every setting
    tried so far."""

    def build(self, roc, trade):
        self.tried = []
        styles = ("-", ATTACK, "calibrated"), (":", "black", "of 2017")
        ceiling = "--", CEILING, "proven ceiling"
        self.roc = CeilingPanel(self, roc, "Both attacks, adapted to the hiding", *styles, ceiling)
        trade.set_title("Utility and leakage")
        trade.set(xlim=(0, 1), xlabel="target's accuracy on new records")
        trade.set(ylim=(-0.1, 1), ylabel="advantage")
        trade.grid(color="#dddddd")
        self.points = self.curve(trade, "o", BASELINE, ms=4, label="tried before, calibrated")
        self.old = self.curve(trade, "^", "black", ms=7, label="now, of 2017")
        self.here = self.curve(trade, "D", **NOW | {"label": "now, calibrated"})
        trade.legend(loc="upper left")

    def update(self, results, values):
        """Show these Results, and leave a mark where the last ones were."""
        reports = [result.adaptive for result in results]
        self.roc.show(reports, ceiling(results[0]), values["axes"])
        here, *old = [(reports[0].test_accuracy, report.advantage) for report in reports]
        for markers, points in ((self.points, self.tried), (self.old, old), (self.here, [here])):
            markers.set_data(*zip(*points, strict=True) if points else ([], []))
        if old:
            self.tried = [*self.tried[-199:], here]
