"""The course as a web site: what is refused, what is done again, and what its pages say."""

import re
from html import unescape

import nbformat
import pytest
from course import NOTEBOOKS

import miaedu as mia
from miaedu.__main__ import main
from miaedu.editions.site import build as command
from miaedu.editions.site import lesson as lesson_of
from miaedu.editions.site.build import fingerprint, run
from miaedu.editions.site.twin import TWINS, settings, twin
from miaedu.exercises import find, hint, solved
from miaedu.explorers import EXPLORERS
from miaedu.explorers.page import options

slow = pytest.mark.slow


@pytest.fixture(autouse=True)
def installed(monkeypatch):
    """The extra seems to be there: what is tested here needs no Sphinx."""
    monkeypatch.setattr(command, "find_spec", lambda name: name)


def notebook(*cells):
    """A notebook of Markdown cells, and of code cells where a cell is a pair of source and
    metadata."""
    made = [
        nbformat.v4.new_markdown_cell(cell)
        if isinstance(cell, str)
        else nbformat.v4.new_code_cell(cell[0], metadata=cell[1])
        for cell in cells
    ]
    return nbformat.v4.new_notebook(cells=made)


def text(path):
    return path.read_text(encoding="utf-8")


# -- what is done again ---------------------------------------------------------------------------


def test_what_a_notebook_is_made_of_decides_whether_it_is_executed_again(tmp_path, monkeypatch):
    first, second = (tmp_path / name / "00_a.ipynb" for name in "ab")
    for path in (first, second):
        path.parent.mkdir()
        path.write_text("same")
    same = fingerprint(first)
    assert fingerprint(second) == same
    second.write_text("changed")
    assert fingerprint(second) != same
    monkeypatch.setattr(command.metadata, "version", lambda name: "other")
    assert fingerprint(first) != same
    monkeypatch.undo()
    package = tmp_path / "editions" / "miaedu"  # not to be taken for the module's own editions
    for name in ("network.py", "editions/graded_lab.py", "editions/site/twin.py"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text("x = 1")
    (package / "explorers" / "browser").mkdir(parents=True)
    (package / "explorers" / "browser" / "page.js").write_text("1")
    monkeypatch.setattr(command, "PACKAGE", package)
    same = fingerprint(first)
    (package / "editions/graded_lab.py").write_text("x = 2")
    assert fingerprint(first) == same
    for name in ("network.py", "editions/site/twin.py", "explorers/browser/page.js"):
        (package / name).write_text("x = 2")
        assert fingerprint(first) != same, name
        same = fingerprint(first)


def test_a_notebook_that_is_no_longer_asked_for_is_taken_out_and_named(tmp_path):
    work, site = tmp_path / "work", tmp_path / "site"
    (work / "html").mkdir(parents=True)
    for name in ("00_start_here", "02_prerequisites"):
        (work / "html" / f"{name}.html").write_text(name)
    site.mkdir()
    (site / "mine.html").write_text("mine")
    assert command._publish([], work, site) == []
    (work / "html" / "02_prerequisites.html").unlink()
    (said,) = command._publish([], work, site)
    assert said == "02_prerequisites: taken out of the site, since it was not asked for"
    assert sorted(file.name for file in site.iterdir()) == ["00_start_here.html", "mine.html"]


@pytest.mark.parametrize("folder", ["02", "7", "03_algorithm"])
def test_a_forgotten_folder_is_not_taken_for_a_site(tmp_path, monkeypatch, capsys, folder):
    monkeypatch.setattr(command, "find_spec", lambda name: name)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["site", folder])
    assert (
        f"notebooks follow it, as in: miaedu site pages {folder}; got a notebook"
        in capsys.readouterr().err
    )
    assert not list(tmp_path.iterdir())


# -- what the pages say ---------------------------------------------------------------------------


def test_an_anchor_is_the_heading_with_hyphens_as_jupyterlab_has_it():
    assert lesson_of.slug("TPR at a low FPR") == "TPR-at-a-low-FPR"
    assert lesson_of.slug("Exercise 02.3: diagnose") == "Exercise-02.3:-diagnose"


def test_marks_leave_the_headings_and_a_second_half_is_a_part_of_the_page():
    first = "# First half\n## One · *go further*, 4 minutes\nText\n```python\n# not · one\n```"
    made = lesson_of.lesson(notebook("Above.\n\n# Title", first, "### Deep", "# Second"), set())
    assert [cell.source for cell in made.cells] == [
        "Above.\n\n# Title",
        "## First half\n### One\n*go further*, 4 minutes\n\nText\n```python\n# not · one\n```",
        "#### Deep",
        "## Second",
    ]
    alone = lesson_of.lesson(notebook("# Title\n## One", "### Deep"), set())
    assert [cell.source for cell in alone.cells] == ["# Title\n## One", "### Deep"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_page_of_the_course_has_one_title_and_no_formula_and_no_foreign_picture(path):
    made = lesson_of.lesson(nbformat.read(path, 4), {other.stem for other in NOTEBOOKS})
    prose = "\n".join(lesson_of._prose(cell) for cell in made.cells)
    headings = re.findall("^(#+) (.*)", prose, re.M)
    assert [level for level, _ in headings].count("#") == 1 and headings[0][0] == "#"
    assert not [heading for _, heading in headings if "·" in heading or "minutes" in heading]
    (how,) = (cell.source for cell in made.cells if "how-to-run" in cell.metadata.get("tags", []))
    assert how.startswith(
        f"*{lesson_of.ON_A_PAGE}To run the code: [install the course]("
    ) and how.endswith("*")
    assert not [cell for cell in made.cells if "%pip" in cell.source]
    # the site has nothing that renders formulas
    assert "$" not in prose
    assert not re.search(r"!\[[^\]]*\]\(http|<img", prose)
    title, picture, question = lesson_of.summary(made)
    assert title and question.endswith("?") and f"figures/{path.stem}.png" in picture


def test_a_link_to_a_file_that_is_no_page_leads_to_the_repository():
    repository = "https://github.com/miaedu/miaedu/blob/main"
    for source, wanted in [
        (
            "[a](01_a.ipynb#B) [c](02_c.ipynb#D) [e](#E)",
            f"[a]({repository}/notebooks/01_a.ipynb) [c](02_c.ipynb#D) [e](#E)",
        ),
        (
            "[t](TEACHING.md) ![f](figures/f.png)",
            f"[t]({repository}/notebooks/TEACHING.md) ![f](figures/f.png)",
        ),
        (
            "[r](../README.md#start) [x](https://x.example/y.ipynb)",
            f"[r]({repository}/README.md#start) [x](https://x.example/y.ipynb)",
        ),
    ]:
        assert lesson_of.with_links(source, {"02_c"}) == wanted


def test_a_picture_from_another_host_gives_way_to_its_words():
    source = "[![run it](https://badges.example/a.svg)](https://lab.example) ![own](figures/a.png)"
    assert (
        lesson_of.with_links(source, set()) == "[run it](https://lab.example) ![own](figures/a.png)"
    )


def test_an_exercise_has_its_hint_and_its_solution_folded_and_says_how_to_try_it():
    asked = ("answer = ...", {"exercise": "02.2"})
    made = lesson_of.lesson(notebook("# Title", "Find the best.", asked), set()).cells[2]
    assert made.source == "answer = ..."
    (html,) = (output.data["text/html"] for output in made.outputs)
    folded = re.findall(r"<details><summary>(\w+)</summary>(.*?)</details>", html, re.S)
    assert [name for name, _ in folded] == ["Hint", "Solution"] and "open" not in html
    plain = [unescape(re.sub("<[^>]*>", "", part)) for _, part in folded]
    assert plain[0] == hint("02.2") and plain[1].strip() == solved("02.2").strip()
    assert 'href="index.html#Run-the-course"' in html and "Click on an option" not in html


@pytest.mark.parametrize("key", ["00.q1", "01.1"])
def test_each_option_of_a_quiz_unfolds_to_what_the_exercise_says_of_it(key):
    guess = find(key).guessed
    asked = ("mia.check(...)", {"exercise": key})
    question = "Which?\n\n- a) one `x`\n  of two lines\n- b) <two>\n- c) three\n"
    made = lesson_of.lesson(notebook("# Title", question, asked), set())
    source = made.cells[1].source
    options = re.findall(
        r'<details class="miaedu-option miaedu-(\w+)" name="(.*?)"><summary>(\w)\) (.*?)</summary>'
        r"<p>(.) <b>(.*?)</b> (.*?)</p></details>",
        source,
    )
    assert source.startswith("Which?\n\n<details") and "- a)" not in source
    assert [option[2] for option in options] == ["a", "b", "c"]
    assert options[0][3] == "one <code>x</code> of two lines" and options[1][3] == "&lt;two&gt;"
    for state, name, letter, _, mark, said, message in options:
        verdict = mia.check(key, (None, letter) if guess else letter)
        assert (state, name) == (verdict.state, key)
        assert said == {"right": "right.", "wrong": "wrong, because"}[state]
        assert mark == {"right": "✔", "wrong": "✘"}[state] and message[:20] in verdict.message
    assert sorted(option[0] for option in options) == ["right", "wrong", "wrong"]
    (html,) = (output.data["text/html"] for output in made.cells[2].outputs)
    assert "Click on an option" in html


def test_the_command_that_runs_the_course_is_the_one_of_the_readme():
    readme = text(NOTEBOOKS[0].parents[1] / "README.md")
    command = re.search(r"<!-- ci:course -->\n```bash\n(.*?)```", readme, re.S)[1]
    assert f"```bash\n{command}```" in text(lesson_of.EXERCISE.with_name("index.md"))


# -- twins ----------------------------------------------------------------------------------------


def test_the_twins_that_are_set_are_explorers_of_the_course():
    assert TWINS.keys() <= {make.__name__ for make in EXPLORERS}


def test_a_twin_is_a_page_with_a_still_picture_and_the_lines_that_embed_it(tmp_path):
    html = twin(mia.threshold(), tmp_path / "02-threshold")
    assert {path.name for path in tmp_path.iterdir()} == {"02-threshold.html", "02-threshold.png"}
    assert '<iframe loading="lazy" src="explorers/02-threshold.html" name="02-threshold"' in html
    assert 'href="explorers/02-threshold.png"' in html
    lines = re.search(r'<pre class="miaedu-embed">(.*?)</pre>', html, re.S)[1]
    assert lines.startswith('&lt;iframe src="02-threshold.html"') and "addEventListener" in lines


@pytest.mark.slow
@pytest.mark.parametrize("name", TWINS)
def test_a_twin_moves_its_control_over_its_presets_and_is_not_heavy(name, one_of_each, tmp_path):
    explorer = one_of_each(name)
    explorer.reset()
    control, presets = settings(explorer)
    twin(explorer, tmp_path / "twin")
    page = text(tmp_path / "twin.html")
    assert len(page.encode()) <= 400_000
    assert f'"name": "{control}"' in page and all(f'"{called}"' in page for called in presets)
    count = len(presets) * len(options(explorer.controls[control]))
    assert f"its {count} pictures" in " ".join(page.split())


# -- what is refused ------------------------------------------------------------------------------


def refused(*arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["site", *map(str, arguments)])
    assert ended.value.code == 2
    return " ".join(capsys.readouterr().err.split())


def test_a_folder_with_other_files_is_refused_and_they_stay(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("mine")
    said = refused(tmp_path, "00", capsys=capsys)
    assert "DIR must be a new folder, an empty one, or a site made by this command" in said
    assert f"got {tmp_path}, which holds other files" in said
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        said = refused(folder, "00", capsys=capsys)
        assert f"DIR must be a folder that can be written to, got {folder}" in said


def test_a_notebook_that_is_not_there_is_refused_before_anything_is_made(tmp_path, capsys):
    said = refused(tmp_path / "new", "00", "99", capsys=capsys)
    assert "a notebook must be one of 00, 01," in said and "got '99'" in said
    assert not (tmp_path / "new").exists()


def test_without_the_extra_the_command_that_installs_it_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "find_spec", lambda name: None if "book" in name else name)
    said = refused(tmp_path / "new", capsys=capsys)
    assert "miaedu site needs sphinx-book-theme: pip install 'miaedu[site]'" in said
    assert not (tmp_path / "new").exists()


@slow
def test_a_cell_that_fails_is_named_and_no_page_is_made(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "course", (tmp_path / "course").joinpath)
    monkeypatch.setattr("miaedu.editions.graded_lab.course", (tmp_path / "course").joinpath)
    (tmp_path / "course" / "data").mkdir(parents=True)
    broken = tmp_path / "course" / "notebooks" / "00_broken.ipynb"
    broken.parent.mkdir()
    nbformat.write(notebook("# Title", ("1 + 1", {}), ("1 / 0  # here", {})), broken)
    said = refused(tmp_path / "new", capsys=capsys)
    assert "00_broken cannot be executed: ZeroDivisionError: division by zero" in said
    assert "in the cell 1 / 0 # here" in said
    files = [path for path in (tmp_path / "new").rglob("*") if path.is_file()]
    assert [path.name for path in files] == [".gitignore"], "nothing that looks whole"


@slow
def test_a_widget_is_refused_since_no_static_page_can_show_it(tmp_path):
    shown = notebook("# Title", ("import ipywidgets\nipywidgets.IntSlider()", {}))
    with pytest.raises(RuntimeError, match="00_x shows a widget, which needs a kernel:\nimport"):
        run(shown, "00_x", tmp_path)
