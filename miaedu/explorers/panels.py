"""Panels that several explorers share, and how their axes and legends look."""

from itertools import zip_longest

import numpy as np

from ..plots import ATTACK, BASELINE, MEMBER, NONMEMBER, roc_background

# the present setting
NOW = {"color": "black", "ms": 9, "mfc": "none", "mew": 2, "clip_on": False, "label": "now"}
SMALLEST = "smallest visible FPR"
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
    dot; on linear axes, or on logarithmic ones, which begin where the records are too few to see
    more."""

    def __init__(self, figure, ax, title, *styles):
        ax.set_title(title)
        roc_background(ax)
        self.figure, self.ax, self.floor = figure, ax, None
        self.axes = [figure.move(axis) for axis in (ax.xaxis, ax.yaxis)]
        (chance,) = ax.lines
        self.chance = figure.move(chance)
        self.least = figure.move(ax.axvline(1, color=BASELINE, lw=1, ls="--", label="_least"))
        upright = {"rotation": 90, "ha": "right", "va": "top", "fontsize": 10.5}
        self.name = figure.move(
            ax.text(1, 0.98, SMALLEST, transform=ax.get_xaxis_transform(), **upright)
        )
        self.curves = [
            figure.curve(ax, style, color, lw=2, label=label) for style, color, label in styles
        ]
        self.gap = figure.curve(ax, "o", BASELINE, clip_on=False, label="gap attack")
        ax.legend(loc="lower right")

    def show(self, reports, *curves, axes="linear"):
        """Set the curves, each a pair of FPRs and TPRs, and the gap attack of these Reports; `axes`
        are "linear" or "log"."""
        # the smallest FPR that can be seen
        floor = 1 / min((~report.members).sum() for report in reports) if axes == "log" else 0
        if floor != self.floor:
            self._turn(floor)
        for line, points in zip_longest(self.curves, curves, fillvalue=([], [])):
            line.set_data(*self._seen(*points))
            line.set_drawstyle("steps-post" if floor else "default")
        self.gap.set_data([r.test_accuracy for r in reports], [r.train_accuracy for r in reports])

    def _turn(self, floor):
        """Logarithmic axes for a `floor` above 0, else linear ones."""
        low, self.floor = floor / 2, floor
        if floor:
            ends = low, 1.05
            self.ax.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
            ticks = [10.0**-power for power in range(9) if 10.0**-power > low]
            for axis in self.axes:
                axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
            self.ax.minorticks_off()
            self.least.set_xdata([floor, floor])
            self.name.set(x=floor, text=f"{SMALLEST}: 1/{1 / floor:.0f}")
        else:
            ends = -0.01, 1.01
            self.ax.set(xscale="linear", yscale="linear", xlim=ends, ylim=ends)
        for part in (self.least, self.name):
            part.set_visible(floor > 0)
        self.chance.set_data([low, 1], [low, 1])
        self.figure.redraw(*self.axes)

    def _seen(self, fpr, tpr):
        """The part of a curve that these axes show: logarithmic ones, from their floor on."""
        start = np.searchsorted(fpr, self.floor, "right") - 1 if self.floor else 0
        return np.maximum(fpr[start:], self.floor), tpr[start:]


def axes_in_words(values):
    """What the words of a RocPanel add where its axes are not the usual ones."""
    return " The ROC axes are logarithmic." if values["axes"] == "log" else ""


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

    def show(self, reports, ceiling=None, axes="linear"):
        """Set the curves of Reports on one target, and the ceiling, a pair of FPRs and TPRs or
        None."""
        super().show(reports[:1], *(report.roc() for report in reports), axes=axes)
        self.ceiling.set_data(*self._seen(*(ceiling or ([], []))))
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
