"""Overfitting: the longer a model learns, the more it gives away."""

from dataclasses import replace

from ..experiment import Experiment
from ..plots import ATTACK, BASELINE, MEMBER, NONMEMBER
from ..words import flagged
from .controls import slider
from .explorer import Explorer
from .figure import LiveFigure
from .machine import affordable
from .panels import ConfidencePanel, PeoplePanel, below, draw_tried, log_axis

EPOCHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
SHADOWS = (1, 2, 4)


def overfitting(more=True):
    """The explorer of notebook 02, and with ``more=False`` of 00: the longer a model learns, the
    more it gives away.

    >>> import miaedu as mia
    >>> explorer = mia.overfitting(more=False)
    >>> explorer.controls["epochs"].value = 32
    >>> explorer.words.startswith("After 32 epochs")
    True

    One training run serves all epochs. With `more`, network size and number of records can be
    changed too, and confidences are shown in place of people. Returns an :class:`Explorer`.
    """
    controls, n_shadows = {"epochs": slider("epochs", EPOCHS, 4)}, affordable(SHADOWS, 4)
    if more:
        controls |= {
            "hidden": slider("hidden units", (8, 16, 32, 64, 128), 32),
            "n_members": slider("members", (100, 200, 300, 500, 1000), 500),
        }
    figure = OverfittingFigure(EPOCHS, ConfidencePanel if more else PeoplePanel)

    def experiments(hidden=32, **values):
        chosen = Experiment(
            hidden=hidden, snapshots=EPOCHS, n_shadows=n_shadows, attack="threshold", **values
        )
        # at another size, the same epochs as before: so that the curves stay comparable
        others = figure.epochs_to_catch_up(chosen)
        return [chosen, *(replace(chosen, epochs=epochs) for epochs in others)]

    return Explorer(controls, experiments, figure, words, numbers, more=list(controls)[1:])


def words(results, values):
    """Accuracies, hits and false alarms."""
    report, epochs = results[0].adaptive, values["epochs"]
    return (
        f"After {epochs} epoch{'s' * (epochs > 1)} the target is right on "
        f"{report.train_accuracy:.0%} of its members and on {report.test_accuracy:.0%} of the "
        f"non-members. {flagged(report.recall, report.fpr)}"
    )


def numbers(results):
    """The threshold and what the attack is worth at all of them."""
    report = results[0].adaptive
    return (
        f"The attack flags a record from a confidence of {report.threshold:.2f} on, a threshold "
        f"learned on shadow models: advantage {report.advantage:z.2f}, and "
        f"{report.gap_advantage:z.2f} for the gap attack. Over all thresholds its AUC is "
        f"{report.auc:.2f}."
    )


class OverfittingFigure(LiveFigure):
    """Left: a panel of the present setting. Right: accuracy, hits and false alarms for all epochs
    tried so far."""

    def __init__(self, epochs, panel):
        self.epochs, self.panel = epochs, panel
        super().__init__()

    def build(self, left, right):
        self.left = self.panel(self, left)
        right.set_title("What overfitting gives away")
        right.set(ylim=(-2, 102), ylabel="of 100")
        log_axis(right, self.epochs, "epochs of training")
        styles = (
            ("s-", MEMBER, "members it gets right"),
            ("s--", NONMEMBER, "non-members it gets right"),
            ("o-", ATTACK, "hits: members flagged"),
            ("v:", BASELINE, "false alarms"),
        )
        self.trends = [
            self.curve(right, style, colour, ms=4, label=label) for style, colour, label in styles
        ]
        self.here = self.move(right.axvline(1, color="#999999", lw=1, label="_now"))
        below(right)

    def epochs_to_catch_up(self, experiment):
        """Other epochs that were tried, but not yet at this experiment's size, in order."""
        before = set().union(*self.tried.values())
        return sorted(before - {experiment.epochs, *self.tried.get(_size(experiment), ())})

    def update(self, results, values):
        """Show the first Result on the left, and remember the rates of all."""
        report, e = results[0].adaptive, results[0].experiment
        self.left.show(report, report.threshold)
        tried = self.tried.setdefault(_size(e), {})
        for result in results:
            r = result.adaptive
            rates = r.train_accuracy, r.test_accuracy, r.recall, r.fpr
            tried[result.experiment.epochs] = [100 * rate for rate in rates]
        draw_tried(self.trends, tried)
        self.here.set_xdata([e.epochs, e.epochs])


def _size(experiment):
    return experiment.hidden, experiment.n_members
