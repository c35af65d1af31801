"""A lesson as a page of the web site: marks out of the headings, exercises with their hints,
solutions and, for a quiz, what is right and wrong about each option."""

import re
from copy import deepcopy
from html import escape
from pathlib import Path
from posixpath import normpath
from string import Template

import nbformat
from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from ...exercises import check, find, hint, solved
from ..graded_lab import OPTION

REPOSITORY = "github.com/miaedu/miaedu/blob/main"
FENCED = re.compile(r"(^```.*?^```)", re.M | re.S)
HEADING = re.compile(r"^(#+) (.*?)(?: · (.*))?$", re.M)
OWN_LINK = re.compile(r"\]\((?!\w+:|#|figures/)([^)#\s]+)(#[^)]*)?\)")  # to a file of the course
FOREIGN_PICTURE = re.compile(r"!\[([^\]]*)\]\(https?:[^)]*\)")
EXERCISE = Path(__file__).parent / "theme" / "exercise.html"
LIVE = 'To have your answer checked, <a href="index.html#Run-the-course">run the course</a>'
HOW = f"{LIVE}: nothing runs on this page."
ON_A_PAGE = (
    "This is a notebook as a page. Where it speaks of running cells, of three dots, of further "
    'controls under "more", or of typing an answer, it means the live course. '
)
HOW_QUIZ = f"Click on an option above to see whether it is right. {LIVE}."


def lesson(notebook, present):
    """An executed notebook as the page's source.

    `present`, the names of the notebooks that are pages of the site; links to others lead to the
    repository.
    """
    made = deepcopy(notebook)
    made.cells = [_on_its_page(cell) for cell in made.cells if not _installs(cell)]
    titles = [cell for cell in made.cells if re.search("^# ", _prose(cell), re.M)]
    halves = len(titles) > 1  # each with a title of its own
    for cell in made.cells:
        if cell.cell_type == "markdown":
            cell.source = with_links(with_headings(cell.source, halves), present)
        elif cell.metadata.get("jupyter", {}).get("source_hidden"):
            cell.metadata["tags"] = ["hide-input"]
    if halves:  # the page's title stays above them
        titles[0].source = re.sub("^## ", "# ", titles[0].source, count=1, flags=re.M)
    for i, cell in enumerate(made.cells):
        if key := cell.metadata.get("exercise"):
            cell.outputs = [html_output(exercise(key))]
            if is_quiz(key):
                made.cells[i - 1].source = with_feedback(made.cells[i - 1].source, key)
    return made


def summary(notebook):
    """What a list of lessons says of one: its title, its opening picture in Markdown, if there is
    one, and its question."""
    text = next(cell for cell in map(_prose, notebook.cells) if re.search("^# ", cell, re.M))
    title = re.search("^# (.*)", text, re.M)[1]
    picture = re.search(r"^!\[[^\]]*\]\(figures/[^)]*\)", text, re.M)
    question = re.search(r"\*\*The question\.\*\* (.*?)\n>?\s*\n", text, re.S)
    question = re.sub(r"\s*\n>?\s*", " ", question[1]) if question else ""
    return title, picture[0] if picture else "", question


def _installs(cell):
    """Whether a cell installs the course where it is missing."""
    return cell.cell_type == "code" and "how-to-run" in cell.metadata.get("tags", [])


def _on_its_page(cell):
    """The cell that says how to run a notebook with what a page cannot do in place of its first
    sentence, which leads to the page; any other as it is."""
    if "how-to-run" in cell.metadata.get("tags", []):
        cell.source = re.sub(r"^\*.*?(?=To run the code)", f"*{ON_A_PAGE}", cell.source, flags=re.S)
    return cell


def _prose(cell):
    """The text of a Markdown cell without its code blocks."""
    return FENCED.sub("", cell.source) if cell.cell_type == "markdown" else ""


def _in_prose(change, source):
    """A text changed everywhere but in its code blocks."""
    parts = FENCED.split(source)
    return "".join(part if part.startswith("```") else change(part) for part in parts)


def with_headings(source, lower=False):
    """A text whose headings have no marks behind them; `lower`, whether each goes down a level.

    >>> print(with_headings("## Another secret · *go further*, 4 minutes\\nText"))
    ## Another secret
    *go further*, 4 minutes
    <BLANKLINE>
    Text
    """

    def changed(found):
        level, heading, mark = found.groups()
        return f"{level}{'#' * lower} {heading}" + (f"\n{mark}\n" if mark else "")

    return _in_prose(lambda text: HEADING.sub(changed, text), source)


def with_links(source, present):
    """A text whose links to files of the course lead to the repository, but for those to notebooks
    that are `present`, and which asks no other host for a picture.

    >>> with_links("[a](01_a.ipynb#B), [c](02_c.ipynb)", {"02_c"})
    '[a](https://github.com/miaedu/miaedu/blob/main/notebooks/01_a.ipynb), [c](02_c.ipynb)'
    """

    def changed(found):
        path, anchor = found[1], found[2] or ""
        name, _, kind = path.rpartition(".")
        if kind == "ipynb" and name in present:
            return found[0]
        there = normpath(f"{REPOSITORY}/notebooks/{path}")
        # it shows notebooks without anchors
        return f"](https://{there}{anchor * (kind != 'ipynb')})"

    return FOREIGN_PICTURE.sub(r"\1", OWN_LINK.sub(changed, source))


def slug(heading):
    """The anchor of a heading, as JupyterLab has it: with hyphens in place of spaces.

    >>> slug("TPR at a low FPR")
    'TPR-at-a-low-FPR'
    """
    return heading.replace(" ", "-")


def html_output(html):
    """A cell's output that is HTML."""
    return nbformat.v4.new_output("display_data", {"text/html": html})


def is_quiz(key):
    """Whether all that is judged of an exercise is the letter of an option."""
    exercise = find(key)
    return exercise.guessed or exercise.solution.startswith('answer = "')


def exercise(key):
    """What stands below the cell of an exercise: how to try it, and folded its hint and its
    solution, as HTML."""
    source = highlight(solved(key).strip(), PythonLexer(), HtmlFormatter())
    template = Template(EXERCISE.read_text(encoding="utf-8"))
    how = HOW_QUIZ if is_quiz(key) else HOW
    return template.substitute(how=how, hint=escape(hint(key)), solution=source)


def with_feedback(source, key):
    """A question whose options unfold, and then say whether they are right, and why not."""
    parts = {"name": key, "guessed": find(key).guessed}
    return OPTION.sub(lambda found: _option(found[1], found[2], **parts), source)


def _option(letter, text, name, guessed):
    verdict = check(name, (None, letter) if guessed else letter)
    mark = {"right": "✔", "wrong": "✘"}[verdict.state]
    said = verdict.state + ("." if verdict.state == "right" else ", because")
    shown = MarkdownIt("commonmark", {"html": False}).renderInline(
        f"{letter}) {' '.join(text.split())}"
    )
    return (
        f'<details class="miaedu-option miaedu-{verdict.state}" name="{name}">'
        f"<summary>{shown}</summary>"
        # a blank line would end the HTML
        f"<p>{mark} <b>{said}</b> {escape(' '.join(verdict.message.split()))}</p></details>\n"
    )
