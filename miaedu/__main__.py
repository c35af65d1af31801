"""The ``miaedu`` command: what it understands. What it does lives in its edition of the course."""

import argparse
import sys
from pathlib import Path

from . import __version__
from .editions.working_copy import deliver, open_lab, running_at


def main(argv=None):
    """Deliver the course and open it: what ``miaedu`` and ``python -m miaedu`` run."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["reproduce"]:
        from .reproduce import main as reproduce  # it needs matplotlib and scikit-learn

        return reproduce(argv[1:])
    cut = argv.index("--") if "--" in argv else len(argv)
    parser = argparse.ArgumentParser(
        prog="miaedu",
        description="Put a working copy of the course into a folder and open JupyterLab on it.",
        epilog="What follows -- goes to JupyterLab, as in: miaedu -- --port=9999. Another command: "
        "miaedu reproduce --help",
    )
    folder = {"type": Path, "default": Path("miaedu-course")}
    parser.add_argument("--dir", **folder, help="the folder (default: %(default)s)")
    fresh = "set one notebook back, such as 03; yours is kept beside it"
    parser.add_argument("--fresh", metavar="NAME", help=fresh)
    quiet = "print the address instead of opening a browser"
    parser.add_argument("--no-browser", action="store_true", help=quiet)
    parser.add_argument("--version", action="version", version=f"miaedu {__version__}")
    options = parser.parse_args(argv[:cut])
    folder = options.dir.absolute()
    try:
        notes = deliver(folder, options.fresh)
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        parser.error(f"--dir must be a folder that can be written to, got {options.dir} ({error})")
    print(*notes, sep="\n", end="\n" * bool(notes))
    if address := running_at(folder):
        return print(f"The course in {folder} is open already, at {address}")
    try:
        print(f"The course is in {folder}; Ctrl-C in this window ends it.", flush=True)
        open_lab(folder, [*["--no-browser"] * options.no_browser, *argv[cut + 1 :]])
    except KeyboardInterrupt:
        pass  # pressed before JupyterLab was listening for it


if __name__ == "__main__":
    main()
