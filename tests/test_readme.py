"""The README says what happens: its example runs and prints what stands there; its links and
commands exist."""

import contextlib
import io
import re
from pathlib import Path

from course import NOTEBOOKS

README = Path(__file__).parents[1] / "README.md"
TEXT = README.read_text(encoding="utf-8")
PAGES = "https://miaedu.github.io/miaedu"


def block(mark):
    return re.search(rf"<!-- {mark} -->\n```\w+\n(.*?)```", TEXT, re.S).group(1)


def test_the_example_prints_what_the_readme_shows():
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(block("example"), {})
    got, shown = printed.getvalue(), block("example output")
    number = r"\d+\.\d+"
    assert re.sub(number, "#", got).split() == re.sub(number, "#", shown).split()
    # One machine repeats its bits; another machine's BLAS may round otherwise, which moves single
    # records of 1,000 across a threshold.
    for a, b in zip(re.findall(number, got), re.findall(number, shown), strict=True):
        assert abs(float(a) - float(b)) <= 0.03, (a, b)


def test_the_other_examples_run_as_they_stand(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(block("own example"), names := {})
        for line in re.findall(r"`(report\.save\(.*?\))`", TEXT):
            eval(line, names)
        exec(block("page example"), {})
    assert "leak" in printed.getvalue()
    assert (tmp_path / "audit.html").stat().st_size > 10_000
    assert (tmp_path / "audit.json").exists()
    assert (tmp_path / "overfitting.html").stat().st_size > 10_000


def test_every_file_the_readme_links_to_is_there_and_every_picture_has_its_words():
    targets = re.findall(r"\]\(([^)#]+)", TEXT)
    assert len(targets) >= 20
    for target in targets:
        known = target.startswith((f"{PAGES}/", "https://mybinder.org/v2/gh/miaedu/miaedu/main?"))
        assert known or (README.parent / target).exists(), target
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", TEXT)
    assert len(pictures) == 1 + len(NOTEBOOKS)
    for words, target in pictures:
        assert len(words) > 50, f"{target} has no alt text"


def test_each_notebook_has_a_row_whose_picture_leads_to_its_page():
    rows = re.findall(r"^\| \[!\[[^\]]*\]\((.*?)\)\]\((.*?)\) \| \[.*?\]\((.*?)\)", TEXT, re.M)
    assert rows == [
        (f"notebooks/figures/{name}.png", f"{PAGES}/{name}.html", f"notebooks/{name}.ipynb")
        for name in (path.stem for path in NOTEBOOKS)
    ]
