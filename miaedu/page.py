"""save_page: an explorer as one HTML file for a blog, its frames computed before: no kernel, no
network, no library."""

import io
import json
import xml.etree.ElementTree as ET
from html import escape
from pathlib import Path

import matplotlib as mpl

SVG = "http://www.w3.org/2000/svg"
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
 body {{ font: 1rem/1.45 system-ui, sans-serif; max-width: 60rem; margin: 1rem auto; padding: 0 1rem }}
 body {{ color: #222; background: #fff }}
 svg {{ width: 100%; height: auto; background: #fff }} svg text {{ font-family: system-ui, sans-serif !important }}
 input {{ width: min(24rem, 90%) }} small {{ color: #444 }}
</style>
<h1>{title}</h1>
<p><label for="knob">{label}: <output id="value" for="knob"></output></label><br>
<input id="knob" type="range" min="0" max="{last}" step="1" value="{start}"></p>
<figure style="margin:0">{svg}<figcaption id="words" aria-live="polite"></figcaption></figure>
<p><small>{how}</small></p>
<script>
const frames = {frames}, knob = document.getElementById("knob"), picture = document.getElementById("picture");
function show() {{
  const frame = frames[knob.value];
  for (const [id, markup] of Object.entries(frame.parts)) document.getElementById(id).innerHTML = markup;
  picture.setAttribute("aria-label", frame.words);
  document.getElementById("words").textContent = frame.words;
  document.getElementById("value").textContent = frame.value;
  knob.setAttribute("aria-valuetext", frame.value);
}}
knob.addEventListener("input", show);
show();
</script></html>
"""


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
    moving = {f"live{i}": artist for i, artist in enumerate(explorer.figure.moving)}
    for gid, artist in moving.items():
        artist.set_gid(gid)
    start, here = knob.index, explorer.values()
    settings = [(label, here | {control: value}) for label, value in knob._options_full]
    # once for the figures that remember what was tried, and once to take the frames
    for _, values in settings:
        explorer.show(values)
    frames = []
    for label, values in settings:
        explorer.show(values)
        background = _svg(explorer.figure.figure)
        groups = {
            group.get("id"): group
            for group in background.iter(f"{{{SVG}}}g")
            if group.get("id") in moving
        }
        parts = {
            gid: "".join(ET.tostring(child, encoding="unicode") for child in groups.get(gid, ()))
            for gid in moving
        }
        frames.append({"words": explorer.words, "value": label, "parts": parts})
        for group in groups.values():
            group[:] = []
    explorer.show(here)
    background.set("id", "picture")
    background.set("role", "img")
    code = escape(explorer.results[0].experiment.code)
    how = (
        f"Nothing is computed in this page. Each of its {len(frames)} pictures is a real attack on "
        "a model trained for it, computed beforehand with miaedu; the one it opened with by "
        f"{code}."
    )
    page = PAGE.format(
        title=escape(title),
        label=escape(knob.description),
        last=len(frames) - 1,
        start=start,
        how=how,
        svg=ET.tostring(background, encoding="unicode"),
        frames=json.dumps(frames).replace("</", "<\\/"),
    )
    Path(path).write_text(page, encoding="utf-8")
    return Path(path)


def _svg(figure):
    """The whole figure as an SVG element, moving parts included; text as text, and the same ids
    every time."""
    out = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "miaedu"}):
        figure.savefig(out, format="svg", metadata={"Date": None})
    for prefix, address in (("", SVG), ("xlink", "http://www.w3.org/1999/xlink")):
        ET.register_namespace(prefix, address)
    return ET.fromstring(out.getvalue())
