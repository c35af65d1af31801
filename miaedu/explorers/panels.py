"""Panels that several explorers share, and how their axes and legends look."""

from itertools import zip_longest

import numpy as np

from ..plots import ATTACK, BASELINE, MEMBER, NONMEMBER, roc_background

# the present setting
NOW = {"color": "black", "ms": 9, "mfc": "none", "mew": 2, "clip_on": False, "label": "now"}
SPOTS = np.array([np.arange(100) % 10, 9 - np.arange(100) // 10])  # places of 100 people, ten a row


def below(ax, space=0.16, columns=2):
    """Put the legend under the axes, where no curve can run through it, with `space` for what else
    stands there."""
    how = {"columnspacing": 1.2, "handlelength": 1.6, "borderpad": 0}
    return ax.legend(loc="upper center", bbox_to_anchor=(0.45, -space), ncols=columns, **how)


def log_axis(ax, ticks, label):
    """A logarithmic x axis with these ticks alone."""
    ax.set(xscale="log", xlim=(min(ticks) / 1.25, max(ticks) * 1.25), xlabel=label)
    ax.set_xticks(ticks, [str(tick) for tick in ticks])
    ax.minorticks_off()
    ax.grid(axis="y", color="#dddddd")


def draw_tried(lines, tried):
    """Set `lines` to what was `tried`: a dict from x to one y a line."""
    places = sorted(tried)
    for i, line in enumerate(lines):
        line.set_data(places, [tried[place][i] for place in places])


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


class CeilingPanel(RocPanel):
    """ROC curves under a proven ceiling, which is there only where something is proven."""

    def __init__(self, figure, ax, title, *styles):
        *curves, ceiling = styles
        super().__init__(figure, ax, title, *curves)
        style, color, label = ceiling
        self.ceiling = figure.curve(ax, style, color, lw=2, label=label)
        legend = ax.legend(loc="lower right")  # the ceiling last: it may leave its place empty
        texts = [text.get_text() for text in legend.get_texts()]
        place = texts.index(label)
        self.entry = [
            figure.move(artist[place]) for artist in (legend.get_texts(), legend.legend_handles)
        ]

    def show(self, reports, ceiling=None):
        """Set the curves of Reports on one target, and the ceiling, a pair of FPRs and TPRs or
        None."""
        super().show(reports[:1], *(report.roc() for report in reports))
        self.ceiling.set_data(*(ceiling or ([], [])))
        for artist in self.entry:
            artist.set_visible(ceiling is not None)


class ConfidencePanel:
    """The target's confidence in the true class, for both sides, and the attack's threshold."""

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
            ax.axvline(0.5, color=ATTACK, lw=2, linestyle=":", label="flagged from here on")
        )
        below(ax)

    def show(self, report, threshold):
        """Set the histograms and the line from the Report of a threshold attack."""
        for stairs, side in zip(self.stairs, (report.members, ~report.members), strict=True):
            stairs.set_data(np.histogram(report.scores[side], self.edges)[0] / side.sum())
        self.line.set_xdata([threshold, threshold])


class PeoplePanel:
    """100 members and 100 non-members, and who of them is flagged: for readers who have not met
    confidences yet."""

    def __init__(self, figure, ax):
        ax.set_title("Of 100 members and 100 non-members,\nwho is flagged")
        ax.set(xlim=(-0.7, 20.7), ylim=(-0.7, 9.7), aspect="equal", xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        self.flagged, (x, y) = [], SPOTS
        sides = ("o", MEMBER, "member"), ("s", NONMEMBER, "non-member")
        for i, (mark, color, who) in enumerate(sides):
            ax.plot(x + 11 * i, y, mark, color=color, ms=8, mfc="none", label=who)
            self.flagged.append(figure.curve(ax, mark, color, ms=8, label=f"{who}, flagged"))
        below(ax, 0.02)

    def show(self, report, threshold):
        """Fill as many marks as the Report's attack flags of 100 on each side."""
        for i, rate in enumerate((report.recall, report.fpr)):
            x, y = SPOTS[:, : round(100 * rate)]
            self.flagged[i].set_data(x + 11 * i, y)
