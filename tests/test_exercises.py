"""What holds for the exercises of every notebook; what is asked in each is in the file of its
number."""

import contextlib
import io
import re

import matplotlib
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from course import NOTEBOOKS, asked, cells, exercise_cell, one_line, solved

import miaedu as mia
from miaedu.exercises import nb00, nb01, nb02, nb03, nb04, nb05, nb06, nb07

BOOKS = {book.__name__[-2:]: book for book in (nb00, nb01, nb02, nb03, nb04, nb05, nb06, nb07)}
# notebook 04 has two halves
CORE_MINUTES = {
    "00": [15],
    "01": [30],
    "02": [50],
    "03": [45],
    "04": [40, 40],
    "05": [40],
    "06": [30],
    "07": [30],
}
KEYS = [key for book in BOOKS.values() for key in book.EXERCISES]
each_notebook = pytest.mark.parametrize("number", BOOKS)
each_exercise = pytest.mark.parametrize("key", KEYS)


def test_every_notebook_has_its_exercises_here():
    assert [path.stem[:2] for path in NOTEBOOKS] == list(BOOKS)


@each_exercise
def test_its_own_solution_is_right_and_its_hint_says_something(key):
    assert len(mia.hint(key)) > 20
    verdict = mia.check(key, solved(key))
    assert verdict.state == "right", verdict


@each_exercise
@pytest.mark.parametrize(
    "answer", [..., None, (None, None), (..., ...), (0.5, None), ("b", ..., ...)], ids=str
)
def test_an_untouched_exercise_is_not_attempted(key, answer):
    assert mia.check(key, answer).state == "not attempted"


@pytest.mark.parametrize(
    "key, answer",
    [
        ("00.q1", "c)"),
        ("00.q1", "(C)"),
        ("00.q1", " c. "),
        ("01.1", ("22", "b)")),
        ("02.1", (np.array([47]), "B")),
        ("02.2", np.array(0.97)),
        ("03.1", ("0.82", "b")),
        ("04.1", ("0.5", "b")),
        ("05.1", ("8", "b)")),
    ],
    ids=str,
)
def test_the_same_answer_in_another_dress_is_right_too(key, answer):
    assert mia.check(key, answer).state == "right"


@pytest.mark.parametrize(
    "answer", [["c"], [False, True], {"c"}, 3, np.array([1, 2]), print], ids=str
)
def test_what_is_no_letter_gets_the_letters(answer):
    assert "one of the letters a, b, c" in mia.check("00.q1", answer).message


@each_notebook
def test_the_notebook_asks_each_exercise_once_in_a_cell_that_says_so(number):
    asked = [cell for cell in cells(number, "code") if "mia.check(" in cell.source]
    assert sorted(cell.metadata.get("exercise", "") for cell in asked) == sorted(
        BOOKS[number].EXERCISES
    )
    for cell in asked:
        assert f'mia.check("{cell.metadata["exercise"]}",' in cell.source.splitlines()[-1]
    assert not [cell for cell in cells(number) if "exercise" in cell.metadata and cell not in asked]


@pytest.mark.parametrize("key", [key for key in KEYS if mia.exercises.find(key).option])
def test_the_text_of_the_right_option_stands_under_its_letter(key):
    exercise, (_, above) = mia.exercises.find(key), exercise_cell(key)
    options = re.findall(r"^- ([a-e])\) (.*(?:\n(?!-|\n).*)*)", above.source, re.M)
    found = [letter for letter, text in options if one_line(text) == exercise.option]
    assert len(found) == 1 and len(options) > 2, options
    assert f'"{found[0]}"' in exercise.solution


def run(number, solutions):
    """What the cells of a notebook print, each in its place; with the `solutions`, the verdict of
    each exercise stands in the place of its cell."""
    matplotlib.use("Agg")
    names, said = {}, []
    for cell in cells(number, "code"):
        key = cell.metadata.get("exercise")
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(mia.solution(key) if key and solutions else cell.source, names)
        plt.close("all")
        said.append(out.getvalue() if key is None else "")
        if key and solutions:
            verdict = mia.check(key, eval(asked(key), names))
            assert verdict.state == "right", verdict
    return said


@pytest.mark.slow
@pytest.mark.parametrize("number", list(BOOKS))
def test_the_solutions_are_right_in_their_cells_and_leave_later_cells_as_they_were(number):
    assert run(number, solutions=True) == run(number, solutions=False)


@each_notebook
def test_the_core_minutes_of_the_sections_add_up_to_those_of_the_map(number):
    text = "\n".join(cell.source for cell in cells(number, "markdown"))
    minutes = re.findall(r"^(?:#.* · )?\*\*core\*\*, (\d+) minute", text, re.M)
    assert sum(map(int, minutes)) == sum(CORE_MINUTES[number])
    told = re.findall(r"\*\*About (\d+) minutes", text)
    if number < "03":
        assert list(map(int, told)) == CORE_MINUTES[number]
    map_of_course = "\n".join(cell.source for cell in cells("00"))
    said = re.findall(rf"^\| .*{number} .* \| (\d+) \|$", map_of_course, re.M)
    assert list(map(int, said)) == CORE_MINUTES[number]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nothing_uses_the_answer_of_an_exercise_but_to_draw_a_guess(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code" and "exercise" not in cell.metadata:
            lines = [line for line in cell.source.splitlines() if re.search(r"\bmy_\w+", line)]
            assert all(
                line.startswith("my_guess = None") or "mark_guess(" in line and "my_guess" in line
                for line in lines
            ), lines
