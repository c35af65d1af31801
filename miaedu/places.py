"""Where the course lies: inside an installed miaedu, or in the checkout that miaedu lies in."""

from pathlib import Path


def course(*parts):
    """The path of a file or folder of the course, such as ``course("data", "clinic.md")``.

    >>> course("data", "clinic.md").exists()
    True
    """
    here = Path(__file__).resolve().parent
    return (here / "course" if (here / "course").is_dir() else here.parent).joinpath(*parts)
