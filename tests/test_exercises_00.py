"""The three questions of notebook 00: right for their own solutions, wrong with a place to read it up."""
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest

import miaedu
from miaedu.exercises import check, hint, solution
from miaedu.exercises.nb00 import EXERCISES

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "00_start_here.ipynb"


def test_the_notebook_and_the_file_have_the_same_exercises():
    used = {}
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        for key in re.findall(r'mia\.check\("(.+?)"', cell.source):
            used[key] = cell.metadata.get("exercise")
    assert used == {key: key for key in EXERCISES}


@pytest.mark.parametrize("key", EXERCISES)
def test_its_own_solution_is_right(key):
    namespace = {"mia": miaedu, "np": np}
    exec(solution(key), namespace)
    assert check(key, namespace["answer"]).state == "right"


@pytest.mark.parametrize("key, answer, said", [
    ("00.q1", "a", "an entry for each score"), ("00.q1", "b", "no entry is left out"),
    ("00.q2", "b", "begins with the rows"), ("00.q2", "C", "shows in y"),
    ("00.q3", "a", "by heart"), ("00.q3", " c ", "nothing is broken"),
])
def test_a_wrong_letter_says_what_is_wrong_and_where_to_read_up(key, answer, said):
    verdict = check(key, answer)
    assert verdict.state == "wrong" and said in verdict.message
    assert re.search(r"tutorial explains|page .* explains", verdict.message)


@pytest.mark.parametrize("key", EXERCISES)
def test_what_is_no_letter_gets_the_letters(key):
    assert "one of the letters a, b, c" in check(key, 5).message
    for untouched in (..., None, (None, None)):
        assert check(key, untouched).state == "not attempted"


@pytest.mark.parametrize("key", EXERCISES)
def test_the_hint_does_not_give_the_letter_away(key):
    assert len(hint(key)) > 20 and not re.search(r"\b[abc]\)", hint(key))


def test_the_glossary_explains_the_words_of_the_course_under_headings_that_links_can_reach():
    text = "\n".join(cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells)
    entries = re.findall(r"^### (.+)$", text.partition("## Glossary")[2], re.M)
    words = {"target", "shadow model", "member", "non-member", "in and out", "confidence", "membership", "advantage",
             "precision", "recall", "query"}
    assert words <= set(entries) and len(entries) == len(set(entries))
    for path in sorted(NOTEBOOK.parent.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            start = r"\(00_start_here\.ipynb#" if path != NOTEBOOK else r"\(#"
            for anchor in re.findall(start + r"(.+?)\)", cell.source):
                assert anchor in {entry.replace(" ", "-") for entry in ["Glossary", *entries]}, (path.name, anchor)


@pytest.mark.parametrize("name, minutes", [("00_start_here", 5), ("01_consequences", 15)])
def test_the_core_minutes_of_the_sections_add_up_to_those_of_the_map(name, minutes):
    map_of_course = "\n".join(cell.source for cell in nbformat.read(NOTEBOOK, as_version=4).cells)
    assert re.search(rf"^\| .*{name[:2]} .* \| {minutes} \|$", map_of_course, re.M)
    cells = nbformat.read(NOTEBOOK.with_name(f"{name}.ipynb"), as_version=4).cells
    headings = re.findall(r"^## .* · \*\*core\*\*, (\d+) minutes?$", "\n".join(cell.source for cell in cells), re.M)
    assert sum(map(int, headings)) == minutes
