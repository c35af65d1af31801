"""The three questions of notebook 00: a wrong answer gets a place to read it up. And the
glossary."""

import re

import nbformat
import pytest
from course import NOTEBOOKS, cells

from miaedu.exercises import check, hint
from miaedu.exercises.nb00 import EXERCISES


@pytest.mark.parametrize(
    "key, answer, told",
    [
        ("00.q1", "a", "an entry for each score"),
        ("00.q1", "b", "no entry is left out"),
        ("00.q2", "b", "begins with the rows"),
        ("00.q2", "C", "shows in y"),
        ("00.q3", "a", "by heart"),
        ("00.q3", " c ", "nothing is broken"),
    ],
)
def test_a_wrong_letter_says_what_is_wrong_and_where_to_read_up(key, answer, told):
    verdict = check(key, answer)
    assert verdict.state == "wrong" and told in verdict.message
    assert re.search(r"tutorial explains|page .* explains", verdict.message)


@pytest.mark.parametrize("key", EXERCISES)
def test_what_is_no_letter_gets_the_letters(key):
    assert "one of the letters a, b, c" in check(key, 5).message


@pytest.mark.parametrize("key", EXERCISES)
def test_the_hint_does_not_give_the_letter_away(key):
    assert len(hint(key)) > 20 and not re.search(r"\b[abc]\)", hint(key))


def test_the_glossary_explains_the_words_of_the_course_under_headings_that_links_can_reach():
    text = "\n".join(cell.source for cell in cells("00"))
    entries = re.findall(r"^### (.+)$", text.partition("## Glossary")[2], re.M)
    words = {
        "target",
        "shadow model",
        "member",
        "non-member",
        "in and out",
        "confidence",
        "membership",
        "advantage",
        "precision",
        "recall",
        "query",
    }
    assert words <= set(entries) and len(entries) == len(set(entries))
    linked = set()
    for path in NOTEBOOKS:
        for cell in nbformat.read(path, as_version=4).cells:
            start = r"\(00_start_here\.ipynb#" if path != NOTEBOOKS[0] else r"\(#"
            for anchor in re.findall(start + r"(.+?)\)", cell.source):
                linked.add(anchor.replace("-", " "))
    assert {entry.replace("-", " ") for entry in entries} <= linked, (
        "each word is linked to from some text"
    )
