"""What the tests of the notebooks share: their cells and sentences, an exercise's own answer, an
interval over seeds."""

import ast
from functools import cache
from pathlib import Path

import nbformat
import numpy as np
import pytest
from scipy import stats

import miaedu as mia
from miaedu import experiment
from miaedu.editions.graded_lab import is_how_to_run
from miaedu.explorers import EXPLORERS

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

# these train many networks with many a move
HEAVY = "falsely_accused", "low_fpr", "one_record", "shadow_count", "control_room"


def each(names):
    """Run a test on every one of these explorers, on the heavy ones where slow tests run."""
    marks = {name: [pytest.mark.slow] * (name in HEAVY) for name in names}
    params = [pytest.param(name, marks=marks[name]) for name in names]
    return pytest.mark.parametrize("name", params)


each_explorer = each([make.__name__ for make in EXPLORERS])


def cells(number, kind=None):
    """The cells of the lesson, of one kind or all, in the notebook whose name starts with
    `number`."""
    (path,) = (path for path in NOTEBOOKS if path.stem.startswith(number))
    return [cell for cell in lesson_of(path) if kind in (None, cell.cell_type)]


def lesson_of(path):
    """The cells of a notebook without the two that say how to run it, and install it in Colab."""
    return [c for c in nbformat.read(path, as_version=4).cells if not is_how_to_run(c)]


def one_line(text):
    """A text with single spaces and no line breaks."""
    return " ".join(text.split())


def sentence(number, text):
    """`text` on one line, after asserting that it stands in exactly one markdown cell of the
    notebook: a claim that names its sentence fails when the sentence changes."""
    wanted = one_line(text)
    found = [cell for cell in cells(number, "markdown") if wanted in one_line(cell.source)]
    assert len(found) == 1, f"in {len(found)} cells of notebook {number}: {wanted!r}"
    return wanted


def exercise_cell(key):
    """The code cell of an exercise, and the markdown above it."""
    above = None
    for cell in cells(key[:2]):
        if cell.metadata.get("exercise") == key:
            return cell, above
        if cell.cell_type == "markdown":
            above = cell
    raise AssertionError(f"no cell asks {key}")


def asked(key):
    """The source of what the cell of an exercise gives to `check`."""
    for node in ast.walk(ast.parse(exercise_cell(key)[0].source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "mia.check":
            return ast.unparse(node.args[1])
    raise AssertionError(f"the cell of {key} checks nothing")


@cache
def tables_of_07():
    """What the cells of notebook 07 define before its first audit."""
    names = {}
    for cell in cells("07", "code"):
        if "mia.audit" in cell.source:
            return names
        exec(cell.source, names)


def solved(key, old="", new=""):
    """The answer that the solution's source gives, run as a reader would run it, if they changed
    `old` to `new` first."""
    source, names = mia.solution(key), {"mia": mia, "np": np}
    assert old in source
    if key[:2] == "07":  # the reader's model is made of the notebook's tables
        names |= tables_of_07()
    exec(source.replace(old, new) if old else source, names)
    return names["answer"] if "answer" in names else eval(asked(key), names)


def interval(values, confidence=0.99):
    """The ends of Student's interval for the mean over seeds: independent data, splits and
    networks."""
    half = stats.t.ppf((1 + confidence) / 2, len(values) - 1) * stats.sem(values)
    return np.mean(values) - half, np.mean(values) + half


def parts_of(e):
    """World, target and shadow models of an Experiment, as `run` makes them."""
    made, plain = {}, experiment.stage

    def noted(e, function, fields, *inputs):
        made[function.__name__] = plain(e, function, fields, *inputs)
        return made[function.__name__]

    experiment.stage = noted
    try:
        mia.run(e)
    finally:
        experiment.stage = plain
    return made["deal"](), made["train_target"]().at(e.epochs), made["stop_shadows"]()
