"""An explorer on the web site: its static page in a frame, with the lines to embed it elsewhere.

The site is made of executed notebooks. In their kernels :func:`show_twins` tells IPython to show
each explorer so; neither the notebooks nor the explorers know of it.
"""

from contextlib import redirect_stdout
from html import escape
from io import StringIO
from pathlib import Path
from string import Template

from ...explorers import machine
from ...explorers.page import options, save_page

PAGES = "explorers"  # the folder of the pages on the site
TEMPLATE = Path(__file__).parent / "theme" / "twin.html"

# The control that moves, and the settings of the others to choose from, by the labels of their
# positions: those that the notebooks ask to try. Any other explorer moves its first control.
TWINS = {
    "overfitting": (
        "epochs",
        {f"{members} members": {"n_members": members} for members in ("500", "100", "1000")},
    ),
    "base_rate": (
        "alarms",
        {f"members: {share}": {"share": share} for share in ("1 in 2", "1 in 100", "1 in 1,000")},
    ),
    "shadow_count": (
        "n_shadows",
        {f"the attack: {attack}": {"attack": attack} for attack in ("of 2017", "calibrated")},
    ),
    "confidence_hiding": (
        "top_k",
        {
            "nothing else": {},
            "temperature 20": {"softened": "20.0"},
            "labels only": {"labels_only": "on"},
        },
    ),
    "control_room": (
        "epochs",
        {
            "no countermeasure": {},
            "all but the label hidden": {"hide": "all but the label"},
            "noise 4": {"noise_multiplier": "4"},
        },
    ),
    "low_fpr": (
        "n_shadows",
        {
            f"the attack: {attack}": {"attack": attack}
            for attack in ("of 2017", "calibrated", "LiRA, auditor's view")
        },
    ),
    "one_record": (
        "place",
        {"out of the training set": {"inside": "off"}, "in it": {"inside": "on"}},
    ),
}


def show_twins(number, folder):
    """From now on, show each explorer in this kernel as its page, which is written into `folder`
    under a name that starts with `number`, the notebook's."""
    from IPython import get_ipython

    # nobody waits in front of a site: explorers start as the lessons have it, on a slow machine too
    machine.AFFORDABLE = float("inf")
    folder = Path(folder)

    def show(explorer):
        name = f"{number}-{name_of(explorer)}"
        again = len(list(folder.glob(f"{name}*.html")))
        name += f"-{again + 1}" * (again > 0)
        return {"text/plain": explorer.words, "text/html": twin(explorer, folder / name)}, {}

    formatter = get_ipython().display_formatter.mimebundle_formatter
    formatter.for_type_by_name("miaedu.explorers.explorer", "Explorer", show)


def name_of(explorer):
    """The name of an explorer's family file, such as "overfitting"."""
    return type(explorer.figure).__module__.rpartition(".")[2]


def twin(explorer, path):
    """Write the page of an explorer, and its still picture, to `path` with the endings .html and
    .png; the HTML that shows it on the site."""
    control, presets = settings(explorer)
    page = path.with_name(f"{path.name}.html")
    with redirect_stdout(StringIO()) as printed:
        save_page(explorer, page, control, presets=presets, progress=False)
    lines = printed.getvalue().strip()
    frame = lines.partition("\n")[0].replace('src="', f'loading="lazy" src="{PAGES}/', 1)
    named = {"address": f"{PAGES}/{path.name}", "embed": escape(lines, quote=False)}
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(frame=frame, **named)


def settings(explorer):
    """The control that moves on the site, and the presets; None for none.

    >>> import miaedu as mia
    >>> settings(mia.overfitting())[1]["100 members"]
    {'n_members': 100}
    >>> settings(mia.threshold())
    (None, None)
    """
    control, presets = TWINS.get(name_of(explorer), (None, {}))
    used = {name for preset in presets.values() for name in preset}
    if not presets or not used <= explorer.controls.keys():
        return control, None
    values = {name: dict(options(explorer.controls[name])) for name in used}
    return control, {
        called: {name: values[name][label] for name, label in preset.items()}
        for called, preset in presets.items()
    }
