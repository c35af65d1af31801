import ast
import importlib.util
import re
import socket
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from course import NOTEBOOKS, ROOT, lesson_of
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient

from miaedu.editions.graded_lab import is_how_to_run
from miaedu.explorers import machine

FIGURES = spec_from_file_location("figures", Path(__file__).parents[1] / ".ci" / "figures.py")
FIGURES.loader.exec_module(OPENING := module_from_spec(FIGURES))
SOURCE = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]["Source"]
HOW_TO_RUN = f"""\
*No sliders to drag here? [This notebook's page](https://miaedu.github.io/miaedu/{{name}}.html) \
has them, with nothing to install.
To run the code: [install the course]({SOURCE}#start), or open it in \
[Colab](https://colab.research.google.com/github/miaedu/miaedu/blob/main/notebooks/{{name}}.ipynb)
or on [Binder](https://mybinder.org/v2/gh/miaedu/miaedu/main?labpath=notebooks/{{name}}.ipynb).*"""
IMPORTS = {"miaedu", "numpy", "matplotlib", "sklearn"}
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
# The shortest of them runs with the fast tests.
each_run = [
    pytest.param(path, id=path.stem, marks=[] if path.stem[:2] == "00" else pytest.mark.slow)
    for path in NOTEBOOKS
]


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def halves(path):
    """A notebook as those that run alone: where it has a second half, two of them."""
    whole = nbformat.read(path, as_version=4)
    start = next(
        (i for i, cell in enumerate(whole.cells) if cell.source.startswith("# Second half")), 0
    )
    cut = [whole.cells[:start], whole.cells[start:]] if start else [whole.cells]
    return [nbformat.v4.new_notebook(cells=cells, metadata=whole.metadata) for cells in cut]


def run(notebooks, folder, offline):
    """Run notebooks, each from a fresh kernel, in an empty folder; one notebook with the outputs of
    all."""
    folder.mkdir()
    settings = {"coalesce_streams": True, "timeout": 300, "kernel_name": "python3"}
    for notebook in notebooks:
        client = NotebookClient(notebook, **settings, resources={"metadata": {"path": str(folder)}})
        client.execute(env=offline.env)
    return nbformat.v4.new_notebook(
        cells=[cell for notebook in notebooks for cell in notebook.cells]
    )


def printed(notebook):
    """What the cells say as text, number by number: pictures, widgets and addresses in memory
    differ between runs."""
    for cell in code_of(notebook):
        for output in cell.outputs:
            data = output.get("data", {})
            if "application/vnd.jupyter.widget-view+json" not in data:
                yield re.sub(r"0x[0-9a-f]+", "0x", output.get("text", data.get("text/plain", "")))


def figures(notebook):
    """The HTML, or an empty text, beside each picture that the cells show."""
    data = [output.get("data", {}) for cell in code_of(notebook) for output in cell.outputs]
    return [each.get("text/html", "") for each in data if "image/png" in each]


def warnings_of(notebook):
    return [
        output.text
        for cell in code_of(notebook)
        for output in cell.outputs
        if output.get("name") == "stderr"
    ]


def is_absolute(text):
    return re.match(r"/[\w.]|~|file:|[A-Za-z]:[\\/]", text) is not None


def test_there_are_notebooks():
    assert "03_algorithm" in [path.stem for path in NOTEBOOKS]


@pytest.mark.parametrize("path", each_run)
def test_it_runs_offline_without_warnings_and_says_the_same_twice(path, tmp_path, offline):
    # Both at once: fresh kernels that share the cores must not change each other's numbers either.
    runs = {"first": [nbformat.read(path, as_version=4)], "second": halves(path)}
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda name: run(runs[name], tmp_path / name, offline), runs)
    assert warnings_of(first) == [], "a notebook runs without warnings"
    assert list(printed(first)) == list(printed(second)), (
        "a notebook says the same twice, in halves too"
    )
    assert all(re.search(r'<img alt=["\'][^"\']{40}', html) for html in figures(first)), (
        "a picture has its words"
    )
    assert offline.attempts() == [], "a notebook asks no other machine"
    assert list((tmp_path / "first").iterdir()) == [], "a notebook leaves no files behind"


@each_notebook
def test_it_is_a_valid_notebook_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    ids = [cell.get("id") for cell in notebook.cells]
    assert None not in ids and len(set(ids)) == len(ids)
    assert notebook.metadata.kernelspec.name == "python3", (
        "JupyterLab would ask the reader for a kernel"
    )
    for cell in code_of(notebook):
        assert cell.outputs == [] and cell.execution_count is None, cell.source


@each_notebook
def test_its_code_is_short_and_stays_with_the_course(path):
    for cell in lesson_of(path):
        if cell.cell_type == "markdown":
            continue
        assert len(cell.source.splitlines()) <= 12, cell.source
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Import):
                assert {alias.name.partition(".")[0] for alias in node.names} <= IMPORTS, (
                    cell.source
                )
            if isinstance(node, ast.ImportFrom):
                assert node.module.partition(".")[0] in IMPORTS, cell.source
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not is_absolute(node.value), f"an absolute path: {node.value}"


@each_notebook
def test_its_set_up_is_one_cell_of_at_most_four_lines(path):
    importing = [
        cell.source
        for cell in code_of(nbformat.read(path, as_version=4))
        if "import miaedu" in cell.source
    ]
    assert len(importing) == 1 + (path.stem[:2] == "04"), "one, or one a half"
    assert all(len(source.splitlines()) <= 4 for source in importing)


@each_notebook
def test_after_its_title_it_says_how_to_run_it_and_installs_what_is_missing(path):
    title, how, install = nbformat.read(path, as_version=4).cells[:3]
    assert title.source.startswith("# ")
    assert how.source == HOW_TO_RUN.format(name=path.stem)
    assert is_how_to_run(how) and is_how_to_run(install)
    assert install.cell_type == "code" and install.metadata["jupyter"]["source_hidden"]


@each_notebook
@pytest.mark.parametrize("missing", [True, False])
def test_it_installs_the_course_where_that_is_missing_and_nowhere_else(path, missing, monkeypatch):
    (install,) = (cell for cell in nbformat.read(path, 4).cells[1:3] if cell.cell_type == "code")
    asked = []
    shell = SimpleNamespace(run_line_magic=lambda *magic: asked.append(magic))
    if missing:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    exec(TransformerManager().transform_cell(install.source), {"get_ipython": lambda: shell})
    assert asked == [("pip", f"install -q git+{SOURCE}")] * missing


@pytest.mark.parametrize("name", OPENING.OPENING)
def test_the_words_of_its_opening_picture_are_those_of_the_explorer_today(name, monkeypatch):
    # as many shadow models on a slow machine
    monkeypatch.setattr(machine, "seconds_per_network", lambda: 1e-4)
    today, (shown_by, pattern), number = (
        OPENING.opening(name).words,
        OPENING.pages(name),
        r"\d+(?:\.\d+)?",
    )
    assert len(shown_by) == 2, "the notebook and the README"
    for page in shown_by:
        shown = pattern.search(page.read_text(encoding="utf-8"))[1].replace('\\"', '"')
        assert re.sub(number, "#", shown) == re.sub(number, "#", today)
        # Another machine's BLAS may round otherwise, which moves single records of 1,000 across a
        # threshold.
        for a, b in zip(re.findall(number, shown), re.findall(number, today), strict=True):
            assert abs(float(a) - float(b)) <= (0.03 if "." in a else 3), (a, b)


@each_notebook
def test_its_links_and_pictures_lead_somewhere(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "markdown":
            continue
        pictures = re.findall(r"!\[(.*?)\]\((\S+?)\)", cell.source, re.S)
        pictures += [
            (re.search(r'alt="(.*?)"', tag, re.S)[1], re.search(r'src="(.*?)"', tag)[1])
            for tag in re.findall(r"<img .*?>", cell.source, re.S)
        ]
        for words, _ in pictures:
            assert len(words) > 20, f"a picture's alt text says what it shows, got {words!r}"
        targets = [target for _, target in pictures] + re.findall(
            r"(?<!!)\[[^\]]*\]\((\S+?)\)", cell.source
        )
        for target in targets:
            if not re.match(r"https?://|mailto:|#|attachment:", target):
                assert (
                    not is_absolute(target) and (path.parent / target.partition("#")[0]).exists()
                ), target


def anchors(path):
    """The anchors of a notebook's headings: JupyterLab takes a heading's text as it is shown, with
    hyphens for spaces."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            for heading in re.findall(r"^#{1,6} +(.+?) *$", cell.source, re.M):
                shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)  # links: their text
                yield re.sub(r"[*`]", "", shown).replace(" ", "-")


@each_notebook
def test_its_links_to_headings_lead_to_one_each(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            for page, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", cell.source):
                there = list(anchors(path.parent / page if page else path))
                assert there.count(anchor) == 1, (page, anchor)


def test_the_cut_network_refuses_and_remembers(offline):
    # No packet is sent even if the guard fails: the first asks for a name that cannot exist, the
    # second only says so.
    code = """
import socket, sys
looks_up = lambda: socket.getaddrinfo("example.invalid", 80)
connects = lambda: sys.audit("socket.connect", None, ("192.0.2.1", 80))
for ask in (looks_up, connects):
    try:
        ask()
    except OSError as error:
        print(error)
"""
    said = subprocess.check_output(
        [sys.executable, "-c", code], env=offline.env, text=True, timeout=60
    )
    assert said.count("the network is cut for this test") == 2
    assert offline.attempts() == ["socket.getaddrinfo example.invalid", "socket.connect 192.0.2.1"]


def test_the_cut_network_leaves_this_machine_reachable(offline):
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"import socket; socket.create_connection(('localhost', {server.getsockname()[1]}))"
        subprocess.run([sys.executable, "-c", code], env=offline.env, check=True, timeout=60)
    assert offline.attempts() == []


BAD = {
    "prints the clock": ("import time; print(time.perf_counter())", "says the same twice"),
    "warns": ("import warnings; warnings.warn('beware')", "runs without warnings"),
    "shows a picture without words": (
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        "has its words",
    ),
    "leaves a file": ("open('left.txt', 'w').close()", "leaves no files"),
    "looks outside": (
        "import socket\ntry: socket.getaddrinfo('example.invalid', 80)\nexcept OSError: pass",
        "asks no other machine",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_notebook_would_be_found(name, tmp_path, offline):
    source, reason = BAD[name]
    nbformat.write(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), tmp_path / "bad.ipynb"
    )
    with pytest.raises(AssertionError, match=reason):
        test_it_runs_offline_without_warnings_and_says_the_same_twice(
            tmp_path / "bad.ipynb", tmp_path, offline
        )
