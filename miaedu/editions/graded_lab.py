"""The course as a graded lab: nbgrader's source notebooks, made out of the lessons.

An exercise's cell becomes a cell to be answered, with the solution between nbgrader's marks, and a
test of it with points. No widget stands on the way: nbgrader runs every cell at grading, and
widgets do not answer there.
"""

import re
from copy import deepcopy
from numbers import Integral
from pathlib import Path

import nbformat

from ..checks import check_number
from ..exercises import find, in_the_variant, solved
from ..exercises.variant import drawn, letters_of, moved_source, order_of
from ..explorers import EXPLORERS
from ..places import course
from .marking_sheet import marking_sheet, points_of

OPTION = re.compile(r"^- ([a-e])\) (.*(?:\n(?!-|\n).*)*)", re.M)  # of a question
TIMEOUT = 120  # seconds a cell may take at grading; the slowest of the course takes about ten
CONFIG = f"""# Made by miaedu teach: how nbgrader makes and grades these labs.
import warnings

from jupyter_client.manager import KernelManager
from sqlalchemy.exc import SAWarning

from miaedu.editions.hidden_tests import sanitizing

# about nbgrader's own use of its gradebook, at each submission; it harms nothing
warnings.filterwarnings("ignore", category=SAWarning)
c = get_config()
c.CourseDirectory.course_id = "miaedu"
c.Autograde.sanitize_preprocessors = sanitizing()
if KernelManager.class_traits().get("transport_encryption"):
    c.KernelManager.transport_encryption = "auto"  # newer kernels warn where nothing is encrypted
c.Execute.timeout = {TIMEOUT}
c.ClearSolutions.code_stub = {{"python": ""}}
c.ClearSolutions.text_stub = "Your answer."
"""


NEXT = """Next, in a terminal in {folder}, with the environment of miaedu[teach] active:
  nbgrader generate_assignment {name}    makes release/{name}, which the students get
  nbgrader autograde {name}              grades what lies in submitted/STUDENT/{name}
  nbgrader export                        writes grades.csv{others}
Grading runs the students' code: do it in a container or in an account made for this alone."""


def teach(folder, notebooks=(), seed=0, solutions=False):
    """Write a course of nbgrader into a folder, an assignment for each of the notebooks, and return
    lines about each, and about what comes next.

    `notebooks`, their numbers such as "03", or their names, all by default; `seed`, a variant with
    other data, numbers and letters, 0 for those of the course; `solutions`, whether to add each
    notebook with all solutions, executed. A configuration that is there already is kept.
    ValueError: there is no such notebook, or it has no exercise and would be worth 0 points; the
    folder has the name of a notebook. FileExistsError: an assignment is there already, and differs.
    """
    folder, said = Path(folder), []
    check_number("seed", seed, Integral)
    if is_a_notebook(folder.name):
        raise ValueError(
            f"DIR must be the folder of the labs, and notebooks follow it, as in: miaedu teach lab "
            f"{folder.name}; got a notebook, {folder}"
        )
    labs = {path.stem: lab(nbformat.read(path, 4), seed, path.name) for path in found(notebooks)}
    for name, notebook in labs.items():
        there = folder / "source" / name / f"{name}.ipynb"
        if there.exists() and nbformat.read(there, 4) != notebook:
            raise FileExistsError(
                f"{there} is there already, and differs, by your changes or by its seed: choose "
                "another folder, or move it away"
            )
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):  # it will hold answers and marks
        (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    if not (folder / "nbgrader_config.py").exists():
        (folder / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    for name, notebook in labs.items():
        assignment = folder / "source" / name
        assignment.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, assignment / f"{name}.ipynb")
        _copy_pictures(notebook, assignment)
        (folder / "marking").mkdir(exist_ok=True)
        sheet = marking_sheet(name, keys_of(notebook), seed)
        (folder / "marking" / f"{name}.md").write_text(sheet, encoding="utf-8")
        said.append(
            f"{name}: {total_points(notebook)} points; marking sheet, with the answers: "
            f"{folder / 'marking' / name}.md"
        )
        if solutions:
            (folder / "solutions").mkdir(exist_ok=True)
            _copy_pictures(notebook, folder / "solutions")
            nbformat.write(executed(notebook), folder / "solutions" / f"{name}.ipynb")
            said.append(f"  with solutions, executed: {folder / 'solutions' / name}.ipynb")
    name, *others = labs
    the_same = f"\nThe same for {', '.join(others)}." if others else ""
    return [*said, NEXT.format(folder=folder, name=name, others=the_same)]


def found(named):
    """The paths of notebooks that are named "03", "3" or "03_algorithm"; of all for none."""
    paths = sorted(course("notebooks").glob("[0-9]*.ipynb"))
    known = {path.stem[:2]: path for path in paths}
    names = {path.stem: number for number, path in known.items()}
    numbers = set()
    for name in named:
        two_digits = f"0{name}" if len(name) == 1 else name
        number = names.get(name.removesuffix(".ipynb"), two_digits)
        if number not in known:
            raise ValueError(f"a notebook must be one of {', '.join(known)}, got {name!r}")
        numbers.add(number)
    return [known[number] for number in sorted(numbers or known)]


def is_a_notebook(name):
    """Whether a name is one of the course's notebooks.

    >>> is_a_notebook("03"), is_a_notebook("lab")
    (True, False)
    """
    try:
        return bool(found([name]))
    except ValueError:
        return False


def _copy_pictures(notebook, folder):
    for name in re.findall(r"\]\((figures/[^)]+)\)", _text(notebook)):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(course("notebooks", name).read_bytes())


def lab(notebook, seed=0, name="the notebook"):
    """A lesson as an assignment's source notebook.

    >>> lesson = nbformat.read(course("notebooks", "00_start_here.ipynb"), 4)
    >>> keys_of(lab(lesson)), total_points(lab(lesson))
    (['00.q1', '00.q2', '00.q3'], 3)

    Cells that ask no exercise stay as they are, but for explorers, which are widgets. The lines on
    how to run the lesson are left out: they lead to the lesson, not to the assignment. Links lead
    to the course's notebooks one folder above, as students put an assignment into their course.
    """
    lesson = [cell for cell in deepcopy(notebook.cells) if not is_how_to_run(cell)]
    for cell in lesson:
        cell.source = re.sub(r"\]\((\d\d_\w+\.ipynb)", r"](../\1", cell.source)
    cells, keys = [], [cell.metadata.get("exercise") for cell in lesson]
    for i, cell in enumerate(lesson):
        if keys[i]:
            cells += exercise_cells(cell, keys[i], seed)
        else:
            cells.append(_without_widget(cell))
        if cell.source.startswith("my_guess = None"):  # before the lesson tells
            cells += prose_cells(next(filter(None, keys[i:])), cell.id)
    with drawn(seed):
        for key in filter(None, keys):
            _redraw(cells, key)
    made = nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)
    if not total_points(made):
        raise ValueError(f"{name} asks no exercise: the assignment would be worth 0 points")
    nbformat.validate(made)
    return made


def is_how_to_run(cell):
    """Whether a cell says how a lesson is run, or installs the course where it is missing."""
    return "how-to-run" in cell.metadata.get("tags", [])


def exercise_cells(cell, key, seed):
    """What an exercise's cell becomes: the data of a variant, the cell to be answered, the test,
    and back to the lesson's data."""
    exercise, name = find(key), key.replace(".", "-")
    scaffold, names = _parts(cell.source)
    with drawn(seed):
        scaffold = in_the_variant(scaffold, exercise, key)
        data = moved_source(exercise.data) if seed else ""
    answer = f"{scaffold}\n\n### BEGIN SOLUTION\n{solved(key, seed).strip()}\n### END SOLUTION"
    points = points_of(exercise)
    variant = f", seed={seed}" if seed else ""
    test = f"""mia.check("{key}", {names}{variant}).told()
### BEGIN HIDDEN TESTS
import importlib
import miaedu.editions.verdict

verdict = importlib.reload(miaedu.editions.verdict)
mark = verdict.take("{key}", {names}, points={points.test}, seed={seed})
{_cleared(names)}
mark.counted()
### END HIDDEN TESTS"""
    made = []
    if data:
        said = f"# For exercise {key} the data are drawn again, for your class\n"
        made.append(_code(f"{name}-data", said + data.strip(), cell.id + "d", locked=True))
    made.append(_code(name, answer, cell.id, solution=True))
    made.append(_code(f"{name}-check", test, cell.id + "c", grade=True, points=points.test))
    if data:
        back = "# Back to the data of the lesson\n" + exercise.data.strip()
        made.append(_code(f"{name}-back", back, cell.id + "b", locked=True))
    return made


def _parts(source):
    """An exercise's cell without its check, and what it gives to check."""
    scaffold, _, call = source.rpartition("mia.check(")
    return scaffold.strip(), re.fullmatch(r'"[\d.q]+", (.*)\)', call)[1]


def _cleared(names):
    """A line that takes the answers away, so that none of them answers the next question."""
    return " = ".join([*re.findall(r"\w+", names), "..."])


def _code(grade_id, source, cell_id, grade=False, solution=False, locked=False, points=None):
    cell = nbformat.v4.new_code_cell(source, id=cell_id)
    cell.metadata.nbgrader = _nbgrader(grade_id, grade, solution, locked or grade, points)
    return cell


def prose_cells(key, cell_id):
    """What a person grades of a prediction: what is asked, and the cell for the answer, which
    nbgrader empties for the students."""
    name, points = key.replace(".", "-"), points_of(find(key)).prose
    ask = (
        "**Your prediction, and why.** In the next cell, write one or two sentences before you run "
        "on. Graded is the reason, not the number."
    )
    asked = nbformat.v4.new_markdown_cell(ask, id=cell_id + "q")
    cell = nbformat.v4.new_markdown_cell("Your answer.", id=cell_id + "p")
    cell.metadata.nbgrader = _nbgrader(f"{name}-prose", True, True, False, points)
    return [asked, cell]


def _nbgrader(grade_id, grade, solution, locked, points):
    about = dict(grade_id=grade_id, grade=grade, solution=solution, locked=locked, task=False)
    return about | dict(schema_version=3) | (dict(points=points) if grade else {})


def _without_widget(cell):
    """The cell itself; in the place of an explorer a sentence."""
    calls = "|".join(explorer.__name__ for explorer in EXPLORERS)
    if cell.cell_type == "markdown" or not re.search(rf"^mia\.({calls})\(", cell.source, re.M):
        return cell
    said = "*Here is a slider in the course itself, which you start by the command* `miaedu`."
    return nbformat.v4.new_markdown_cell(said, id=cell.id)


def _redraw(cells, key):
    """What is asked as the variant has it: the options in another order, and the numbers."""
    exercise = find(key)
    answer = next(i for i, cell in enumerate(cells) if _grade_id(cell) == key.replace(".", "-"))
    above = [cell for cell in reversed(cells[:answer]) if not _grade_id(cell)]
    if exercise.letters and not exercise.menu:
        asked = next(cell for cell in above if OPTION.search(cell.source))
        asked.source = with_letters(asked.source, letters_of(exercise.letters, key))
    pairs = list(exercise.redrawn())
    if exercise.parameters:
        orders = exercise.parameters, order_of(exercise.parameters)
        pairs.append([f"({', '.join(order)})" for order in orders])
    if pairs:
        heading = next(i for i, cell in enumerate(cells) if f"Exercise {key}" in cell.source)
        for cell in cells[heading:answer]:
            for old, new in pairs:
                cell.source = cell.source.replace(old, new)


def with_letters(text, letters):
    """A question whose options have other letters, and stand in their order.

    >>> print(with_letters("Which?\\n\\n- a) red\\n- b) blue", {"a": "b", "b": "a"}))
    Which?
    <BLANKLINE>
    - a) blue
    - b) red
    """
    texts = {letters[found[1]]: found[2] for found in OPTION.finditer(text)}
    return OPTION.sub(lambda found: f"- {found[1]}) {texts[found[1]]}", text)


def _grade_id(cell):
    return cell.metadata.get("nbgrader", {}).get("grade_id", "")


def keys_of(notebook):
    """The keys of the exercises in a lab, in the order in which they are asked."""
    ids = [_grade_id(cell) for cell in notebook.cells if _grade_id(cell).endswith("-check")]
    return [grade_id.removesuffix("-check").replace("-", ".", 1) for grade_id in ids]


def total_points(notebook):
    """What a lab is worth."""
    return sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in notebook.cells)


def _text(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def executed(notebook):
    """A lab with its solutions, run from the first cell to the last: the solutions edition."""
    from nbclient import NotebookClient

    made = deepcopy(notebook)
    for cell in made.cells:
        cell.source = re.sub(
            r"### BEGIN HIDDEN TESTS.*?### END HIDDEN TESTS", "", cell.source, flags=re.S
        )
        cell.source = re.sub(r"### (BEGIN|END) SOLUTION\n?", "", cell.source).strip()
        cell.metadata.pop("nbgrader", None)
    NotebookClient(made, timeout=TIMEOUT, kernel_name="python3").execute()
    return made
