"""What the tests of the graded lab share: students, and nbgrader run as a teacher runs it."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat

from miaedu.editions.graded_lab import lab
from miaedu.exercises import solved

ASKED = "write one or two sentences before you run on"  # of a prediction


def made(path, seed=0):
    """The lab of a notebook."""
    return lab(nbformat.read(path, as_version=4), seed)


def grade_id(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def answered(released, keys, seed=0, before=""):
    """A released notebook with the solutions of these exercises pasted into their cells, as a
    student would, and `before` run in the first cell."""
    notebook = nbformat.read(released, as_version=4)
    for cell in notebook.cells:
        key = grade_id(cell).replace("-", ".", 1)
        if key in keys:
            cell.source += solved(key, seed)
        if grade_id(cell).endswith("-prose") and keys:
            cell.source = "Most of them, because the target has seen records like these."
    (first, *_) = [cell for cell in notebook.cells if cell.cell_type == "code"]
    first.source += "\n" + before
    return notebook


def submit(notebook, course, student, name):
    folder = course / "submitted" / student / name
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / f"{name}.ipynb")


def nbgrader(course, *arguments):
    """Run nbgrader in a course, in an environment as an activated one is; its warnings and
    errors."""
    beside = Path(sys.executable).parent
    assert list(beside.glob("nbgrader*")), "install it: pip install -e '.[test,teach]'"
    env = os.environ | {"PATH": f"{beside}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [beside / "nbgrader", *arguments], cwd=course, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return re.findall(r"^.*(?:WARNING|ERROR|CRITICAL|Warning:).*$", done.stderr, re.M)


def grades(course):
    """The exported table: a dict from a student to their score."""
    assert nbgrader(course, "export") == []
    with (course / "grades.csv").open(newline="") as file:
        return {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
