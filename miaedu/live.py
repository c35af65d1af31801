"""The explorers' figures: drawn once, then only their moving parts, so that a new picture costs a few milliseconds."""
import io

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from .plots import ATTACK, BASELINE, CEILING, LINES, MEMBER, NONMEMBER, STYLE, roc_background
from .privacy import max_advantage, roc_ceiling


class LiveFigure:
    """A figure whose artists in `moving` are redrawn over a stored background; `update(results)` sets them from Results.

    The size of its picture is 2 pixels a point of `width` and `height` (inches at 100 dpi), for sharp text on dense screens.
    """

    def __init__(self, width=9.2, height=3.9, columns=2):
        with mpl.rc_context(STYLE):
            self.figure = Figure(figsize=(width, height), dpi=130, layout="constrained")
            self.axes = self.figure.subplots(1, columns)
        self.canvas, self.moving, self._background = FigureCanvasAgg(self.figure), [], None

    def move(self, *artists):
        """Register artists that `update` will change; returns them (or the one)."""
        for artist in artists:
            artist.set_animated(True)
        self.moving += artists
        return artists if len(artists) > 1 else artists[0]

    def png(self):
        """The picture as it is now, as PNG bytes."""
        if self._background is None:
            self.canvas.draw()
            self.figure.set_layout_engine("none")  # the axes keep their places: what is stored must fit what is drawn later
            self._background = self.canvas.copy_from_bbox(self.figure.bbox)
        self.canvas.restore_region(self._background)
        for artist in self.moving:
            artist.axes.draw_artist(artist)
        out = io.BytesIO()
        Image.fromarray(np.asarray(self.canvas.buffer_rgba())).convert("RGB").save(out, "PNG", compress_level=1)
        return out.getvalue()


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

    def update(self, results):
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
            self.naive = self.move(*roc.plot([], [], color=NONMEMBER, linestyle="--", lw=2, label="naive"))
            self.adaptive = self.move(*roc.plot([], [], color=ATTACK, lw=2, label="adaptive"))
            self.gap = self.move(*roc.plot([], [], "o", color=BASELINE, label="gap attack"))
            roc.legend(loc="lower right")
            cost.set_title("What hiding costs and buys")
            cost.set(xlim=(-0.12, 1), ylim=(-0.6, 3.6), xlabel="share, from 0 to 1")
            cost.set_yticks(range(4), self.ROWS)
            cost.grid(axis="x", color="#dddddd")
            self.plain = self.move(*cost.plot([], [], "o", ms=10, mfc="none", mew=1.5, color=BASELINE, label="without hiding"))
            self.now = self.move(*cost.plot([], [], "D", ms=8, color=MEMBER, label="now"))
            below(cost)

    def update(self, results):
        """Show the Result with hiding, the first, beside the one without, the second."""
        now, plain = results[0], results[-1]
        self.naive.set_data(*now.naive.roc())
        self.adaptive.set_data(*now.adaptive.roc())
        self.gap.set_data([now.adaptive.test_accuracy], [now.adaptive.train_accuracy])
        for markers, r in ((self.now, now), (self.plain, plain)):
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

    def update(self, results):
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
