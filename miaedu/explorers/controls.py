"""Controls: sliders, menus and buttons that can be read, heard and operated by keyboard, under
ipywidgets 7.7 and 8."""

import sys
from html import escape

import anywidget
import ipywidgets as widgets

from .browser import text_of

VIEW = "application/vnd.jupyter.widget-view+json"
WIDE = {"description_width": "initial"}


class Accessible(anywidget.AnyWidget):
    """Gives the sliders beside it their accessible names and values: ipywidgets ties no label to a
    slider's handle."""

    _esm = text_of("accessible.js")
    _css = text_of("controls.css")


def slider(label, options, value):
    """A slider over `options`, a list of values or of (label, value) pairs."""
    wide = {"width": f"{270 + 7 * len(label)}px", "max_width": "100%"}
    return widgets.SelectionSlider(
        options=options, value=value, description=label, style=WIDE, layout=wide
    )


def menu(label, options):
    """A drop-down list of (label, value) pairs; the first is chosen."""
    return widgets.Dropdown(options=options, description=label, style=WIDE)


def roc_axes():
    """The menu of the kinds of axes that a RocPanel can have."""
    return menu("ROC axes", [("linear", "linear"), ("logarithmic", "log")])


def tick(label):
    """A box to tick, off at first."""
    return widgets.Checkbox(value=False, description=label, indent=False)


def button(description, tooltip, kind=widgets.Button):
    """A button, and in more words what it does."""
    return kind(description=description, tooltip=tooltip, layout={"width": "90px"})


def row(parts, **layout):
    """Widgets side by side, in more lines where the page is narrow."""
    return widgets.HBox(parts, layout={"flex_flow": "row wrap", "align_items": "center", **layout})


def folded(parts):
    """A button, and the row of widgets that it shows and hides."""
    hidden = row(parts, display="none")
    unfold = button("more", "Show more controls", widgets.ToggleButton)

    def turn(change):
        hidden.layout.display = "flex" if change.new else "none"

    unfold.observe(turn, "value")
    return [unfold, hidden]


def column(parts, name):
    """Widgets one below the other, as a box of the CSS class `name`."""
    box = widgets.VBox(parts)
    box.add_class(name)
    return box


def mime_bundle(box, **still):
    """What a notebook shows: a widget, and for viewers without widgets what is `still`, by its MIME
    type; with metadata.

    ipywidgets 7.7 has no method for it. Colab, which has that version, shows widgets of other
    makers through a manager that the metadata name.
    """
    bundle = {VIEW: {"version_major": 2, "version_minor": 0, "model_id": box.model_id}, **still}
    if "google.colab.output" not in sys.modules:
        return bundle, {}
    output = sys.modules["google.colab.output"]
    output.enable_custom_widget_manager()
    address = output._widgets._installed_url
    if address is None:  # widgets of other makers are turned off
        return bundle, {}
    return bundle, {VIEW: {"colab": {"custom_widget_manager": {"url": address}}}}


def verdict_box(line, helps):
    """The box of an exercise's verdict: a `line` of HTML, and a button for each of the `helps`, a
    dict from "Hint" or "Solution" to its text."""
    shown = widgets.HTML()
    buttons = []
    for name, text in helps.items():
        text = f"<pre>{escape(text)}</pre>" if name == "Solution" else escape(text)
        buttons.append(button(name, f"Show the {name.lower()} of this exercise"))
        buttons[-1].on_click(
            lambda _, text=text: setattr(shown, "value", "" if shown.value == text else text)
        )
    return column([widgets.HTML(line), widgets.HBox(buttons), shown], "miaedu-verdict")
