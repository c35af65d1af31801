"""No number stands in the prose of a notebook unless something holds it: a sentence that a claim
quotes, a fact with its source, or a setting that is one in the code.

Only what is listed in KINDS carries a number without claiming one.
"""

import ast
import importlib
import re
from functools import cache
from pathlib import Path

import pytest
from course import NOTEBOOKS, cells, sentence
from facts import FACTS, SETTINGS

HERE = Path(__file__).parent
NUMBERS = [path.stem[:2] for path in NOTEBOOKS]
KINDS = {
    "a picture's words: another test holds them": r"!\[[^\]]*\]\([^)]*\)",
    "a block of code: it is run": r"```.*?```",
    "a word of code": r"`[^`\n]*`",
    "the address of a link": r"\]\([^)\s]*\)",
    "a notebook": r"(?i:notebooks? \[?0\d\b)|\[0\d\b|\| 00 Start here \|",
    "a key of an exercise": r"\b0\d\.q?\d\b",
    "minutes in a heading": r"\*, \d+ minutes?",
    "minutes of a notebook": r"[Aa]bout \d+ minutes",
    "minutes of a notebook, in the map: a test of the exercises adds them up": (
        r"(?<=\? \| )\d\d(?= \|$)|(?<=its ceiling \| )\d\d(?= \|$)"
    ),
    "a run time": r"about \d+ seconds",
    "a lab": r"00 to 03 make a first lab, 04 a second one",
    "the place in a list": r"^\d\. |\*\*\d\.\*\*",
    "a step's heading": r"^## Step \d:",
    "a table of the paper": r"Tables? (?:II|III)\b",
    "an algorithm of the paper": r"[Aa]lgorithm 1\b",
    "the name of the first attack": r"\b(?:attack|paper|one|that) of 2017\b",
    "the name of a penalty": r"\bL2\b",
    "percent": r"\b(?:[Oo]f|among) 100\b(?= [a-z])",
}
BARE = re.compile("|".join(KINDS.values()), re.S | re.M)


@cache
def claimed():
    """The sentences that claims quote: pairs of a notebook's number and a text."""
    calls = [
        node
        for path in HERE.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "sentence"
    ]
    pairs = [[getattr(part, "value", None) for part in call.args] for call in calls]
    return [(number, text) for number, text in pairs if isinstance(text, str)]


def rows_of_a_claim(number):
    """The rows of a table that a claim of the notebook reads, and holds number by number."""
    if number == "04":
        (cell,) = (c for c in cells("04", "markdown") if "Means of eight targets" in c.source)
        known = importlib.import_module("test_claims_04").CURES
        for row in cell.source.splitlines():
            if row.startswith("|") and row.split("|")[1].strip() in known:
                yield row


def facts(number):
    """What the notebook says after a source, and the source."""
    claims = importlib.import_module(f"test_claims_{number}")
    return FACTS[number] + list(getattr(claims, "SOURCES", {}).items())


@cache
def held(number):
    """Patterns of all texts whose numbers are held."""
    pairs = [text for text, _ in facts(number) + SETTINGS[number]]
    claims = [text for which, text in claimed() if which == number]
    texts = [*claims, *rows_of_a_claim(number), *pairs]
    # wherever its lines break
    return [re.compile(r"\s+".join(map(re.escape, text.split()))) for text in texts]


def left_over(number, source):
    """The lines of a Markdown cell of the notebook that have a number which nothing holds."""
    left = list(source)
    for pattern in held(number):
        for found in pattern.finditer(source):
            left[found.start() : found.end()] = blank(found)
    left = BARE.sub(blank, "".join(left))
    return [line for line in left.splitlines() if re.search(r"\d", line)]


def blank(found):
    return re.sub(r"\d", "#", found[0])


def code_of(number):
    """The code of a notebook's cells, of the explorers that it shows, of its exercises, and of an
    Experiment."""
    code = [cell.source for cell in cells(number, "code")]
    shown = re.findall(r"^mia\.(\w+)\(", "\n".join(code), re.M)
    names = [*(f"explorers/{name}.py" for name in shown), f"exercises/nb{number}.py"]
    files = [HERE.parent / "miaedu" / name for name in (*names, "experiment.py")]
    return "\n".join(code + [path.read_text("utf-8") for path in files if path.exists()])


@pytest.mark.parametrize("number", NUMBERS)
def test_every_number_in_the_prose_is_held(number):
    for cell in cells(number, "markdown"):
        assert left_over(number, cell.source) == []


@pytest.mark.parametrize("number", NUMBERS)
def test_every_fact_has_a_source_and_every_setting_its_code(number):
    code = code_of(number)
    for text, source in facts(number):
        assert sentence(number, text) and source, text
    for text, fragment in SETTINGS[number]:
        assert sentence(number, text) and fragment in code, (text, fragment)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_that_was_changed_is_found(number):
    changed = 0
    for cell in cells(number, "markdown"):
        plain = [kind.span() for kind in BARE.finditer(cell.source)]
        for found in re.finditer(r"\d+", cell.source):
            if not any(start <= found.start() < end for start, end in plain):
                other = str(int(found[0]) + 1)
                source = cell.source[: found.start()] + other + cell.source[found.end() :]
                assert left_over(number, source) != [], source
                changed += 1
    assert changed >= 10


@pytest.mark.parametrize(
    "number, old, new",
    [
        ("00", "above 3 or so", "above 5 or so"),
        ("01", "up to 20 million euros", "up to 30 million euros"),
        ("02", "100 answers leave a tenth", "1000 answers leave a tenth"),
        ("03", "from 0.79 with one shadow", "from 0.71 with one shadow"),
        ("04", "0.67 | 0.30 | 0.50", "0.67 | 0.20 | 0.50"),
        ("05", "with 256 still 30", "with 256 even 36"),
        ("06", "the paper's 0.935", "the paper's 0.953"),
        ("03", "The recall is the higher one.", "The recall is 0.2 higher."),
        ("04", "Only beyond that do", "Only beyond 0.03 do"),
        ("05", "They are the odd ones.", "They are the odd ones, 7 of 10."),
        ("06", "**The order agrees.**", "**The order agrees in 2024.**"),
        ("06", "**Statistics agree.**", "| statistics | 0.71 |\n"),
    ],
    ids=str,
)
def test_a_planted_number_is_found(number, old, new):
    (cell,) = (cell for cell in cells(number, "markdown") if old in cell.source)
    assert left_over(number, cell.source) == []
    assert left_over(number, cell.source.replace(old, new)) != []
