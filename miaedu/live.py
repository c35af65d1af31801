"""LiveFigure: drawn once, then only its moving parts, so that a new picture costs a few milliseconds."""
import io

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from .plots import STYLE


class LiveFigure:
    """A figure whose artists in `moving` are redrawn over a stored background; `update(results, values)` sets them from
    Results and the controls' values.

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
