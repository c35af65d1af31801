"""What TEACHING.md says is so: its minutes, its points, its commands and its versions."""

import re
import tomllib
from pathlib import Path

import pytest
from course import NOTEBOOKS
from graded import grade_id, made
from packaging.requirements import Requirement
from test_exercises import CORE_MINUTES

from miaedu.__main__ import main
from miaedu.editions.challenge import README as COMPETITION
from miaedu.editions.graded_lab import TIMEOUT, total_points
from miaedu.editions.hidden_tests import about_missing

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "notebooks" / "TEACHING.md").read_text(encoding="utf-8")


def section(title):
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S)[1]


def test_the_minutes_of_a_notebook_are_those_of_the_course():
    rows = re.findall(r"notebook (\d\d), core \| (\d+)", section("Timetables"))
    assert len(rows) >= 7
    for number, minutes in rows:
        assert int(minutes) == sum(CORE_MINUTES[number]), number


@pytest.mark.parametrize("title, total", [("One lab of 90", 90), ("One lab of 3 hours", 180)])
def test_a_timetable_fills_its_time(title, total):
    table = re.search(rf"\*\*{title}.*?\n\n((?:\|.*\n)+)", TEXT)[1]
    minutes = list(map(int, re.findall(r"\| (\d+) \|", table)))
    assert sum(minutes) == total


def test_each_of_two_labs_fills_90_minutes():
    table = re.search(r"\*\*Two labs of 90.*?\n\n((?:\|.*\n)+)", TEXT)[1]
    rows = re.findall(r"^\| [^|]+ \| (\d+) \| [^|]+ \| (\d+) \|$", table, re.M)
    assert [sum(map(int, lab)) for lab in zip(*rows)] == [90, 90]


def test_the_points_are_those_of_the_labs():
    rows = re.findall(r"^\| (points|of them by hand) \| (.*) \|$", TEXT, re.M)
    said = {name: list(map(int, numbers.split(" | "))) for name, numbers in rows}
    labs = [made(path) for path in NOTEBOOKS]
    assert said["points"] == [total_points(lab) for lab in labs]
    assert said["of them by hand"] == [
        sum(c.metadata.nbgrader.points for c in lab.cells if grade_id(c).endswith("-prose"))
        for lab in labs
    ]


def test_what_it_says_of_notebooks_by_their_sections_is_there():
    for number, title in (("01", "What a positive is worth"), ("03", "How many shadow models?")):
        (path,) = (path for path in NOTEBOOKS if path.stem.startswith(number))
        assert f"*{title}*" in section("Timetables")
        assert f'"## {title}\\n"' in path.read_text(encoding="utf-8")


def test_what_grading_says_is_quoted_and_so_is_the_time_that_a_cell_has():
    grading = " ".join(section("A graded lab").split())
    told = about_missing(["00-q1-check"], []).partition(":")[0]
    assert f'"{told.capitalize()}"' in grading
    assert f"more than {TIMEOUT} seconds" in grading


def test_the_baselines_of_the_competition_are_those_that_students_are_told():
    rows = re.findall(r"^\| .*? \| (0\.\d+) \| (0\.\d+) \|$", COMPETITION, re.M)
    assert len(rows) == 2
    assert re.findall(r"0\.\d\d", section("A competition")) == [x for row in rows for x in row]


def test_its_lines_are_short_but_for_tables():
    for line in TEXT.splitlines():
        assert len(line) <= 100 or line.startswith("|"), line


def test_its_commands_are_understood(capsys):
    commands = set(re.findall(r"`miaedu (\w+)|^miaedu (\w+)", TEXT, re.M))
    for command in {first or second for first, second in commands}:
        with pytest.raises(SystemExit) as ending:
            main([command, "--help"])
        assert ending.value.code == 0
    said = capsys.readouterr().out
    for option in re.findall(r"(--(?:seed|solutions|score))\b", TEXT):
        assert option in said


def test_the_constraints_pin_everything_that_is_asked_for_as_it_is_asked_for():
    lines = (ROOT / ".ci" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.lower().split("==") for line in lines if not line.startswith("#"))
    pins = {name.replace("_", "-"): version for name, version in pins.items()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert "miaedu[lab]" in extras["teach"], "a teacher opens the labs, too"
    asked = {*project["dependencies"], *extras["teach"], *extras["lab"]} - {"miaedu[lab]"}
    assert len(asked) > 10
    for need in map(Requirement, asked):
        assert pins[need.name] in need.specifier, need
