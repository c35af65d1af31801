"""LiveFigure: drawn once, then only its moving parts, so that a new picture costs a few
milliseconds."""

import io

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from .plots import STYLE

SHADES = 256  # an eye misses none of the others, and the PNG is half as large and as long in making


class LiveFigure:
    """Two axes, whose artists in `moving` are redrawn over a stored background.

    A subclass draws in `build(left, right)`, and sets what moves in `update(results, values)`, from
    Results and the controls' values.

    The picture has 130 pixels where the page has 100, so that text is sharp on dense screens too.
    """

    def __init__(self):
        with mpl.rc_context(STYLE):
            self.figure = Figure(figsize=(9.2, 3.9), dpi=130, layout="constrained")
            self.canvas, self.moving, self._background = FigureCanvasAgg(self.figure), [], None
            self.build(*self.figure.subplots(1, 2))

    def move(self, artist):
        """Register an artist that `update` will change, and return it."""
        artist.set_animated(True)
        self.moving.append(artist)
        return artist

    def curve(self, ax, style, color, **how):
        """A moving line or markers on `ax`, without points so far."""
        return self.move(*ax.plot([], [], style, color=color, **how))

    def png(self):
        """The picture as it is now, as PNG bytes."""
        if self._background is None:
            self.canvas.draw()
            # the axes keep their places: what is stored must fit what comes
            self.figure.set_layout_engine("none")
            self._background = self.canvas.copy_from_bbox(self.figure.bbox)
        self.canvas.restore_region(self._background)
        for artist in self.moving:
            artist.axes.draw_artist(artist)
        out = io.BytesIO()
        picture = Image.fromarray(np.asarray(self.canvas.buffer_rgba())).convert("RGB")
        few = picture.quantize(SHADES, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        # White shares its shade with what is nearly white, and their mean is cut off to 254.
        few.putpalette([value + (value == 254) for value in few.getpalette()])
        few.save(out, "PNG", compress_level=1)
        return out.getvalue()
