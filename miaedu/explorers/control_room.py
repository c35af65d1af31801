"""Control room: all four knobs of the course on one attack."""

from ..experiment import Experiment
from ..plots import ATTACK, BASELINE, CEILING
from ..words import flagged
from .controls import menu, slider
from .dp_noise import NOISE, ceiling, private
from .explorer import Explorer
from .figure import LiveFigure
from .machine import affordable
from .panels import NOW, CeilingPanel

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
    """The last explorer of notebook 04: all four knobs of the course on one attack.

    >>> import miaedu as mia
    >>> explorer = mia.control_room()
    >>> sorted(explorer.controls)
    ['epochs', 'hide', 'n_shadows', 'noise_multiplier']

    Full-batch training, so that one step is an epoch and the promise at any epoch is exact. Returns
    an :class:`Explorer`.
    """
    controls = {
        "epochs": slider("epochs", EPOCHS, 60),
        "n_shadows": slider("shadow models", SHADOWS, affordable(SHADOWS, 8)),
        "hide": menu("hide", HIDING),
        "noise_multiplier": slider("noise multiplier", NOISE, "off"),
    }

    def experiments(noise_multiplier, **values):
        plain = Experiment(hidden=32, batch_size=None, snapshots=EPOCHS, **values)
        return [private(plain, noise_multiplier)]

    return Explorer(controls, experiments, ControlFigure(), words)


def words(results, values):
    """Utility and leakage."""
    report = results[0].adaptive
    return (
        f"The target is right on {report.test_accuracy:.0%} of new records. "
        f"{flagged(report.recall, report.fpr)} The advantage is {report.advantage:z.2f}, the gap "
        f"attack's {report.gap_advantage:z.2f}."
    )


class ControlFigure(LiveFigure):
    """Left: the ROC curve, under its ceiling if any. Right: utility and leakage of every setting
    tried so far."""

    def build(self, roc, trade):
        self.trail = []
        styles = ("-", ATTACK, "adaptive attacker"), ("--", CEILING, "proven ceiling")
        self.roc = CeilingPanel(self, roc, "The attack", *styles)
        trade.set_title("Utility and leakage")
        trade.set(xlim=(0, 1), xlabel="target's accuracy on new records")
        trade.set(ylim=(-0.1, 1), ylabel="advantage of the better attack")
        trade.grid(color="#dddddd")
        self.points = self.curve(trade, "o", BASELINE, ms=4, label="tried before")
        self.here = self.curve(trade, "D", **NOW)
        trade.legend(loc="upper left")

    def update(self, results, values):
        """Show this Result, and leave a mark where the last one was."""
        result, report = results[0], results[0].adaptive
        self.roc.show(report, ceiling(result))
        here = report.test_accuracy, max(report.advantage, report.gap_advantage)
        self.points.set_data(*zip(*self.trail, strict=True) if self.trail else ([], []))
        self.here.set_data(*([value] for value in here))
        self.trail = [*self.trail[-199:], here]
