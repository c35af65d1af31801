"""The explorers' figures: drawn once, then only their moving parts, so that a new picture costs a few milliseconds."""
import io

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from .plots import ATTACK, BASELINE, LINES, MEMBER, STYLE, roc_background


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
