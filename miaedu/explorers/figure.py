"""LiveFigure: two panels, drawn once as SVG; then a move draws only the artists that move."""

import io
import re
import xml.etree.ElementTree as ET
from functools import cached_property

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure
from PIL import Image

from ..plots import STYLE

SIZE = 4.6, 4.1  # inches of one panel
DOTS = 130  # pixels an inch of the still picture, so that it is sharp on dense screens too
# A panel is never shown narrower than 380 of its 442 pixels, but on a telephone: letters of 10.5
# points are then 9.
FONTS = {
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.labelsize": 11,
    "legend.fontsize": 10.5,
    "xtick.labelsize": 10.5,
    "ytick.labelsize": 10.5,
}
# text stays text, and equal parts have equal ids every time
AS_SVG = {"svg.fonttype": "none", "svg.hashsalt": "miaedu", "savefig.bbox": "standard"}
OWN_ID = re.compile(r' id="\w+_\d+"')  # matplotlib's own, the same in every figure of a page
SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"


class LiveFigure:
    """Two panels, whose artists in `moving` are drawn alone when they have changed.

    A subclass draws in `build(left, right)`, two Axes, and sets what moves in `update(results,
    values)`, from Results and the controls' values; what it is to remember from one update to the
    next stands in `tried`, an empty dict or list at first. What is shown is `background`, with each
    of `parts()` in the group of its id.
    """

    def __init__(self):
        self.moving, self.kept, self.tried = {}, {}, {}
        with mpl.rc_context(STYLE | FONTS):
            # 72 dots an inch are the units of an SVG
            self.figures = [Figure(SIZE, dpi=72, layout="constrained") for _ in ("left", "right")]
            self.build(*(figure.add_subplot() for figure in self.figures))

    def move(self, artist):
        """Register an artist that `update` will change, and return it."""
        artist.set_gid(f"{type(self).__name__}-{len(self.moving)}")
        self.moving[artist.get_gid()] = artist
        return artist

    def curve(self, ax, style, color, **how):
        """A moving line or markers on `ax`, without points so far."""
        return self.move(*ax.plot([], [], style, color=color, **how))

    def redraw(self, *artists):
        """Draw moving artists that take long and seldom change, such as axes: ``parts`` then keeps
        them as they are now."""
        _ = self.background  # the layout is settled by the first drawing
        with mpl.rc_context(AS_SVG):
            for artist in artists:
                drawn = _alone(artist.get_figure(), [artist], "defs")
                self.kept[artist.get_gid()] = OWN_ID.sub("", drawn[artist.get_gid()])

    @cached_property
    def background(self):
        """What stands still, as two SVG elements in a text; the groups of what moves are empty."""
        seen = {artist: artist.get_visible() for artist in self.moving.values()}
        for artist in seen:
            artist.set_visible(True)  # or it would have no group
        panels = [_still(figure, self.moving, self._defs(figure)) for figure in self.figures]
        for artist, visible in seen.items():
            artist.set_visible(visible)
        return "".join(panels)

    def parts(self):
        """The markup of each moving artist as it is now, by the id of the group it goes into."""
        _ = self.background
        parts = dict(self.kept)
        others = [artist for gid, artist in self.moving.items() if gid not in parts]
        with mpl.rc_context(AS_SVG):
            for figure in self.figures:
                artists = [artist for artist in others if artist.get_figure() is figure]
                parts |= _alone(figure, artists, self._defs(figure))
        return parts

    def _defs(self, figure):
        """The id of the group for what a figure's moving artists refer to, such as clip paths."""
        return f"{type(self).__name__}-defs-{self.figures.index(figure)}"

    def svg(self, parts=None):
        """The whole picture as two SVG elements in a text, with `parts` (those of now) in place."""
        parts = self.parts() if parts is None else parts
        return re.sub(
            r'<g id="([\w-]+)" />',
            lambda group: f'<g id="{group[1]}">{parts.get(group[1], "")}</g>',
            self.background,
        )

    def png(self):
        """The picture as it is now, as PNG bytes, for viewers that show no widgets."""
        _ = self.background
        panels = []
        for figure in self.figures:
            out = io.BytesIO()
            figure.savefig(out, format="rgba", dpi=DOTS, bbox_inches=None)
            height = round(figure.get_figheight() * DOTS)
            panels.append(np.frombuffer(out.getvalue(), np.uint8).reshape(height, -1, 4))
            # labels and legends stand where the last drawing put them: back to the SVG's places
            figure.savefig(io.StringIO(), format="svg")
        out = io.BytesIO()
        Image.fromarray(np.hstack(panels)).convert("RGB").save(out, "PNG", optimize=True)
        return out.getvalue()


def _still(figure, moving, defs):
    """A figure as SVG, with empty groups for what moves and, as `defs`, for what it refers to."""
    out = io.StringIO()
    with mpl.rc_context(AS_SVG):
        figure.savefig(out, format="svg", metadata={"Date": None})
    # the axes keep their places: what is drawn once must fit what comes
    figure.set_layout_engine("none")
    for prefix, address in (("", SVG), ("xlink", XLINK)):
        ET.register_namespace(prefix, address)
    drawing = ET.fromstring(out.getvalue())
    for group in drawing.iter(f"{{{SVG}}}g"):
        if group.get("id") in moving:
            group[:], group.text = [], None
        elif OWN_ID.fullmatch(f' id="{group.get("id")}"'):
            del group.attrib["id"]
    # Matplotlib's style sheet would hold for the whole page, its size in points for any screen.
    for child in (drawing.find(f"{{{SVG}}}metadata"), drawing.find(f"{{{SVG}}}defs")):
        drawing.remove(child)
    drawing.attrib = {
        "viewBox": drawing.get("viewBox"),
        "stroke-linejoin": "round",
        "stroke-linecap": "butt",
        "aria-hidden": "true",
    }
    ET.SubElement(drawing, f"{{{SVG}}}g", id=defs)
    return ET.tostring(drawing, encoding="unicode")


def _alone(figure, artists, defs):
    """The markup of these artists of a figure by their ids, and of what they refer to as `defs`."""
    out, parts = io.StringIO(), {}
    renderer = RendererSVG(*(72 * inches for inches in figure.get_size_inches()), out)
    for artist in artists:
        group = _written(out, lambda artist=artist: artist.draw(renderer))
        parts[artist.get_gid()] = group.partition(">")[2].rpartition("</g>")[0].strip()
    # the end of a drawing is its clip paths
    parts[defs] = _written(out, renderer.finalize).rpartition("</svg>")[0].strip()
    return parts


def _written(out, write):
    """What `write()` adds to a text stream."""
    start = out.tell()
    write()
    out.seek(start)
    return out.read()
