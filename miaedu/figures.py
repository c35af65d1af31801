"""The explorers' live figures, one class each: what stands still, and what follows the Results."""
import matplotlib as mpl
import numpy as np

from .live import LiveFigure
from .plots import ATTACK, BASELINE, CEILING, LINES, MEMBER, NONMEMBER, STYLE, roc_background
from .privacy import max_advantage, roc_ceiling


def below(ax):
    """Put the legend under the axes, where no curve can run through it."""
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)


class ShadowCountFigure(LiveFigure):
    """Left: the ROC curve of each repetition. Right: AUC against the number of shadow models, for every number tried so far."""

    def __init__(self, counts, repetitions):
        super().__init__()
        self.tried = {}
        roc, trend = self.axes
        with mpl.rc_context(STYLE):
            roc.set_title("ROC curves, one a repetition")
            roc_background(roc)
            self.curves = [self.move(*roc.plot([], [], color=ATTACK, linestyle=LINES[i % 5], lw=1.6)) for i in range(repetitions)]
            self.gap = self.move(*roc.plot([], [], "o", color=BASELINE, label="gap attack"))
            roc.legend(loc="lower right")
            trend.set_title("What the number of shadow models buys")
            trend.set(xscale="log", xlim=(min(counts) / 1.3, max(counts) * 1.3), ylim=(0.5, 1), xlabel="shadow models", ylabel="AUC of the attack")
            trend.set_xticks(counts, [str(count) for count in counts], minor=False)
            trend.minorticks_off()
            trend.grid(axis="y", color="#dddddd")
            self.dots = self.move(*trend.plot([], [], "o", ms=4, color=ATTACK, alpha=0.6, label="one repetition"))
            self.mean = self.move(*trend.plot([], [], "-", lw=2, color=ATTACK, label="their mean"))
            self.here = self.move(*trend.plot([], [], "D", ms=9, mfc="none", mew=2, color=MEMBER, label="now"))
            trend.legend(loc="lower right")

    def update(self, results, values):
        """Show these Results, repetitions of one experiment, and remember their AUCs."""
        for line, result in zip(self.curves, [*results, *[None] * len(self.curves)]):
            line.set_data(*(result.report.roc() if result else ([], [])))
        self.gap.set_data([r.report.test_accuracy for r in results], [r.report.train_accuracy for r in results])
        e = results[0].experiment
        tried = self.tried.setdefault(e.labels, {})
        tried[e.n_shadows] = [r.report.auc for r in results]
        points = [(count, auc) for count in sorted(tried) for auc in tried[count]]
        means = [(count, np.mean(tried[count])) for count in sorted(tried)]
        self.dots.set_data(*zip(*points))
        self.mean.set_data(*zip(*means))
        self.here.set_data([e.n_shadows], [np.mean(tried[e.n_shadows])])


class HidingFigure(LiveFigure):
    """Left: the ROC curves of the naive and the adaptive attacker. Right: what hiding costs and buys, beside no hiding at all."""

    ROWS = ("target's accuracy\non new records", "advantage of the\ngap attack", "advantage of the\nnaive attacker", "advantage of the\nadaptive attacker")

    def __init__(self):
        super().__init__()
        roc, cost = self.axes
        with mpl.rc_context(STYLE):
            roc.set_title("ROC curves of both attackers")
            roc_background(roc)
            self.adaptive = self.move(*roc.plot([], [], color=ATTACK, lw=3, label="adaptive"))
            self.naive = self.move(*roc.plot([], [], color=NONMEMBER, linestyle="--", lw=2, label="naive"))
            self.gap = self.move(*roc.plot([], [], "o", color=BASELINE, label="gap attack"))
            roc.legend(loc="lower right")
            cost.set_title("What hiding costs and buys")
            cost.set(xlim=(-0.12, 1), ylim=(-0.6, 3.6), xlabel="share, from 0 to 1")
            cost.set_yticks(range(4), self.ROWS)
            cost.grid(axis="x", color="#dddddd")
            self.plain = self.move(*cost.plot([], [], "o", ms=10, mfc="none", mew=1.5, color=BASELINE, label="without hiding"))
            self.now = self.move(*cost.plot([], [], "D", ms=8, color=MEMBER, label="now"))
            below(cost)

    def update(self, results, values):
        """Show the Result with hiding, the first, beside the one without, the second (it may come later)."""
        now = results[0]
        self.naive.set_data(*now.naive.roc())
        self.adaptive.set_data(*now.adaptive.roc())
        self.gap.set_data([now.adaptive.test_accuracy], [now.adaptive.train_accuracy])
        for markers, r in zip((self.now, self.plain), results):
            markers.set_data([r.adaptive.test_accuracy, r.adaptive.gap_advantage, r.naive.advantage, r.adaptive.advantage], range(4))


class NoiseFigure(LiveFigure):
    """Left: the measured ROC under the proven ceiling. Right: accuracy, advantage and its ceiling for every noise tried so far."""

    def __init__(self, positions):
        super().__init__()
        self.positions, self.tried, grid = positions, {}, np.linspace(0, 1, 400)
        self.grid = grid
        roc, trend = self.axes
        with mpl.rc_context(STYLE):
            roc.set_title("The attack under the proven ceiling")
            roc_background(roc)
            self.ceiling = self.move(*roc.plot([], [], color=CEILING, linestyle="--", lw=2.5, label="proven ceiling, on average"))
            self.curve = self.move(*roc.plot([], [], color=ATTACK, lw=2, label="measured, this target"))
            roc.legend(loc="lower right")
            trend.set_title("What the noise costs and buys")
            trend.set(xlim=(-0.5, len(positions) - 0.5), ylim=(-0.1, 1.05), xlabel="noise multiplier", ylabel="share, from 0 to 1")
            trend.set_xticks(range(len(positions)), [label.replace(" ", "\n") for label, _ in positions])
            trend.grid(axis="y", color="#dddddd")
            styles = (("s-", NONMEMBER, "target's accuracy on new records"), ("v--", CEILING, "largest advantage possible"), ("o-", ATTACK, "attack's advantage"))
            self.trends = [self.move(*trend.plot([], [], style, color=colour, ms=5, label=label)) for style, colour, label in styles]
            self.here = self.move(*trend.plot([], [], "D", ms=10, mfc="none", mew=2, color=MEMBER, label="now"))
            below(trend)

    def update(self, results, values):
        """Show this Result's curve and ceiling, and remember its figures."""
        result = results[0]
        e, report = result.experiment, result.adaptive
        self.curve.set_data(*report.roc())
        self.ceiling.set_data(self.grid, roc_ceiling(self.grid, result.mu))
        place = [value for _, value in self.positions].index("off" if e.clip is None else e.noise_multiplier)
        self.tried[place] = report.test_accuracy, max_advantage(result.mu), report.advantage
        for line, values in zip(self.trends, zip(*(self.tried[at] for at in sorted(self.tried)))):
            line.set_data(sorted(self.tried), values)
        self.here.set_data([place], [report.advantage])


class ConfidenceFigure(LiveFigure):
    """Left: how sure the target is of the true class, for members and non-members, and where the attack draws its line."""

    def __init__(self, title):
        super().__init__()
        left = self.axes[0]
        with mpl.rc_context(STYLE):
            left.set_title("How sure the target is of the true class")
            left.set(xlim=(-0.02, 1.02), ylim=(0, 1.02), xlabel="confidence in the true class", ylabel="share of records")
            self.edges = np.linspace(0, 1, 21)
            sides = (("members", MEMBER, "-"), ("non-members", NONMEMBER, "--"))
            self.stairs = [self.move(left.stairs(np.zeros(20), self.edges, color=colour, linestyle=line, lw=2, label=label)) for label, colour, line in sides]
            self.line = self.move(left.axvline(0.5, color=ATTACK, lw=2, linestyle=":", label='"member" from here on'))
            below(left)
            self.axes[1].set_title(title)

    def show_confidences(self, report, threshold):
        """Set the histograms and the line from the Report of a threshold attack."""
        for stairs, side in zip(self.stairs, (report.members, ~report.members)):
            stairs.set_data(np.histogram(report.scores[side], self.edges)[0] / side.sum())
        self.line.set_xdata([threshold, threshold])


class OverfittingFigure(ConfidenceFigure):
    """Right: accuracy, hits and false alarms for every number of epochs tried so far."""

    def __init__(self, epochs):
        super().__init__("What overfitting gives away")
        self.tried, right = {}, self.axes[1]
        with mpl.rc_context(STYLE):
            right.set(xscale="log", xlim=(min(epochs) / 1.2, max(epochs) * 1.2), ylim=(-2, 102), xlabel="epochs of training", ylabel="of 100")
            right.set_xticks(epochs, [str(e) for e in epochs])
            right.minorticks_off()
            right.grid(axis="y", color="#dddddd")
            styles = (("s-", MEMBER, "members the target gets right"), ("s--", NONMEMBER, "non-members it gets right"),
                      ("o-", ATTACK, "hits: members named"), ("v:", BASELINE, "false alarms: non-members named"))
            self.trends = [self.move(*right.plot([], [], style, color=colour, ms=4, label=label)) for style, colour, label in styles]
            self.here = self.move(right.axvline(1, color="#999999", lw=1))
            below(right)

    def update(self, results, values):
        """Show this Result's confidences, and remember its rates."""
        report, e = results[0].adaptive, results[0].experiment
        self.show_confidences(report, report.threshold)
        tried = self.tried.setdefault((e.hidden, e.n_members), {})
        tried[e.epochs] = [100 * rate for rate in (report.train_accuracy, report.test_accuracy, report.recall, report.fpr)]
        for line, rates in zip(self.trends, zip(*(tried[at] for at in sorted(tried)))):
            line.set_data(sorted(tried), rates)
        self.here.set_xdata([e.epochs, e.epochs])


class ThresholdFigure(ConfidenceFigure):
    """Right: the ROC curve that the moving threshold draws."""

    def __init__(self):
        super().__init__("Each threshold is one point of the ROC curve")
        right = self.axes[1]
        with mpl.rc_context(STYLE):
            roc_background(right)
            self.curve = self.move(*right.plot([], [], color=ATTACK, lw=2, label="every threshold"))
            self.gap = self.move(*right.plot([], [], "o", color=BASELINE, label="gap attack"))
            self.here = self.move(*right.plot([], [], "D", ms=9, mfc="none", mew=2, color=MEMBER, label="this threshold"))
            right.legend(loc="lower right")

    def update(self, results, values):
        """Show the Result's ROC curve, with the point of the threshold that the slider gives."""
        report = results[0].adaptive
        self.show_confidences(report, values["threshold"])
        self.curve.set_data(*report.roc())
        self.gap.set_data([report.test_accuracy], [report.train_accuracy])
        self.here.set_data(*([rate] for rate in rates_at(report, values["threshold"])))


def rates_at(report, threshold):
    """False alarms and hits, as shares, of a :class:`miaedu.Report`'s scores at another threshold."""
    called = report.scores >= threshold
    return float(called[~report.members].mean()), float(called[report.members].mean())


class BaseRateFigure(LiveFigure):
    """Left: a hundred records that the attack calls members. Right: how many of them are, for every share of members."""

    def __init__(self):
        super().__init__()
        crowd, curve = self.axes
        with mpl.rc_context(STYLE):
            crowd.set_title("100 records that the attack calls members")
            crowd.set(xlim=(-0.7, 9.7), ylim=(-0.7, 9.7), aspect="equal", xticks=[], yticks=[])
            crowd.spines[:].set_visible(False)
            self.right = self.move(*crowd.plot([], [], "o", ms=11, color=MEMBER, label="a member"))
            self.wrong = self.move(*crowd.plot([], [], "x", ms=9, mew=2, color=NONMEMBER, label="a false alarm"))
            crowd.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2)
            curve.set_title("What a positive is worth")
            curve.set(xscale="log", xlim=(5e-5, 1), ylim=(0, 102), xlabel="share of members among the records asked about", ylabel="members among 100 positives")
            curve.set_xticks([1e-4, 1e-3, 1e-2, 0.1, 0.5], ["1 in 10,000", "1 in 1,000", "1 in 100", "1 in 10", "1 in 2"], fontsize=9)
            curve.minorticks_off()
            curve.grid(axis="y", color="#dddddd")
            self.shares = np.geomspace(5e-5, 1, 200)
            self.curve = self.move(*curve.plot([], [], color=ATTACK, lw=2))
            self.here = self.move(*curve.plot([], [], "D", ms=9, mfc="none", mew=2, color=MEMBER))

    def update(self, results, values):
        """Show what the attack's positives are worth at the share of members that the slider gives."""
        fpr, tpr = base_rate_rates(results[0].adaptive, values["alarms"])
        worth = 100 * positives_worth(tpr, fpr, values["share"])
        spots = np.arange(100) % 10, 9 - np.arange(100) // 10
        self.right.set_data(*(spot[:round(worth)] for spot in spots))
        self.wrong.set_data(*(spot[round(worth):] for spot in spots))
        self.curve.set_data(self.shares, 100 * positives_worth(tpr, fpr, self.shares))
        self.here.set_data([values["share"]], [worth])


def base_rate_rates(report, alarms):
    """False alarms and hits, as shares: at the learned threshold, or at the strictest that allows `alarms` per 100."""
    return (report.fpr, report.recall) if alarms == "as learned" else (alarms / 100, report.tpr_at(alarms / 100))


def positives_worth(tpr, fpr, share):
    """The share of members among positives, where a `share` of the records asked about are members (Bayes' rule).

    >>> round(positives_worth(0.6, 0.4, 0.001), 4)
    0.0015
    """
    return share * tpr / (share * tpr + (1 - share) * fpr)


class ControlFigure(LiveFigure):
    """Left: the ROC curve, under the ceiling where there is one. Right: utility against leakage, for every setting tried so far."""

    def __init__(self):
        super().__init__()
        roc, trade = self.axes
        self.grid, self.trail = np.linspace(0, 1, 300), []
        with mpl.rc_context(STYLE):
            roc.set_title("The attack")
            roc_background(roc)
            self.ceiling = self.move(*roc.plot([], [], color=CEILING, linestyle="--", lw=2.5, label="proven ceiling"))
            self.curve = self.move(*roc.plot([], [], color=ATTACK, lw=2, label="adaptive attacker"))
            self.gap = self.move(*roc.plot([], [], "o", color=BASELINE, label="gap attack"))
            roc.legend(loc="lower right")
            trade.set_title("Utility and leakage")
            trade.set(xlim=(0, 1), ylim=(-0.1, 1), xlabel="target's accuracy on new records", ylabel="advantage of the better attack")
            trade.grid(color="#dddddd")
            self.points = self.move(*trade.plot([], [], "o", ms=4, color=BASELINE, label="tried before"))
            self.here = self.move(*trade.plot([], [], "D", ms=9, color=MEMBER, label="now"))
            trade.legend(loc="upper left")

    def update(self, results, values):
        """Show this Result, and leave a mark where the last one was."""
        result, report = results[0], results[0].adaptive
        self.curve.set_data(*report.roc())
        self.gap.set_data([report.test_accuracy], [report.train_accuracy])
        self.ceiling.set_data(*((self.grid, roc_ceiling(self.grid, result.mu)) if result.mu < np.inf else ([], [])))
        self.trail = [*self.trail[-199:], (report.test_accuracy, max(report.advantage, report.gap_advantage))]
        self.points.set_data(*zip(*self.trail))
        self.here.set_data(*([value] for value in self.trail[-1]))
