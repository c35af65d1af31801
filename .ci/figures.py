"""Make the opening pictures of the notebooks anew, and put their words as alt texts into the
notebooks and the README.

Run it from anywhere: ``python .ci/figures.py``. Each picture is an explorer after the moves listed
here; those of 06 and 07 are of their own.
"""

import io
import json
import re
from pathlib import Path
from types import SimpleNamespace

from sklearn.ensemble import HistGradientBoostingClassifier

import miaedu as mia
from miaedu.auditing.page import in_and_out
from miaedu.paper import words_beside_paper

ROOT = Path(__file__).resolve().parents[1]
EPOCHS = 1, 2, 3, 4, 6, 8, 12, 16, 24, 32


def papers_numbers():
    """The paper's numbers alone, for they are known: ours are to be guessed."""
    figure = mia.plot_beside_paper("table-2", guess=True).figure
    return still(figure, words_beside_paper("table-2", guess=True))


def some_exposed():
    """The most exposed members of other data than the notebook's."""
    world = mia.split(mia.load_tumours(), n_members=250, random_state=0)
    boosting = HistGradientBoostingClassifier(max_iter=20, random_state=0).fit(*world.members)
    sides = world.members, world.nonmembers
    return still(*in_and_out(mia.audit(boosting, *sides, n_models=10, progress=False)))


def still(figure, words):
    """A picture without controls, in the shape of an explorer."""

    def png():
        picture = io.BytesIO()
        figure.savefig(picture, format="png", bbox_inches="tight", metadata={"Software": None})
        return picture.getvalue()

    return SimpleNamespace(controls={}, figure=SimpleNamespace(png=png), words=words)


OPENING = {
    # these three show positions that leave open what their notebook asks the reader to predict
    "00_start_here": (lambda: mia.overfitting(more=False), "epochs", EPOCHS[:4]),
    "01_consequences": (mia.base_rate, "alarms", (5,)),
    "02_prerequisites": (mia.overfitting, "epochs", EPOCHS[:4]),
    # as they open, with one number of shadow models and no countermeasure: what others do is to be
    # guessed
    "03_algorithm": (mia.shadow_count, None, ()),
    "04_countermeasures": (mia.control_room, "noise_multiplier", ("off",)),
    # an ordinary record: whom it exposes, and how many, is to be guessed
    "05_measure_like_today": (mia.one_record, "place", (200,)),
    "06_reproduce_the_paper": (papers_numbers, None, ()),
    "07_audit_your_own_model": (some_exposed, None, ()),
}


def opening(name):
    """The explorer of a notebook's opening picture, as it is shown there."""
    explorer, control, positions = OPENING[name]
    shown = explorer()
    for position in positions:
        shown.controls[control].value = position
    return shown


def pages(name):
    """The files that show the picture, and the pattern of its Markdown there: alt text, then
    address."""
    pattern = re.compile(r"!\[([^\]]*)\]\(((?:notebooks/)?figures/" + name + r"\.png)\)")
    return [
        page for page in (ROOT / "notebooks" / f"{name}.ipynb", ROOT / "README.md") if page.exists()
    ], pattern


def main():
    """Write each picture, and its alt text wherever it is shown."""
    for name in OPENING:
        shown = opening(name)
        (ROOT / "notebooks" / "figures" / f"{name}.png").write_bytes(shown.figure.png())
        found, pattern = pages(name)
        for page in found:
            words = json.dumps(shown.words)[1:-1] if page.suffix == ".ipynb" else shown.words
            text = pattern.sub(
                lambda match, words=words: f"![{words}]({match[2]})",
                page.read_text(encoding="utf-8"),
            )
            page.write_text(text, encoding="utf-8", newline="\n")
        print(f"{name}: {shown.words}")


if __name__ == "__main__":
    main()
