"""Is everything in place that the course needs? What is wrong is said together with its remedy."""

import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, distributions
from pathlib import Path

PYTHON = "{}.{}.{}".format(*sys.version_info)
RESTART = (
    "close JupyterLab and start the course with the command miaedu, which brings the right kernel "
    "along"
)


@dataclass(frozen=True)
class Checkup:
    """What `check_environment` found: `problems`, one sentence each with its remedy. Print it."""

    problems: tuple

    def __repr__(self):
        found = "This needs mending:" if self.problems else "All is well."
        return "\n".join(
            [f"Python {PYTHON}. {found}", *(f"- {problem}" for problem in self.problems)]
        )


def check_environment():
    """Look whether this kernel's Python, its packages and the course's data are fit for the
    notebooks.

    >>> check_environment()  # doctest: +ELLIPSIS
    Python 3...

    Packages are held against what the installed miaedu asks for. Returns a :class:`Checkup`; raises
    nothing.
    """
    here = Path(__file__).resolve().parent
    try:
        course = distribution("miaedu")
    except PackageNotFoundError:
        return Checkup(
            (
                f"miaedu, in {here}, is not installed in this kernel's Python, {sys.executable}: "
                f"{RESTART}",
            )
        )
    problems, installed = (
        list(_packages(course.metadata)),
        Path(course.locate_file("miaedu")).resolve(),
    )
    if installed.is_dir() and installed != here:  # an editable install has no such folder
        problems.append(
            f"this kernel uses the miaedu in {here}, but the one installed is in {installed}: "
            f"{RESTART}"
        )
    return Checkup(tuple(problems or _data()))  # data cannot be read without packages


def _packages(asked):
    from packaging.requirements import Requirement  # comes along with every kernel

    for need in map(
        Requirement, [f"Python{asked['Requires-Python']}", *(asked.get_all("Requires-Dist") or [])]
    ):
        # others are asked for by an extra alone
        if need.marker is None or need.marker.evaluate({"extra": ""}):
            versions = (package.version for package in distributions(name=need.name))
            found = PYTHON if need.name == "Python" else next(versions, "none")
            if found == "none" or not need.specifier.contains(found, prereleases=True):
                pip = (
                    f'run "{sys.executable}" -m pip install --upgrade "{need}" in a terminal, then '
                    "restart the kernel"
                )
                remedy = (
                    "install a newer Python, and miaedu in it" if need.name == "Python" else pip
                )
                yield f"{need.name} must be {need.specifier or 'there'}, found {found}: {remedy}"


def _data():
    from .data import LOADERS

    for load in LOADERS.values():
        try:
            load()
        except (OSError, ValueError) as error:
            yield str(error)
