"""Make the opening pictures of the notebooks anew, and put their words as alt texts into the notebooks and the README.

Run it from anywhere: ``python .ci/figures.py``. Each picture is an explorer after the moves listed here.
"""
import io
import json
import re
from pathlib import Path

from PIL import Image

import miaedu as mia

FIGURES = Path(__file__).resolve().parents[1] / "notebooks" / "figures"
OPENING = {
    "00_start_here": ("overfitting", "epochs", (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)),
    "01_consequences": ("base_rate", "share", (1 / 100,)),
    "02_prerequisites": ("threshold", "threshold", (0.9,)),
    "03_algorithm": ("shadow_count", "n_shadows", (1, 2, 4, 8, 16, 32, 64)),
    "04_countermeasures": ("control_room", "noise_multiplier", ("off", 0.0, 1.0, 2.0, 8.0, 4.0)),
}


def main():
    """Write each picture, and its alt text wherever it is shown."""
    for name, (explorer, control, positions) in OPENING.items():
        shown = getattr(mia, explorer)()
        for position in positions:
            shown.controls[control].value = position
        picture = Image.open(io.BytesIO(shown.figure.png())).quantize(64, dither=Image.Dither.NONE)
        picture.save(FIGURES / f"{name}.png", optimize=True)
        for page in (FIGURES.parent / f"{name}.ipynb", FIGURES.parents[1] / "README.md"):
            if page.exists():
                words = json.dumps(shown.words)[1:-1] if page.suffix == ".ipynb" else shown.words
                text = page.read_text(encoding="utf-8")
                link = re.compile(r"!\[[^\]]*\]\(((?:notebooks/)?figures/" + name + r"\.png)\)")
                page.write_text(link.sub(lambda match: f"![{words}]({match[1]})", text), encoding="utf-8", newline="\n")
        print(f"{name}: {shown.words}")


if __name__ == "__main__":
    main()
