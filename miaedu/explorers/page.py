"""save_page: an explorer as one HTML file for a blog, its frames computed before: no kernel, no
network, no library."""

import json
from html import escape
from pathlib import Path

from .browser import fill, text_of


def save_page(
    explorer, path, control=None, title="Membership inference: was this record in the training set?"
):
    """Write one HTML file in which a range input moves one control of an :class:`Explorer` over
    frames computed now.

    >>> import tempfile, miaedu as mia
    >>> path = Path(tempfile.mkdtemp()) / "overfitting.html"
    >>> mia.save_page(mia.overfitting(), path).stat().st_size < 300_000
    True

    `control`, the name of a slider of the explorer (the first by default); the others stay where
    they are. Each frame is a real run. Returns the path. Raises ValueError for a control that the
    explorer does not have or that is no slider.
    """
    control = control or next(iter(explorer.controls))
    knob = explorer.controls.get(control)
    if not hasattr(knob, "options"):
        raise ValueError(
            f"control must be the name of a slider among {', '.join(explorer.controls)}, got "
            f"{control!r}"
        )
    here = explorer.values()
    frames = _frames(explorer, [(name, here | {control: value}) for name, value in options(knob)])
    start = knob.index
    page = fill(
        "page.html",
        title=escape(title),
        label=escape(knob.description),
        last=len(frames) - 1,
        start=start,
        figure=fill("figure.html", svg=explorer.figure.svg(frames[start]["parts"])),
        count=len(frames),
        code=escape(frames[start]["code"]),
        style=text_of("figure.css") + text_of("page.css"),
        # a text that ends a script would end this one
        frames=json.dumps(frames).replace("</", "<\\/"),
        script=text_of("frame.js") + text_of("page.js"),
    )
    Path(path).write_text(page, encoding="utf-8")
    return Path(path)


def options(control):
    """The positions of a slider or menu: (label, value) pairs."""
    return [
        position
        if isinstance(position, tuple) and len(position) == 2
        else (str(position), position)
        for position in control.options
    ]


def _frames(explorer, settings):
    """What the explorer shows at each of these (label, values), as the live figure gets it."""
    here = explorer.values()
    # once for the figures that remember what was tried, and once to take the frames
    for _, values in settings:
        explorer.show(values)
    frames = []
    for label, values in settings:
        explorer.show(values)
        frames.append({"value": label, "numbers": explorer.numbers, **explorer.frame})
    explorer.show(here)
    return frames
