"""What runs in the browser: scripts, styles and pages, as files."""

from pathlib import Path
from string import Template

FOLDER = Path(__file__).parent


def text_of(name):
    """The text of one of the files."""
    return (FOLDER / name).read_text(encoding="utf-8")


def fill(name, /, **values):
    """The text of one of the files, with `values` in place of their ``$names``."""
    return Template(text_of(name)).substitute(values)
