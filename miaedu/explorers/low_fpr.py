"""Low FPR: whom does an attack flag that allows itself hardly any false alarm?"""

from ..experiment import Experiment
from ..plots import ATTACK, BASELINE
from .attackers import ENOUGH, LOW, MENU
from .controls import menu, slider
from .explorer import Explorer
from .figure import LiveFigure
from .machine import affordable
from .panels import NOW, RocPanel, below, log_axis

COUNTS = (2, 4, 8, 16, 32, 64, 128, 256)


def low_fpr():
    """The first explorer of notebook 05: whom does an attack flag that allows itself hardly any
    false alarm?

    >>> import miaedu as mia
    >>> explorer = mia.low_fpr()
    >>> explorer.controls["n_shadows"].value = 2
    >>> explorer.words.startswith("With 2 shadow models")
    True

    One target with 1,000 members and as many non-members; attack, view and the number of shadow
    models are the reader's. Returns an :class:`Explorer`.
    """
    controls = {
        "n_shadows": slider("shadow models", COUNTS, affordable(COUNTS, 16, 2)),
        "attack": menu("attack", MENU),
    }

    def experiments(n_shadows, attack):
        settings = {"hidden": 32, "n_members": ENOUGH}
        return [Experiment(n_shadows=n_shadows, **settings, **attack._asdict())]

    return Explorer(controls, experiments, LowFprFigure(), words)


def words(results, values):
    """The TPR at 1 % FPR with its interval, the AUC, and the gap attack."""
    report, count = results[0].report, values["n_shadows"]
    low, high = report.interval("tpr_at", LOW)
    mode = f" ({report.mode})" if report.mode else ""
    nonmembers = int((~report.members).sum())
    return (
        f"With {count} shadow models {values['attack'].words}{mode} flags "
        f"{report.tpr_at(LOW):.1%} of the members at 1% false alarms (95% interval {low:.1%} to "
        f"{high:.1%}); its AUC is {report.auc:.2f}. {nonmembers:,} non-members show no FPR below "
        f"1 in {nonmembers:,}. The gap attack flags {report.train_accuracy:.0%}, at "
        f"{report.test_accuracy:.0%} false alarms."
    )


class LowFprFigure(LiveFigure):
    """Left: the ROC curve on logarithmic axes, with the interval at 1 % FPR. Right: the TPR at 1 %
    FPR for every attack and number of shadow models tried so far."""

    def build(self, roc, trend):
        title = "ROC curve, both axes logarithmic"
        self.roc = RocPanel(self, roc, title, ("-", ATTACK, "this attack"))
        self.span = self.curve(roc, "_-", "black", ms=10, lw=2, label="95% interval")
        roc.legend(loc="lower right")
        trend.set_title("TPR at 1% FPR")
        trend.set(ylim=(0, 0.6), ylabel="share of the members flagged")
        log_axis(trend, COUNTS, "shadow models")
        styles = ("^:", "black"), ("s-", ATTACK), ("o-.", BASELINE), ("v--", ATTACK)
        labels = "attack of 2017", "calibrated", "LiRA, attacker's view", "LiRA, auditor's view"
        self.lines = {
            attacker: self.curve(trend, style, color, ms=5, label=label)
            for (_, attacker), (style, color), label in zip(MENU, styles, labels, strict=True)
        }
        self.here = self.curve(trend, "D", **NOW)
        self.ends = self.curve(trend, "_-", "black", ms=10, lw=2, label="95% interval")
        below(trend)

    def update(self, results, values):
        """Show this Result, and remember what it measures."""
        report, count = results[0].report, values["n_shadows"]
        found, ends = report.tpr_at(LOW), report.interval("tpr_at", LOW)
        self.roc.show([report], report.roc(), axes="log")
        self.span.set_data([LOW, LOW], ends)
        self.tried.setdefault(values["attack"], {})[count] = found
        for attacker, line in self.lines.items():
            tried = self.tried.get(attacker, {})
            line.set_data(sorted(tried), [tried[n] for n in sorted(tried)])
        self.here.set_data([count], [found])
        self.ends.set_data([count, count], ends)
