"""The ``miaedu`` command: what it understands. What it does lives in its edition of the course."""

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

from . import __version__
from .editions.working_copy import NO_LAB, deliver, has_lab, open_lab, running_at

NO_NBGRADER = (
    "nbgrader is not installed beside miaedu. To install it:\n"
    f'  "{sys.executable}" -m pip install "miaedu[teach]"\n'
    "TEACHING.md, among the notebooks, says how to install the versions that were tested."
)


def main(argv=None):
    """Deliver the course and open it: what ``miaedu`` and ``python -m miaedu`` run."""
    argv = sys.argv[1:] if argv is None else argv
    if argv and argv[0] in COMMANDS:
        return COMMANDS[argv[0]](argv[1:])
    cut = argv.index("--") if "--" in argv else len(argv)
    parser = argparse.ArgumentParser(
        prog="miaedu",
        description="Put a working copy of the course into a folder and open JupyterLab on it.",
        epilog="What follows -- goes to JupyterLab, as in: miaedu -- --port=9999. Other commands: "
        f"{', '.join(COMMANDS)}; see miaedu {next(iter(COMMANDS))} --help and so on.",
    )
    folder = {"type": Path, "default": Path("miaedu-course")}
    parser.add_argument("--dir", **folder, help="the folder (default: %(default)s)")
    fresh = "reset one notebook, such as 03; yours is kept beside it"
    parser.add_argument("--fresh", metavar="NAME", help=fresh)
    only = "put the course into this folder and start no JupyterLab"
    parser.add_argument("--copy", metavar="DIR", type=Path, help=only)
    quiet = "print the address instead of opening a browser"
    parser.add_argument("--no-browser", action="store_true", help=quiet)
    parser.add_argument("--version", action="version", version=f"miaedu {__version__}")
    options = parser.parse_args(argv[:cut])
    folder = (options.copy or options.dir).absolute()
    try:
        notes = deliver(folder, options.fresh)
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        option, got = ("--copy", options.copy) if options.copy else ("--dir", options.dir)
        parser.error(f"{option} must be a folder that can be written to, got {got} ({error})")
    print(*notes, sep="\n", end="\n" * bool(notes))
    if options.copy:
        return print(f"The course is in {folder}")
    if not has_lab():
        parser.exit(1, f"The course is in {folder}\n{NO_LAB}\n")
    if address := running_at(folder):
        return print(f"The course in {folder} is open already, at {address}")
    try:
        print(f"The course is in {folder}; Ctrl-C in this window ends it.", flush=True)
        open_lab(folder, [*["--no-browser"] * options.no_browser, *argv[cut + 1 :]])
    except KeyboardInterrupt:
        pass  # pressed before JupyterLab was listening for it


def _reproduce(argv):
    from .reproduce import main as reproduce  # it needs matplotlib and scikit-learn

    return reproduce(argv)


def _teach(argv):
    """What ``miaedu teach`` understands."""
    parser = argparse.ArgumentParser(
        prog="miaedu teach",
        description="Make graded labs for nbgrader, an assignment for each notebook. How to give "
        "them to students and grade them is described in TEACHING.md, among the notebooks.",
    )
    parser.add_argument(
        "dir", metavar="DIR", type=Path, help="the folder of the nbgrader course, such as lab"
    )
    numbers = "the notebooks' numbers, such as 02 03 (default: all)"
    parser.add_argument("notebooks", nargs="*", default=(), metavar="NN", help=numbers)
    seed = "draw other data, numbers and letters; another whole number for each class"
    parser.add_argument("--seed", type=_whole, default=0, help=seed)
    filled = "add each notebook with its solutions, executed (a minute or two each)"
    parser.add_argument("--solutions", action="store_true", help=filled)
    options = parser.parse_args(argv)
    if find_spec("nbformat") is None:  # it comes with nbgrader, and with JupyterLab
        parser.exit(1, NO_NBGRADER + "\n")
    from .editions.graded_lab import teach

    _run(parser, teach, options.dir, options.notebooks, options.seed, options.solutions)
    if find_spec("nbgrader") is None:
        print(NO_NBGRADER)


def _challenge(argv):
    """What ``miaedu challenge`` understands."""
    from .editions.challenge import challenge, ranking

    parser = argparse.ArgumentParser(
        prog="miaedu challenge",
        description="Make a competition: the answers of ten targets, and the truth in a file of "
        "its own that the teacher keeps; then score what students submit.",
    )
    parser.add_argument(
        "dir", metavar="DIR", type=Path, help="the folder of the competition, such as competition"
    )
    score = "rank these submissions by the truth: CSV files, or folders of them"
    parser.add_argument("--score", nargs="+", metavar="CSV", type=Path, help=score)
    truth = "the file with the truth (default: DIR-truth.csv, beside the folder DIR)"
    parser.add_argument("--truth", type=Path, help=truth)
    seed = "draws other targets; keep it secret, since who knows it can make the truth again"
    parser.add_argument("--seed", type=_whole, help=seed + " (default: a random one)")
    options = parser.parse_args(argv)
    folder = options.dir.resolve()  # "." has no name
    truth = options.truth or folder.with_name(f"{folder.name}-truth.csv")
    if not options.score:
        return _run(parser, challenge, options.dir, truth, options.seed)
    try:
        table, refused = ranking(options.score, truth)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    print(*table, *refused, sep="\n")
    if refused:
        parser.exit(1)


def _site(argv):
    """What ``miaedu site`` understands."""
    from .editions.site.build import site

    parser = argparse.ArgumentParser(
        prog="miaedu site",
        description="Make a web site of the executed notebooks, for a blog or to read on a phone: "
        "static pages that ask no other host for anything. Run again, it does again only what has "
        "changed.",
    )
    parser.add_argument("dir", metavar="DIR", type=Path, help="the folder of the site")
    numbers = (
        "the notebooks' numbers, such as 00 02: these and no others are in the site (default: all)"
    )
    parser.add_argument("notebooks", nargs="*", default=(), metavar="NN", help=numbers)
    options = parser.parse_args(argv)
    _run(parser, site, options.dir, options.notebooks)


def _whole(text):
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, got {text!r}") from None


def _run(parser, command, folder, *arguments):
    """Print what a command says of a folder; its refusals are those of the command line."""
    try:
        print(*command(folder, *arguments), sep="\n")
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        if error.errno is None:  # a refusal of ours
            parser.error(str(error))
        parser.error(f"DIR must be a folder that can be written to, got {folder} ({error})")
    except (ValueError, OSError, ModuleNotFoundError, RuntimeError) as error:
        parser.error(str(error))


# the first word of these; everything else opens the course
COMMANDS = {"reproduce": _reproduce, "teach": _teach, "challenge": _challenge, "site": _site}

if __name__ == "__main__":
    main()
