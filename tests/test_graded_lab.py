"""The graded lab: what nbgrader gets, what a variant changes, and what is refused."""

import ast
import re
import sys
from contextlib import nullcontext

import nbformat
import numpy as np
import pytest
from course import NOTEBOOKS, asked
from graded import ASKED, grade_id, made
from nbclient import NotebookClient
from test_exercises import KEYS

import miaedu as mia
import miaedu.__main__
from miaedu.__main__ import main
from miaedu.editions import graded_lab
from miaedu.editions.graded_lab import keys_of, teach, total_points
from miaedu.editions.marking_sheet import marking_sheet, points_of
from miaedu.exercises import find, solved
from miaedu.exercises.variant import drawn, letters_of, moved, number, order_of

# 06.2 is counted in a file of the course; a report is handed in for 07.1 and 07.2
SAME_EVERY_YEAR = ["06.2", "07.1", "07.2"]
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
each_exercise = pytest.mark.parametrize("key", KEYS)


def graded_cells(notebook):
    return [cell for cell in notebook.cells if grade_id(cell)]


def value(key, source):
    """What a source gives to the check of an exercise."""
    names = {"mia": mia, "np": np}
    exec(source, names)
    return eval(asked(key), names)


def stands_alone(key):
    """Whether a solution needs no name of its notebook; those of notebook 07 use its records."""
    return key not in ("07.1", "07.2")


@each_exercise
def test_a_solution_assigns_the_very_names_that_its_cell_gives_to_check(key):
    given = {node.id for node in ast.walk(ast.parse(asked(key))) if isinstance(node, ast.Name)}
    tops = ast.parse(mia.solution(key)).body
    names = {node.name for node in tops if isinstance(node, ast.FunctionDef)}
    for node in (node for node in tops if isinstance(node, ast.Assign)):
        names |= {part.id for part in ast.walk(node.targets[0]) if isinstance(part, ast.Name)}
    assert given and given <= names


@each_notebook
@pytest.mark.parametrize("seed", [0, 7])
def test_every_exercise_is_answered_and_tested_once_under_a_name_that_nbgrader_allows(path, seed):
    notebook = made(path, seed)
    nbformat.validate(notebook)
    ids = [grade_id(cell) for cell in graded_cells(notebook)]
    assert len(set(ids)) == len(ids) and all(re.fullmatch(r"[\w-]+", each) for each in ids)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    lesson = nbformat.read(path, as_version=4)
    asks = [cell.metadata["exercise"] for cell in lesson.cells if "exercise" in cell.metadata]
    assert keys_of(notebook) == asks
    points = {
        grade_id(cell): cell.metadata.nbgrader.get("points") for cell in graded_cells(notebook)
    }
    for key in asks:
        name, worth = key.replace(".", "-"), points_of(find(key))
        assert points[f"{name}-check"] == worth.test > 0
        assert points.get(f"{name}-prose", 0) == worth.prose == int(find(key).guessed)


@each_notebook
def test_cell_ids_are_the_same_when_it_is_made_again(path):
    assert [cell.id for cell in made(path).cells] == [cell.id for cell in made(path).cells]


@each_notebook
def test_no_widget_stands_on_the_graded_path(path):
    names = "|".join(make.__name__ for make in graded_lab.EXPLORERS)
    lesson = nbformat.read(path, as_version=4)
    here = [c for c in lesson.cells if re.search(rf"mia\.({names})\(", c.source)]
    notebook = made(path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not [c for c in code if re.search(rf"mia\.({names})\(", c.source)]
    said = [c for c in notebook.cells if c.source.startswith("*Here is a slider")]
    assert len(said) == len(here)
    checks = [c.source for c in code if "mia.check(" in c.source]
    assert checks and all(".told()\n" in source for source in checks)


@each_notebook
def test_the_lesson_is_not_run_or_installed_from_a_lab(path):
    assert not [cell for cell in made(path).cells if re.search("github|Colab", cell.source)]


@each_notebook
def test_from_a_folder_within_the_course_the_links_of_a_lab_lead_to_the_other_notebooks(path):
    found = re.findall(r"\]\(([^)#:]*\.ipynb)", "".join(cell.source for cell in made(path).cells))
    assert found or path.stem[:2] == "00"
    for target in found:
        assert (path.parent / path.stem / target).resolve() in NOTEBOOKS, target


@each_notebook
def test_a_prediction_is_written_down_before_the_lesson_tells(path):
    cells = made(path).cells
    guesses = [i for i, cell in enumerate(cells) if cell.source.startswith("my_guess = None")]
    prose = [i for i, cell in enumerate(cells) if grade_id(cell).endswith("-prose")]
    assert prose == [i + 2 for i in guesses]
    assert all(cells[i].metadata.nbgrader.solution for i in prose)
    # nbgrader empties the cell of the answer, so what is asked stands in another
    assert all(ASKED in cells[i - 1].source and not grade_id(cells[i - 1]) for i in prose)


def test_the_scaffold_stays_and_the_next_question_starts_without_an_answer():
    notebook = made(NOTEBOOKS[3])
    (cell,) = [c for c in notebook.cells if grade_id(c) == "03-4"]
    assert cell.source.startswith('broken = ...  # "a", "b", "c" or "d"\nmended = ...')
    (test,) = [c for c in notebook.cells if grade_id(c) == "03-4-check"]
    visible, hidden = test.source.split("### BEGIN HIDDEN TESTS")
    assert visible == 'mia.check("03.4", (broken, mended)).told()\n'
    assert "\nbroken = mended = ...\nmark.counted()\n### END HIDDEN TESTS" in hidden


@pytest.mark.slow
@pytest.mark.parametrize("seed", [7, 2026])
def test_a_variant_has_its_own_answers_and_the_courses_do_not_fit(seed):
    for key in filter(stands_alone, KEYS):
        verdict = mia.check(key, value(key, solved(key, seed)), seed)
        assert verdict.state == "right", verdict
        installed = mia.check(key, value(key, mia.solution(key)), seed)
        assert (installed.state == "right") == (key in SAME_EVERY_YEAR), installed


@pytest.mark.parametrize("key", [key for key in KEYS if find(key).letters])
def test_the_options_of_a_variant_are_the_courses_in_another_order(key):
    def options(seed):
        exercise = find(key)
        asked_in = exercise.menu or key
        (path,) = (path for path in NOTEBOOKS if path.stem.startswith(key[:2]))
        cells = made(path, seed).cells
        end = next(i for i, c in enumerate(cells) if grade_id(c) == asked_in.replace(".", "-"))
        above = [c.source for c in cells[:end] if c.cell_type == "markdown" and "- a)" in c.source]
        found = re.findall(graded_lab.OPTION, above[-1])
        return {letter: " ".join(text.split()) for letter, text in found}

    exercise = find(key)
    course, variant = options(0), options(7)
    with drawn(7):
        letters = letters_of(exercise.letters, exercise.menu or key)
    assert list(variant) == list(course) == list(exercise.letters)
    assert {letters[old]: text for old, text in course.items()} == variant
    right = re.search(r'^\w+ = "([a-e])"', solved(key, 7), re.M)[1]
    if exercise.option:
        assert variant[right] == exercise.option


@pytest.mark.parametrize(
    "key, old, new",
    [
        ("01.2", "quantile **0.25**", "quantile **{}**"),
        ("03.2", "for 60 epochs", "for {} epochs"),
        ("04.2", "an epsilon of at most 4 ", "an epsilon of at most {} "),
        ("05.2", "it learns from 500 records", "it learns from {} records"),
    ],
)
def test_the_numbers_that_a_variant_asks_for_stand_in_its_text(key, old, new):
    (path,) = (path for path in NOTEBOOKS if path.stem.startswith(key[:2]))
    text = " ".join(" ".join(cell.source for cell in made(path, 7).cells).split())
    with drawn(7):
        numbers = [re.search(r"[\d.]+", after)[0] for _, after in find(key).redrawn()]
    assert old in " ".join(" ".join(cell.source for cell in made(path).cells).split())
    assert old not in text and new.format(numbers[0]) in text


def test_the_parameters_that_a_variant_asks_for_stand_in_its_text_and_its_scaffold():
    notebook = made(NOTEBOOKS[1], 7)
    with drawn(7):
        order = ", ".join(order_of(find("01.3").parameters))
    assert order != "hits, alarms, share"
    found = [cell for cell in notebook.cells if f"def worth({order}):" in cell.source]
    assert [cell.cell_type for cell in found] == ["markdown", "code"]
    assert not [c for c in notebook.cells if "worth(hits, alarms, share)" in c.source]


def test_a_variant_draws_data_for_an_exercise_and_goes_back_to_the_lessons():
    cells = {grade_id(cell): cell for cell in made(NOTEBOOKS[3], 7).cells}
    assert "random_state=7000" in cells["03-4-data"].source
    assert "random_state=0)" in cells["03-4-back"].source
    assert cells["03-4-data"].metadata.nbgrader.locked
    assert "03-4-data" not in [grade_id(cell) for cell in made(NOTEBOOKS[3]).cells]


def test_seeds_far_apart_draw_apart_and_the_course_is_seed_0():
    letters = set()
    for seed in range(1, 40):
        with drawn(seed):
            letters.add("".join(letters_of("abcd", "03.4").values()))
            assert moved(1) == 1000 * seed + 1 and number(4, 3, 5) in (3, 5)
    assert len(letters) == 9, "all ways in which no letter stays"
    assert moved(1) == 1 and number(4, 3, 5) == 4


@pytest.mark.parametrize("seed", [-1, 1.5, "7", True])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match="seed must be a whole number of at least 0, got"):
        mia.check("00.q1", "c", seed)


def test_the_sheet_lists_each_exercise_with_points_tolerance_and_mistakes():
    keys = keys_of(made(NOTEBOOKS[3]))
    sheet = marking_sheet("03_algorithm", keys)
    for key in keys:
        assert f"## {key}: " in sheet and find(key).objective in sheet
        assert find(key).mistakes, key
        assert mia.solution(key).strip() in sheet
    assert f"{total_points(made(NOTEBOOKS[3]))} points" in sheet
    assert "Accepted: advantage within 0.02." in sheet


def test_the_sheet_of_a_variant_has_its_letters():
    with drawn(7):
        letters = letters_of("abc", "00.q1")
    sheet = marking_sheet("00_start_here", ["00.q1"], 7)
    assert f"- {letters['a']}: the list has an entry for each score" in sheet
    assert f'answer = "{letters["c"]}"' in sheet


def test_a_notebook_without_exercises_makes_no_assignment(tmp_path, monkeypatch, capsys):
    bare = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Only prose")])
    (tmp_path / "notebooks").mkdir()
    nbformat.write(bare, tmp_path / "notebooks" / "00_bare.ipynb")
    monkeypatch.setattr(graded_lab, "course", tmp_path.joinpath)
    with pytest.raises(SystemExit):
        main(["teach", str(tmp_path / "lab")])
    assert "00_bare.ipynb asks no exercise" in capsys.readouterr().err
    assert "worth 0 points" not in str(list(tmp_path.glob("lab/*")))


def test_an_unknown_notebook_and_a_bad_seed_are_refused(tmp_path, capsys):
    for arguments, said in (
        (["9"], "a notebook must be one of 00, 01, 02, 03, 04, 05, 06, 07, got '9'"),
        ([""], "a notebook must be one of 00, 01, 02, 03, 04, 05, 06, 07, got ''"),
        (["--seed", "-3"], "seed must be a whole number of at least 0, got -3"),
        (["--seed", "monday"], "argument --seed: must be a whole number, got 'monday'"),
    ):
        with pytest.raises(SystemExit):
            main(["teach", str(tmp_path / "lab"), *arguments])
        assert said in capsys.readouterr().err
    assert not (tmp_path / "lab").exists()


@pytest.mark.parametrize("arguments", [["01", "--seed", "5"], ["1"], ["03_algorithm"]])
def test_a_forgotten_folder_is_told(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["teach", *arguments])
    said = capsys.readouterr().err
    assert f"notebooks follow it, as in: miaedu teach lab {arguments[0]}; got a notebook" in said
    with pytest.raises(SystemExit):
        main(["teach"])
    assert "the following arguments are required: DIR\n" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["teach", "challenge"])
def test_a_folder_that_is_a_file_is_refused(command, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    for folder in (tmp_path / "notes.txt", tmp_path / "notes.txt" / "lab"):
        with pytest.raises(SystemExit):
            main([command, str(folder)])
        said = capsys.readouterr().err
        assert f"DIR must be a folder that can be written to, got {folder} (" in said
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_the_current_folder_will_do_and_a_file_of_the_teachers_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".gitignore").write_text("mine")
    main(["teach", ".", "0"])
    assert (tmp_path / "source" / "00_start_here").is_dir()
    assert (tmp_path / ".gitignore").read_text() == "mine"


def test_a_notebook_may_be_named_in_three_ways():
    paths = [graded_lab.found([name]) for name in ("01", "1", "01_consequences")]
    assert paths == [[NOTEBOOKS[1]]] * 3


def test_teach_says_what_it_made_and_what_comes_next(tmp_path, capsys):
    main(["teach", str(tmp_path / "lab"), "00", "03"])
    said = capsys.readouterr().out
    sheet = tmp_path / "lab" / "marking" / "00_start_here.md"
    assert f"00_start_here: 3 points; marking sheet, with the answers: {sheet}\n" in said
    assert "nbgrader generate_assignment 00_start_here " in said
    assert "\nThe same for 03_algorithm.\n" in said
    files = {p.relative_to(tmp_path / "lab").as_posix() for p in tmp_path.glob("lab/**/*.*")}
    assert files == {
        ".gitignore",
        "nbgrader_config.py",
        "marking/00_start_here.md",
        "marking/03_algorithm.md",
        "source/00_start_here/00_start_here.ipynb",
        "source/00_start_here/figures/00_start_here.png",
        "source/03_algorithm/03_algorithm.ipynb",
        "source/03_algorithm/figures/03_algorithm.png",
    }


@pytest.mark.parametrize("missing", [["nbgrader"], ["nbgrader", "nbformat"], []])
def test_teach_says_where_nbgrader_is_missing(missing, tmp_path, monkeypatch, capsys):
    there = lambda name: None if name in missing else name  # noqa: E731
    monkeypatch.setattr(miaedu.__main__, "find_spec", there)
    stops = "nbformat" in missing  # without it no notebook can be written
    with pytest.raises(SystemExit) if stops else nullcontext() as ending:
        main(["teach", str(tmp_path / "lab"), "00"])
    said = capsys.readouterr()
    install = f'"{sys.executable}" -m pip install "miaedu[teach]"'
    assert "TEACHING.md" in said.err + said.out or not missing
    assert (install in said.err) == stops and (install in said.out) == (missing == ["nbgrader"])
    assert ending is None or ending.value.code == 1
    assert (tmp_path / "lab").exists() != stops


def test_what_was_made_before_is_kept_and_what_was_changed_is_not_overwritten(tmp_path, capsys):
    teach(tmp_path, ["00"])
    (tmp_path / "nbgrader_config.py").write_text("mine")
    assert teach(tmp_path, ["00_start_here"])[0].startswith("00_start_here: 3 points")
    assert (tmp_path / "nbgrader_config.py").read_text() == "mine"
    with pytest.raises(SystemExit):
        main(["teach", str(tmp_path), "00", "--seed", "7"])
    assert "00_start_here.ipynb is there already, and differs" in capsys.readouterr().err
    assert "seed=7" not in (tmp_path / "source/00_start_here/00_start_here.ipynb").read_text()


@pytest.mark.slow
@each_notebook
def test_every_solution_pasted_into_its_lab_gets_its_points(path):
    notebook = made(path, 7)  # the teacher's copy: with solutions, and with the hidden tests
    # a busy kernel may send what is printed in several pieces
    how = {"timeout": graded_lab.TIMEOUT, "kernel_name": "python3", "coalesce_streams": True}
    NotebookClient(notebook, **how).execute()
    for cell in notebook.cells:
        if grade_id(cell).endswith("-check"):
            printed, counted = cell.outputs
            assert ": right" in printed.text
            assert counted.data["text/plain"] == str(cell.metadata.nbgrader.points)
            outputs = {output.output_type for output in cell.outputs}
            assert outputs == {"stream", "execute_result"}, "nothing that nbgrader counts as wrong"


@pytest.mark.slow
def test_the_solutions_edition_is_executed_and_shows_no_marks(tmp_path):
    said = teach(tmp_path, ["00"], solutions=True)
    assert said[1].endswith(str(tmp_path / "solutions" / "00_start_here.ipynb"))
    edition = nbformat.read(tmp_path / "solutions" / "00_start_here.ipynb", as_version=4)
    source = "\n".join(cell.source for cell in edition.cells)
    assert "SOLUTION" not in source and "HIDDEN" not in source
    said = [c.outputs[0].text for c in edition.cells if "mia.check(" in c.source]
    assert len(said) == 3 and all(": right You" in text or ": right The" in text for text in said)
    assert (tmp_path / "solutions" / "figures" / "00_start_here.png").exists()
