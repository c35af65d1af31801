"""Threshold: each one is a point of the ROC curve."""

from ..experiment import Experiment
from ..plots import ATTACK
from ..words import flagged
from .controls import slider
from .explorer import Explorer
from .figure import LiveFigure
from .machine import affordable
from .panels import NOW, ConfidencePanel, RocPanel

THRESHOLDS = [(f"{i / 50:.2f}", i / 50) for i in range(51)]


def threshold():
    """The explorer of notebook 02: drag the threshold between member and non-member, and see the
    ROC curve it draws.

    >>> import miaedu as mia
    >>> explorer = mia.threshold()
    >>> explorer.controls["threshold"].value = 0.0
    >>> explorer.words.startswith("From a confidence of 0.00 on the attack flags 100 of 100")
    True

    Returns an :class:`Explorer`; its one target is trained once.
    """
    controls = {"threshold": slider("threshold", THRESHOLDS, 0.5)}
    n_shadows = affordable((1, 2, 4), 4)

    def experiments(threshold):
        return [Experiment(hidden=32, n_shadows=n_shadows, attack="threshold")]

    return Explorer(controls, experiments, ThresholdFigure(), words, numbers)


def words(results, values):
    """Hits and false alarms of this threshold."""
    fpr, tpr = rates_at(results[0].adaptive, values["threshold"])
    return (
        f"From a confidence of {values['threshold']:.2f} on the attack flags {100 * tpr:.0f} of "
        f"100 members and {100 * fpr:.0f} of 100 non-members."
    )


def numbers(results):
    """All thresholds, and the attack that needs none."""
    report = results[0].adaptive
    gap = flagged(report.train_accuracy, report.test_accuracy, "the gap attack")
    return f"Over all thresholds the AUC is {report.auc:.2f}. {gap}"


def rates_at(report, threshold):
    """False alarms and hits, as shares, of a :class:`Report`'s scores at another threshold."""
    is_flagged = report.scores >= threshold
    return float(is_flagged[~report.members].mean()), float(is_flagged[report.members].mean())


class ThresholdFigure(LiveFigure):
    """Left: confidences, and the threshold among them. Right: the ROC curve that the moving
    threshold draws."""

    def build(self, left, right):
        self.left = ConfidencePanel(self, left)
        every = "-", ATTACK, "every threshold"
        self.roc = RocPanel(self, right, "Each threshold is one point", every)
        self.here = self.curve(right, "D", **NOW | {"label": "this threshold"})
        right.legend(loc="lower right")

    def update(self, results, values):
        """Show the Result's ROC curve, with the point of the threshold that the slider gives."""
        report = results[0].adaptive
        self.left.show(report, values["threshold"])
        self.roc.show([report], report.roc())
        self.here.set_data(*([rate] for rate in rates_at(report, values["threshold"])))
