import ast
import json
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

import miaedu

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "miaedu"
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
# The map of CONTRIBUTING.md: a file imports only what stands below it there.
MAP = re.search(r"## The map\n.*?```text\n(.*?)```", CONTRIBUTING, re.S)[1]
ORDER = re.findall(
    r"\b(\w+)(?:\.py|/)", "\n".join(re.split(r" {3,}", row)[0] for row in MAP.splitlines())
)
POSIX_ONLY = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
POSIX_ONLY_CALLS = {
    "os.chown",
    "os.fork",
    "os.geteuid",
    "os.getuid",
    "os.killpg",
    "os.mkfifo",
    "os.sched_getaffinity",
    "os.setsid",
    "os.uname",
    "signal.SIGALRM",
    "signal.SIGKILL",
    "signal.SIGUSR1",
    "signal.alarm",
    "time.tzset",
}
FILES = sorted(PACKAGE.rglob("*.py"))
each_file = pytest.mark.parametrize(
    "path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix()
)


# Public names and the modules that they come from, as the stub lists them.
HOME = {
    alias.name: node.module
    for node in ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="utf-8")).body
    for alias in node.names
}


def loaded_by(statement):
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    return set(json.loads(subprocess.check_output([sys.executable, "-c", code], timeout=60)))


def module_of(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path):
    """The dotted names that a file imports, wherever in it, with the package's own in full:
    miaedu.shadow."""
    parents = ("miaedu", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = parents[: len(parents) + 1 - node.level] if node.level else ()
            base = ".".join([*above, *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def own_imports(path):
    """The miaedu modules that a file imports; a public name of the package counts as the module it
    comes from."""
    for name in imports(path):
        package, _, rest = name.partition(".")
        first = rest.partition(".")[0]
        if package == "miaedu" and first and first != "__version__":
            yield HOME.get(first, first)


def test_importing_miaedu_loads_nothing_heavy():
    # The count of modules stands for the time, which depends on the machine: numpy alone loads more
    # than a hundred.
    loaded, numpy_alone = loaded_by("import miaedu"), loaded_by("import numpy")
    heavy = {
        "matplotlib",
        "ipywidgets",
        "anywidget",
        "sklearn",
        "scipy",
        "joblib",
        "jupyterlab",
        "IPython",
        "tqdm",
    }
    assert not loaded & heavy
    assert "numpy" in numpy_alone and len(loaded) <= len(numpy_alone)


def test_what_computes_loads_neither_figures_nor_widgets():
    computing = ORDER[ORDER.index("plots") + 1 :]
    loaded = loaded_by("".join(f"import miaedu.{name}\n" for name in computing))
    assert "miaedu.attacks" in loaded and not loaded & {
        "matplotlib",
        "ipywidgets",
        "anywidget",
        "IPython",
    }


@pytest.mark.parametrize("name", miaedu.__all__)
def test_every_public_name_is_there_with_an_example(name):
    documentation = getattr(miaedu, name).__doc__
    opening = documentation.partition("\n\n")[0].strip()
    assert opening.endswith((".", "?")), (
        "a docstring opens with a sentence in a paragraph of its own"
    )
    assert ">>> " in documentation


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="Atack"):
        getattr(miaedu, "Atack")  # noqa: B009
    assert set(miaedu.__all__) <= set(dir(miaedu))


def test_the_stub_is_the_one_list_of_public_names_and_none_is_that_of_a_module():
    assert sorted(HOME) == sorted(miaedu.__all__)
    # `miaedu.audit` as a function would turn into the module as soon as somebody imports that.
    modules = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert not modules & {*miaedu.__all__, "__pycache__"} - {"__pycache__"}


def test_the_map_names_every_file_and_family_once():
    found = {module_of(path) for path in FILES} - {"__init__"}
    assert sorted(ORDER) == sorted(found)


@each_file
def test_a_file_is_read_in_one_sitting(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@each_file
def test_a_file_runs_on_every_system_and_without_a_network(path):
    names = set(imports(path))
    assert not {name.partition(".")[0] for name in names} & (
        POSIX_ONLY | {"pickle", "requests", "socket"}
    )
    assert not names & {"urllib.request", "http.client"}
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    assert (
        not {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)}
        & POSIX_ONLY_CALLS
    )


@each_file
@pytest.mark.filterwarnings("error")
def test_compiling_a_file_warns_of_nothing(path):
    # newer Pythons say such warnings aloud
    compile(path.read_text(encoding="utf-8"), str(path), "exec")


@each_file
def test_imports_point_down_the_map_only(path):
    module = module_of(path)
    if module == "__init__":
        assert list(own_imports(path)) == []
        return
    family = path.parent != PACKAGE
    assert set(own_imports(path)) <= set(ORDER[ORDER.index(module) + (not family) :])
    if module not in ("widgets", "explorers", "exercises"):
        assert not {name.partition(".")[0] for name in imports(path)} & {"ipywidgets", "anywidget"}


def test_the_check_of_imports_sees_each_way_to_import(monkeypatch, tmp_path):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    (tmp_path / "exercises").mkdir()
    for name, source, expected in [
        ("a.py", "from . import plots, data", {"plots", "data"}),
        ("b.py", "from .widgets import Explorer\nimport miaedu.data", {"widgets", "data"}),
        ("c.py", "def f():\n    from miaedu import Dataset, __version__", {"dataset"}),
        (
            "exercises/d.py",
            "from ..plots import plot_roc\nfrom . import checks",
            {"plots", "exercises"},
        ),
    ]:
        (tmp_path / name).write_text(source)
        assert set(own_imports(tmp_path / name)) == expected, source


def test_one_version_everywhere():
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f'\nversion = "{miaedu.__version__}"\n' in pyproject
    assert f"\nversion: {miaedu.__version__}\n" in citation


def test_the_readme_marks_the_two_commands_that_ci_runs():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for marker in ("course", "test"):
        found = re.findall(rf"<!-- ci:{marker} -->\n+```bash\n(.+?)\n```", readme, re.S)
        assert len(found) == 1, f"README.md must have one bash block after <!-- ci:{marker} -->"
        assert "pip install" in found[0]


def test_binder_installs_the_course_with_an_extra_and_a_python_that_it_has():
    """The folder .binder switches a pyproject.toml off for Binder: it must say all by itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (line,) = (ROOT / ".binder" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    extra = re.fullmatch(r"-e \.\[(\w+)\]", line)[1]
    assert project["optional-dependencies"][extra] == ["jupyterlab>=4.2"]
    (runtime,) = (ROOT / ".binder" / "runtime.txt").read_text(encoding="utf-8").splitlines()
    python = re.fullmatch(r"python-(3\.\d+)", runtime)[1]
    assert python in SpecifierSet(project["requires-python"])
    tested = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert python in re.search(r"for version in ([\d. ]+);", tested)[1].split()
    assert not (ROOT / "binder").exists(), "Binder refuses two folders"


def recipe(name):
    """The Python block that follows <!-- recipe: name --> in CONTRIBUTING.md."""
    block = re.search(rf"<!-- recipe: {name} -->\s+```python\n(.*?)```", CONTRIBUTING, re.S)[1]
    return textwrap.dedent(block)


def test_the_recipe_for_an_attack_makes_one(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "miaedu")
    family = tmp_path / "miaedu" / "attacks"
    (family / "margin.py").write_text(recipe("attack"), encoding="utf-8")
    with (family / "__init__.py").open("a", encoding="utf-8") as registry:
        registry.write("from .margin import MarginAttack\n" + recipe("attack's line"))
    code = """
import miaedu as mia
e = mia.Experiment(attack="margin", n_members=200, n_shadows=4, hide=(("rounded", 2),))
result = mia.run(e)
print(mia.__file__, result.adaptive.auc, mia.describe(result))
"""
    printed = subprocess.check_output([sys.executable, "-c", code], text=True, cwd=tmp_path)
    file, auc, words = printed.split(maxsplit=2)
    assert Path(file).is_relative_to(tmp_path) and "the margin attack" in words
    # 200 members and 200 others: an attack that knows nothing has a standard error of about 0.03.
    assert float(auc) > 0.6
