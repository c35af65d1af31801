"""save_page: an explorer as one HTML file for a blog, its frames computed before: no kernel, no
network, no library."""

import json
import re
from html import escape
from pathlib import Path
from urllib.parse import quote

import ipywidgets as widgets

from .browser import fill, text_of
from .frames import forget, frames_of

PRESETS = 3  # at most: each is as many frames again
SLIDER = widgets.SelectionSlider
PLACES, MORE_DECIMALS = re.compile(r' [dxy]="[^"]+"'), re.compile(r"(\.\d\d)\d+")
COMMAND = re.compile(r"\s*([MLQCz])\s*")  # of a path; it needs no spaces


def save_page(explorer, path, control=None, title=None, presets=None, progress=True):
    """Write one HTML file in which a reader moves one control of an :class:`Explorer` over frames
    computed now, and beside it a still picture, a PNG; print the lines that embed the page.

    >>> import tempfile, miaedu as mia
    >>> path = Path(tempfile.mkdtemp()) / "overfitting.html"
    >>> presets = {"small": {"hidden": 8}, "large": {"hidden": 128}}
    >>> page = mia.save_page(mia.overfitting(), path, presets=presets)  # doctest: +ELLIPSIS
    <iframe src="overfitting.html" ...
    >>> page.stat().st_size < 400_000
    True

    `control`, the name of a slider, menu or tick box of the explorer (the first control by
    default); `title`, the picture's own with the control's if not given; `presets`, at most three:
    a dict from what the page calls them to the values of other controls by name (without it these
    stay where they are); `progress`, whether to show a bar. Each frame is a real run. It shows of
    the others only those that the reader has been to. The address may tell where the page opens:
    ``overfitting.html#epochs=8&preset=large``.

    Returns the path. Raises ValueError for a path that does not end in .html or whose folder does
    not exist, and for a control, preset or value that the explorer does not have.
    """
    if not hasattr(explorer, "controls"):
        called = f"; did you mean {explorer.__name__}()?" if callable(explorer) else ""
        raise TypeError(f"explorer must be an Explorer, got a {type(explorer).__name__}{called}")
    path = _checked_path(path)
    control = control or next(iter(explorer.controls))
    if control not in explorer.controls:
        raise ValueError(f"control must be one of {', '.join(explorer.controls)}, got {control!r}")
    presets = {"": {}} if presets is None else _checked_presets(presets, explorer, control)
    knob = explorer.controls[control]
    labels, values = zip(*options(knob), strict=True)
    here, start = explorer.values(), values.index(knob.value)
    settings = [
        [here | preset | {control: value} for value in values] for preset in presets.values()
    ]
    frames, lines, picture, still = _computed(explorer, settings, start, progress)

    title = title or _title(explorer, knob)
    fields = {"knob": {"name": control, "labels": labels}}
    if len(presets) > 1:
        fields["preset"] = {"name": "preset", "labels": list(presets)}
    data = {"fields": fields, "lines": lines, **_without_repeats(frames)}
    page = fill(
        "page.html",
        title=escape(title),
        knob=_field("knob", knob.description, labels, start, isinstance(knob, SLIDER)),
        preset=_field("preset", "with", list(presets), 0) if len(presets) > 1 else "",
        figure=fill("figure.html", svg=picture),
        count=len(frames),
        style=text_of("figure.css") + text_of("page.css"),
        dark=text_of("page_dark.css"),
        # a text that ends a script would end this one
        data=json.dumps(data).replace("</", "<\\/"),
        script=text_of("frame.js") + text_of("page.js"),
    )
    path.write_text(page, encoding="utf-8")
    path.with_suffix(".png").write_bytes(still)
    address = quote(path.name)
    print(fill("page_embed.html", address=address, name=escape(path.stem), title=escape(title)))
    return path


def options(control):
    """The positions of a slider, menu or tick box: (label, value) pairs."""
    if isinstance(control, widgets.Checkbox):
        return [("off", False), ("on", True)]
    return [
        position
        if isinstance(position, tuple) and len(position) == 2
        else (str(position), position)
        for position in control.options
    ]


def _checked_path(path):
    path = Path(path)
    if path.suffix != ".html" or not path.parent.is_dir():
        raise ValueError(
            f"path must end in .html and lie in a folder that exists, got {str(path)!r}"
        )
    return path


def _checked_presets(presets, explorer, control):
    if not isinstance(presets, dict) or not 1 <= len(presets) <= PRESETS:
        raise ValueError(
            f"presets must be a dict of 1 to {PRESETS} presets by name, got {presets!r}"
        )
    others = {name: knob for name, knob in explorer.controls.items() if name != control}
    for name, values in presets.items():
        if not isinstance(values, dict) or not values.keys() <= others.keys():
            moved = f" ({control} is what the reader moves)" * (
                isinstance(values, dict) and control in values
            )
            raise ValueError(
                f"presets must lead to dicts of the values of {', '.join(others) or 'no control'}"
                f"{moved}, got {values!r} for {name!r}"
            )
        for other, value in values.items():
            allowed = [value for _, value in options(others[other])]
            if value not in allowed:
                raise ValueError(
                    f"presets must set {other} to one of {allowed}, got {value!r} for {name!r}"
                )
    return presets


def _computed(explorer, settings, start, progress):
    """Frames, the lines that grow, and the picture of the first setting's `start` as SVG and PNG.
    The explorer is left as it was."""
    figure, tried = explorer.figure, explorer.figure.tried
    try:
        frames, lines = frames_of(explorer, settings, progress)
        picture = figure.svg(frames[start]["parts"])
        forget(figure)
        opening = settings[0][start]
        figure.update(explorer.results_at(opening), opening)
        return frames, lines, picture, figure.png()
    finally:
        figure.tried = tried
        if explorer.results:
            figure.update(explorer.results, explorer.values())
        figure.tried = tried


def _without_repeats(frames):
    """The frames with numbers for their parts, and the markup of each number: most parts are the
    same in many frames."""
    numbers, numbered = {}, []
    for frame in frames:
        parts = {
            gid: numbers.setdefault(_shorter(part), len(numbers))
            for gid, part in frame["parts"].items()
        }
        numbered.append(frame | {"parts": parts})
    return {"frames": numbered, "markup": list(numbers)}


def _shorter(markup):
    """Markup whose coordinates have two decimals: a hundredth of a pixel or two is not seen."""

    def shorter(place):
        return COMMAND.sub(r"\1", MORE_DECIMALS.sub(r"\1", place[0]))

    return PLACES.sub(shorter, markup)


def _title(explorer, knob):
    """What the right panel shows, and the control that moves it."""
    panel = explorer.figure.figures[1].axes[0].get_title(loc="left")
    return f"{' '.join(panel.split())}: {knob.description}"


def _field(name, label, labels, start, is_slider=False):
    """The HTML of a control of the page."""
    if is_slider:
        last, label = len(labels) - 1, escape(label)
        return fill("page_slider.html", label=label, last=last, start=start)
    choices = [
        fill(
            "page_choice.html",
            field=name,
            place=place,
            label=escape(text),
            checked="checked" * (place == start),
        )
        for place, text in enumerate(labels)
    ]
    return fill("page_choices.html", label=escape(label), choices="".join(choices))
