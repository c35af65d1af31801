"""The explorers' live figures, one class each: what stands still, and what follows the Results."""

from itertools import zip_longest

import numpy as np

from .live import LiveFigure
from .metrics import base_rate_rates, positives_worth, rates_at
from .plots import ATTACK, BASELINE, CEILING, LINES, MEMBER, NONMEMBER, roc_background
from .privacy import max_advantage, roc_ceiling

# the present setting
NOW = {"color": "black", "ms": 9, "mfc": "none", "mew": 2, "clip_on": False, "label": "now"}
SPOTS = np.array([np.arange(100) % 10, 9 - np.arange(100) // 10])  # places of 100 people, ten a row


def below(ax, space=0.2):
    """Put the legend under the axes, where no curve can run through it, with `space` for what else
    stands there."""
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -space), ncols=2)


def log_axis(ax, ticks, label):
    """A logarithmic x axis with these ticks alone."""
    ax.set(xscale="log", xlim=(min(ticks) / 1.25, max(ticks) * 1.25), xlabel=label)
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
    ax.grid(axis="y", color="#dddddd")


class RocPanel:
    """ROC curves, one for each (line style, colour, label) of `styles`, and the gap attack as a
    dot."""

    def __init__(self, figure, ax, title, *styles):
        ax.set_title(title)
        roc_background(ax)
        self.curves = [
            figure.curve(ax, style, color, lw=2, label=label) for style, color, label in styles
        ]
        self.gap = figure.curve(ax, "o", BASELINE, clip_on=False, label="gap attack")
        ax.legend(loc="lower right")

    def show(self, reports, *curves):
        """Set the curves, each a pair of FPRs and TPRs, and the gap attack of these Reports."""
        for line, points in zip_longest(self.curves, curves, fillvalue=([], [])):
            line.set_data(*points)
        self.gap.set_data([r.test_accuracy for r in reports], [r.train_accuracy for r in reports])


class ShadowCountFigure(LiveFigure):
    """Left: the ROC curve of each repetition. Right: AUC for every number of shadow models tried so
    far."""

    def __init__(self, counts, repetitions):
        self.counts, self.repetitions, self.tried = counts, repetitions, {}
        super().__init__()

    def build(self, roc, trend):
        styles = [(LINES[i % 5], ATTACK, None) for i in range(self.repetitions)]
        self.roc = RocPanel(self, roc, "ROC curves, one a repetition", *styles)
        trend.set_title("What the number of shadow models buys")
        trend.set(ylim=(0.5, 1), ylabel="AUC of the attack")
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
        self.dots.set_data(*zip(*((count, auc) for count in tried for auc in tried[count])))
        self.mean.set_data(*zip(*((count, np.mean(tried[count])) for count in sorted(tried))))
        self.here.set_data([e.n_shadows], [np.mean(tried[e.n_shadows])])


class HidingFigure(LiveFigure):
    """Left: the ROC curves of the naive and the adaptive attacker. Right: what hiding costs and
    buys."""

    ROWS = (
        "target's accuracy\non new records",
        *(
            f"advantage of the\n{attacker}"
            for attacker in ("gap attack", "naive attacker", "adaptive attacker")
        ),
    )

    def build(self, roc, cost):
        styles = ("-", ATTACK, "adaptive"), ("--", "black", "naive")
        self.roc = RocPanel(self, roc, "ROC curves of both attackers", *styles)
        cost.set_title("What hiding costs and buys")
        cost.set(xlim=(-0.12, 1), ylim=(-0.6, 3.6), xlabel="share, from 0 to 1")
        cost.set_yticks(range(4), self.ROWS)
        cost.grid(axis="x", color="#dddddd")
        self.plain = self.curve(
            cost, "o", BASELINE, ms=10, mfc="none", mew=1.5, label="without hiding"
        )
        self.now = self.curve(cost, "D", "black", ms=8, label="now")
        below(cost)

    def update(self, results, values):
        """Show the Result with hiding, the first, beside the one without, the second (it may come
        later)."""
        now = results[0]
        self.roc.show([now.adaptive], now.adaptive.roc(), now.naive.roc())
        for markers, r in zip((self.now, self.plain), results):
            shares = (
                r.adaptive.test_accuracy,
                r.adaptive.gap_advantage,
                r.naive.advantage,
                r.adaptive.advantage,
            )
            markers.set_data(shares, range(4))


class NoiseFigure(LiveFigure):
    """Left: the measured ROC under the proven ceiling. Right: what every noise tried so far costs
    and buys."""

    def __init__(self, positions):
        self.positions, self.tried, self.grid = positions, {}, np.linspace(0, 1, 400)
        super().__init__()

    def build(self, roc, trend):
        styles = ("--", CEILING, "ceiling, on average"), ("-", ATTACK, "this target")
        self.roc = RocPanel(self, roc, "The attack under the proven ceiling", *styles)
        trend.set_title("What the noise costs and buys")
        trend.set(xlim=(-0.5, len(self.positions) - 0.5), xlabel="noise multiplier")
        trend.set(ylim=(-0.1, 1.05), ylabel="share, from 0 to 1")
        trend.set_xticks(
            range(len(self.positions)), [label.replace(" ", "\n") for label, _ in self.positions]
        )
        trend.grid(axis="y", color="#dddddd")
        styles = (
            ("s-", NONMEMBER, "target's accuracy on new records"),
            ("v--", CEILING, "largest advantage possible"),
            ("o-", ATTACK, "attack's advantage"),
            ("x:", BASELINE, "gap attack's advantage"),
        )
        self.trends = [
            self.curve(trend, style, colour, ms=5, label=label) for style, colour, label in styles
        ]
        self.here = self.move(trend.axvline(0, color="#999999", lw=1))
        below(trend, 0.26)

    def update(self, results, values):
        """Show this Result's curve and ceiling, and remember its figures."""
        result = results[0]
        e, report = result.experiment, result.adaptive
        self.roc.show([report], (self.grid, roc_ceiling(self.grid, result.mu)), report.roc())
        place = [value for _, value in self.positions].index(
            "off" if e.clip is None else e.noise_multiplier
        )
        self.tried[place] = (
            report.test_accuracy,
            max_advantage(result.mu),
            report.advantage,
            report.gap_advantage,
        )
        draw_tried(self.trends, self.tried)
        self.here.set_xdata([place, place])


def draw_tried(lines, tried):
    """Set `lines` to what was `tried`: a dict from x to one y a line."""
    for line, heights in zip(lines, zip(*(tried[at] for at in sorted(tried)))):
        line.set_data(sorted(tried), heights)


class ConfidencePanel:
    """The target's confidence in the true class, for both sides, and where the attack draws its
    line."""

    def __init__(self, figure, ax):
        ax.set_title("How sure the target is of the true class")
        ax.set(
            xlim=(-0.02, 1.02),
            ylim=(0, 1.02),
            xlabel="confidence in the true class",
            ylabel="share of records",
        )
        self.edges = np.linspace(0, 1, 21)
        sides = ("members", MEMBER, "-"), ("non-members", NONMEMBER, "--")
        self.stairs = [
            figure.move(
                ax.stairs(np.zeros(20), self.edges, color=color, ls=style, lw=2, label=label)
            )
            for label, color, style in sides
        ]
        self.line = figure.move(
            ax.axvline(0.5, color=ATTACK, lw=2, linestyle=":", label='"member" from here on')
        )
        below(ax)

    def show(self, report, threshold):
        """Set the histograms and the line from the Report of a threshold attack."""
        for stairs, side in zip(self.stairs, (report.members, ~report.members)):
            stairs.set_data(np.histogram(report.scores[side], self.edges)[0] / side.sum())
        self.line.set_xdata([threshold, threshold])


class PeoplePanel:
    """100 members and 100 non-members, and who of them is named: for readers who have not met
    confidences yet."""

    def __init__(self, figure, ax):
        ax.set_title("Of 100 members and 100 non-members, who is named")
        ax.set(xlim=(-0.7, 20.7), ylim=(-0.7, 9.7), aspect="equal", xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        self.named, (x, y) = [], SPOTS
        for i, (mark, color, who) in enumerate(
            (("o", MEMBER, "member"), ("s", NONMEMBER, "non-member"))
        ):
            ax.plot(x + 11 * i, y, mark, color=color, ms=8, mfc="none", label=who)
            self.named.append(figure.curve(ax, mark, color, ms=8, label=f"{who}, named"))
        below(ax, 0.02)

    def show(self, report, threshold):
        """Fill as many marks as the Report's attack names of 100 on each side."""
        for i, rate in enumerate((report.recall, report.fpr)):
            x, y = SPOTS[:, : round(100 * rate)]
            self.named[i].set_data(x + 11 * i, y)


class OverfittingFigure(LiveFigure):
    """Left: a panel of the present setting. Right: accuracy, hits and false alarms for all epochs
    tried so far."""

    def __init__(self, epochs, panel):
        self.epochs, self.panel, self.tried = epochs, panel, {}
        super().__init__()

    def build(self, left, right):
        self.left = self.panel(self, left)
        right.set_title("What overfitting gives away")
        right.set(ylim=(-2, 102), ylabel="of 100")
        log_axis(right, self.epochs, "epochs of training")
        styles = (
            ("s-", MEMBER, "members the target gets right"),
            ("s--", NONMEMBER, "non-members it gets right"),
            ("o-", ATTACK, "hits: members named"),
            ("v:", BASELINE, "false alarms: non-members named"),
        )
        self.trends = [
            self.curve(right, style, colour, ms=4, label=label) for style, colour, label in styles
        ]
        self.here = self.move(right.axvline(1, color="#999999", lw=1))
        below(right)

    def update(self, results, values):
        """Show this Result on the left, and remember its rates."""
        report, e = results[0].adaptive, results[0].experiment
        self.left.show(report, report.threshold)
        tried = self.tried.setdefault((e.hidden, e.n_members), {})
        rates = report.train_accuracy, report.test_accuracy, report.recall, report.fpr
        tried[e.epochs] = [100 * rate for rate in rates]
        draw_tried(self.trends, tried)
        self.here.set_xdata([e.epochs, e.epochs])


class ThresholdFigure(LiveFigure):
    """Left: confidences, and the threshold among them. Right: the ROC curve that the moving
    threshold draws."""

    def build(self, left, right):
        self.left = ConfidencePanel(self, left)
        every = "-", ATTACK, "every threshold"
        self.roc = RocPanel(self, right, "Each threshold is one point of the ROC curve", every)
        self.here = self.curve(right, "D", **NOW | {"label": "this threshold"})
        right.legend(loc="lower right")

    def update(self, results, values):
        """Show the Result's ROC curve, with the point of the threshold that the slider gives."""
        report = results[0].adaptive
        self.left.show(report, values["threshold"])
        self.roc.show([report], report.roc())
        self.here.set_data(*([rate] for rate in rates_at(report, values["threshold"])))


class BaseRateFigure(LiveFigure):
    """Left: 100 records that the attack calls members. Right: how many are, for every share of
    members."""

    def build(self, crowd, curve):
        crowd.set_title("100 records that the attack calls members")
        crowd.set(xlim=(-0.7, 9.7), ylim=(-0.7, 9.7), aspect="equal", xticks=[], yticks=[])
        crowd.spines[:].set_visible(False)
        self.right = self.curve(crowd, "o", MEMBER, ms=11, label="a member")
        self.wrong = self.curve(crowd, "x", NONMEMBER, ms=9, mew=2, label="a false alarm")
        crowd.legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=2)
        curve.set_title("What a positive is worth")
        curve.set(
            xscale="log", xlim=(5e-5, 1), xlabel="share of members among the records asked about"
        )
        curve.set(ylim=(0, 102), ylabel="members among 100 positives")
        shares = 10_000, 1000, 100, 10, 2
        curve.set_xticks([1 / n for n in shares], [f"1 in {n:,}" for n in shares], fontsize=9)
        curve.minorticks_off()
        curve.grid(axis="y", color="#dddddd")
        self.shares = np.geomspace(5e-5, 1, 200)
        self.worth = self.curve(curve, "-", ATTACK, lw=2)
        self.here = self.curve(curve, "D", **NOW)

    def update(self, results, values):
        """Show what the attack's positives are worth at the share of members that the slider
        gives."""
        fpr, tpr = base_rate_rates(results[0].adaptive, values["alarms"])
        worth = 100 * positives_worth(tpr, fpr, values["share"])
        self.right.set_data(*SPOTS[:, : round(worth)])
        self.wrong.set_data(*SPOTS[:, round(worth) :])
        self.worth.set_data(self.shares, 100 * positives_worth(tpr, fpr, self.shares))
        self.here.set_data([values["share"]], [worth])


class ControlFigure(LiveFigure):
    """Left: the ROC curve, under its ceiling if any. Right: utility and leakage of every setting
    tried so far."""

    def build(self, roc, trade):
        self.grid, self.trail = np.linspace(0, 1, 300), []
        styles = ("--", CEILING, "proven ceiling"), ("-", ATTACK, "adaptive attacker")
        self.roc = RocPanel(self, roc, "The attack", *styles)
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
        ceiling = (self.grid, roc_ceiling(self.grid, result.mu)) if result.mu < np.inf else ([], [])
        self.roc.show([report], ceiling, report.roc())
        here = report.test_accuracy, max(report.advantage, report.gap_advantage)
        self.points.set_data(*zip(*self.trail) if self.trail else ([], []))
        self.here.set_data(*([value] for value in here))
        self.trail = [*self.trail[-199:], here]
