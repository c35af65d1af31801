"""The grading of a lab: how a mark is made and what is told; at the end real nbgrader grades
students."""

from copy import deepcopy

import nbformat
import numpy as np
import pytest
from course import NOTEBOOKS
from graded import ASKED, answered, grade_id, grades, made, nbgrader, submit

import miaedu as mia
from miaedu import exercises
from miaedu.__main__ import main
from miaedu.editions.graded_lab import keys_of
from miaedu.editions.hidden_tests import about_missing
from miaedu.editions.marking_sheet import points_of
from miaedu.editions.verdict import Mark, take
from miaedu.exercises import find, solved
from miaedu.explorers import controls


@pytest.mark.parametrize(
    "key, answer, state",
    [("00.q1", "c", "right"), ("00.q1", "a", "wrong"), ("00.q1", ..., "not attempted")],
)
def test_a_mark_is_the_verdict_of_another_process(key, answer, state, monkeypatch):
    # what a submission may do to its own process; mia first, which takes its check from exercises
    monkeypatch.setattr(mia, "check", lambda *_: exercises.Verdict(key, "right", ""), raising=False)
    monkeypatch.setattr(exercises, "check", lambda *_: exercises.Verdict(key, "right", ""))
    monkeypatch.setattr(find(key).__class__, "judge", None, raising=False)
    assert take(key, answer, 1).state == state


def test_a_file_beside_the_notebook_does_not_stand_in_for_a_module(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "numpy.py").write_text("raise SystemExit('shadowed')")
    assert take("00.q1", "c", 1).state == "right"


def test_a_function_of_the_notebook_is_handed_over_with_what_it_uses():
    names = {"np": np}
    exec(solved("05.3"), names)
    assert take("05.3", names["my_lira"], 3).state == "right"


def test_an_answer_that_cannot_be_handed_over_or_kills_the_judge_is_an_error():
    assert "cannot be handed over" in take("00.q1", (i for i in "c"), 1).message

    def quits(hits, alarms, share):
        raise SystemExit("gone")

    assert take("01.3", quits, 3).state == "error"


def test_points_are_counted_as_nbgrader_counts_them():
    assert Mark("00.q1", "right", "", 3).counted() == 3
    assert Mark("00.q1", "not attempted", "", 3).counted() == 0
    with pytest.raises(AssertionError, match="00.q1: wrong, because 0.2 is below 0.5"):
        Mark("00.q1", "wrong", "0.2 is below 0.5", 3).counted()


def test_where_nbgrader_validates_a_wrong_answer_is_an_error(monkeypatch, capsys):
    mia.check("00.q1", "a").told()
    assert capsys.readouterr().out.startswith("00.q1: wrong, because")
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    mia.check("00.q1", "c").told()
    for answer in ("a", ...):
        with pytest.raises(AssertionError, match="00.q1: "):
            mia.check("00.q1", answer).told()


def test_in_an_exam_solutions_are_off(monkeypatch):
    shown = []

    def box(line, helps):
        shown.append(list(helps))
        return made_box(line, helps)

    made_box = controls.verdict_box
    monkeypatch.setattr(controls, "verdict_box", box)
    for setting in ("", "0", "1"):
        monkeypatch.setenv("MIAEDU_EXAM", setting)
        mia.check("00.q1", "a")._repr_mimebundle_()
    assert shown == [["Hint", "Solution"], ["Hint", "Solution"], ["Hint"]]
    with pytest.raises(RuntimeError, match="MIAEDU_EXAM is set"):
        mia.solution("00.q1")
    assert mia.hint("00.q1")


def test_while_nbgrader_grades_solutions_are_off(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    assert mia.solution("00.q1")
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(RuntimeError, match="solutions are off while nbgrader grades"):
        mia.solution("00.q1")


def test_a_submission_that_lacks_graded_cells_is_told():
    cells = made(NOTEBOOKS[2]).cells
    asked = [grade_id(c) for c in cells if grade_id(c) and c.metadata.nbgrader.grade]
    assert about_missing(asked, cells) == ""
    assert about_missing(asked, cells[:-3]) == "02-q3-check not in it, and 0 points there"
    lesson = nbformat.read(NOTEBOOKS[2], as_version=4)
    assert "is it the course's own notebook? It gets 0" in about_missing(asked, lesson.cells)


CHEAT = """
import miaedu.exercises, miaedu.editions.verdict
yes = lambda key, *_, **__: miaedu.exercises.Verdict(key, "right", "so I say")
mia.check = miaedu.exercises.check = miaedu.editions.verdict.check = yes
miaedu.editions.verdict.take = lambda key, *_, points, **__: miaedu.editions.verdict.Mark(
    key, "right", "so I say", points
)
"""


@pytest.mark.slow
def test_nbgrader_grades_a_class(tmp_path):
    name, seed = "02_prerequisites", 7
    main(["teach", str(tmp_path), "02", "--seed", str(seed)])
    assert nbgrader(tmp_path, "generate_assignment", name) == []
    released = tmp_path / "release" / name / f"{name}.ipynb"
    text = released.read_text()
    assert "HIDDEN TESTS" not in text and "SOLUTION" not in text and "verdict" not in text
    assert ASKED in text and "Your answer." in text
    keys = keys_of(nbformat.read(tmp_path / "source" / name / f"{name}.ipynb", 4))
    half = ["02.1", "02.2"]  # 1 + 3 of the 10 points by tests
    classroom = {
        "ann, all right": answered(released, keys, seed),
        "bob, untouched": answered(released, []),
        "cyd, half right": answered(released, half, seed),
        "dan, broken": answered(released, ["02.1", "02.2"], seed),
        "eve, cheats": answered(released, [], before=CHEAT),
        "fay, last year": answered(released, keys, seed=0),
        "gil, empties": answered(released, ["02.2"], seed),
    }
    for cell in classroom["dan, broken"].cells:
        if grade_id(cell) == "02-2":
            cell.source = "answer = = 3"
    for cell in classroom["gil, empties"].cells:  # no answer of his own to 02.q1
        if grade_id(cell) == "02-q1":
            cell.source = f"{solved('02.q1', seed)}"
        if grade_id(cell) == "02-q2":
            cell.source = ""
    for student, notebook in classroom.items():
        submit(notebook, tmp_path, student.partition(",")[0], name)
    assert nbgrader(tmp_path, "autograde", name) == []
    found = grades(tmp_path)
    assert sum(points_of(find(key)).test for key in keys) == 10
    assert found == {"ann": 10, "bob": 0, "cyd": 4, "dan": 1, "eve": 0, "fay": 0, "gil": 4}
    bob = nbformat.read(tmp_path / "autograded" / "bob" / name / f"{name}.ipynb", 4)
    errors = [o for c in bob.cells for o in c.get("outputs", []) if o.output_type == "error"]
    assert errors == [], "an untouched lab shows no traceback"
    by_hand(tmp_path, name)
    assert grades(tmp_path) == found | {"ann": 11, "cyd": 5, "dan": 2, "fay": 1, "gil": 5}


@pytest.mark.slow
def test_odd_submissions_are_told_and_stop_nobody_and_feedback_says_why(tmp_path):
    """A copied cell and one of another lab, solutions that are asked for, a changed test, and the
    course's own notebook."""
    name = "00_start_here"
    main(["teach", str(tmp_path), "00"])
    assert nbgrader(tmp_path, "generate_assignment", name) == []
    released = tmp_path / "release" / name / f"{name}.ipynb"
    changed = answered(released, ["00.q2"])
    odd = answered(released, ["00.q1", "00.q2"])
    for i, cell in reversed(list(enumerate(odd.cells))):
        if grade_id(cell) in ("00-q1", "00-q1-check"):
            odd.cells.insert(i, deepcopy(cell))  # with its metadata
            odd.cells[i].id = f"copy-{i}"
        if grade_id(cell) == "00-q3-check":
            cell.metadata.nbgrader.grade_id = "07-9-check"  # of another lab
    asks = answered(released, [])
    for cell in asks.cells:
        if grade_id(cell) in ("00-q1", "00-q2"):
            cell.source = f'exec(mia.solution("{grade_id(cell).replace("-", ".")}"))'
    for cell in changed.cells:
        if grade_id(cell) == "00-q1-check":
            cell.source = "1"  # nbgrader would count it as a point
        if grade_id(cell) == "00-q1":
            cell.source = 'answer = "a"'
    submit(odd, tmp_path, "fox", name)
    submit(asks, tmp_path, "gus", name)
    submit(changed, tmp_path, "hal", name)
    submit(nbformat.read(NOTEBOOKS[0], as_version=4), tmp_path, "ida", name)
    warnings = nbgrader(tmp_path, "autograde", name)
    told = [
        "Cell with id '00-q1-check' exists multiple times!",
        "Cell with id '00-q1' exists multiple times!",
        f"{name} of fox: 00-q3-check not in it",
        "Attribute 'checksum' for cell 00-q1-check has changed!",
        f"{name} of ida: no cell of this lab is in it: is it the course's own notebook?",
    ]
    assert [part in warning for part, warning in zip(told, warnings, strict=True)] == [True] * 5
    assert grades(tmp_path) == {"fox": 2, "gus": 0, "hal": 1, "ida": 0}
    assert nbgrader(tmp_path, "generate_feedback", name) == []
    page = (tmp_path / "feedback" / "hal" / name / f"{name}.html").read_text("utf-8")
    assert "00.q1: wrong, because" in page


def by_hand(course, name):
    """Give every prose that was written its point, as a person does in nbgrader's formgrader."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        for submission in book.assignment_submissions(name):
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    if grade.name.endswith("-prose") and grade.needs_manual_grade:
                        grade.manual_score = grade.max_score
                        grade.needs_manual_grade = False
        book.db.commit()
