"""The course as a web site: its executed notebooks as static pages, for a blog or to read on a
phone. No page asks another host for anything.

What is made on the way lies in a hidden folder of the site, ``.miaedu-site``: each executed
notebook with the pages of its explorers, kept until something that it depends on changes, and
what Sphinx keeps. The site itself is touched last, when everything has come out well.
"""

import os
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from time import monotonic

from tqdm.auto import tqdm

from ...places import course
from .twin import PAGES

EXTRA = {"sphinx": "sphinx", "myst_nb": "myst-nb", "sphinx_book_theme": "sphinx-book-theme"}
WORK = ".miaedu-site"  # by this folder a site of ours is known
PACKAGE = Path(__file__).parents[2]
THEME = Path(__file__).parent / "theme"
TIMEOUT = 600  # seconds a cell may take
# what the outputs of a notebook depend on besides the course itself
COMPUTE = ("numpy", "scipy", "scikit-learn", "matplotlib", "ipywidgets", "ipython", "ipykernel")


def site(folder, notebooks=()):
    """Make the web site of the course in a folder, or bring it up to date, and return a line about
    each notebook.

    `notebooks`, their numbers such as "03", all by default; links to the others then lead to the
    repository. Only what has changed since the last time is done again. ValueError: there is no
    such notebook. FileExistsError: the folder holds something that is not of such a site; OSError:
    it cannot be written to. ModuleNotFoundError: the extra ``site`` is not installed.
    RuntimeError: a cell of a notebook fails, or Sphinx warns of something; the site is then as it
    was before.
    """
    _check_extra()
    # they read notebooks, by what may come with the extra
    from ..graded_lab import found, is_a_notebook

    folder = Path(folder).resolve()
    if is_a_notebook(folder.name):
        raise ValueError(
            f"DIR must be the folder of the site, and notebooks follow it, as in: miaedu site "
            f"pages {folder.name}; got a notebook, {folder}"
        )
    paths = found(notebooks)
    work = _work_folder(folder)
    said = _execute(paths, work)
    _make_pages(paths, work)
    said += _publish(paths, work, folder)
    return [
        *said,
        f"The site is in {folder}: open {folder / 'index.html'}. {WORK} in it is for the next run, "
        "and not to be published.",
    ]


def _check_extra():
    missing = [name for module, name in EXTRA.items() if find_spec(module) is None]
    if missing:
        raise ModuleNotFoundError(
            f"miaedu site needs {', '.join(missing)}: pip install 'miaedu[site]'"
        )


def _work_folder(folder):
    """The hidden folder of a site that is ours, made if there is none."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / WORK).is_dir():
        raise FileExistsError(
            f"DIR must be a new folder, an empty one, or a site made by this command, got {folder},"
            " which holds other files"
        )
    try:
        (folder / WORK).mkdir(parents=True, exist_ok=True)
        (folder / WORK / ".gitignore").write_text("*\n")
    except OSError as error:
        raise OSError(
            f"DIR must be a folder that can be written to, got {folder} ({error})"
        ) from None
    return folder / WORK


def fingerprint(path):
    """What the outputs of a notebook depend on, as one text: the notebook, the module but for its
    other editions, the data, and the versions of what computes."""
    module = [
        file for file in PACKAGE.rglob("*.py") if file.relative_to(PACKAGE).parts[0] != "editions"
    ]
    browser = (PACKAGE / "explorers" / "browser").iterdir()
    shown = PACKAGE / "editions" / "site" / "twin.py", THEME / "twin.html"
    return _digest([path, *module, *browser, *shown, *course("data").iterdir()], COMPUTE)


def _digest(files, packages):
    """The contents of files and the versions of packages, and of Python, as one short text."""
    content = sha256(sys.version.encode())
    for file in sorted(file for file in files if file.is_file()):
        content.update(f"{file.name} {file.stat().st_size} ".encode() + file.read_bytes())
    for name in packages:
        content.update(f"{name} {metadata.version(name)} ".encode())
    return content.hexdigest()


def _execute(paths, work):
    """Execute the notebooks that have changed; a line about each."""
    import nbformat

    said, changed = {}, []
    for path in paths:
        kept = work / "lessons" / path.stem
        stamp = kept / "fingerprint"
        if stamp.exists() and stamp.read_text() == fingerprint(path):
            said[path.stem] = f"{path.stem}: unchanged"
        else:
            shutil.rmtree(kept, ignore_errors=True)
            changed.append(path)
    lessons = [nbformat.read(path, 4) for path in changed]
    codes = sum(cell.cell_type == "code" for lesson in lessons for cell in lesson.cells)
    how = "{desc}{percentage:3.0f}%|{bar}| {n_fmt} of {total_fmt} cells, {elapsed}"
    with tqdm(total=codes, bar_format=how, disable=not changed) as bar:
        for path, lesson in zip(changed, lessons, strict=True):
            bar.set_description(path.stem)
            began, kept = monotonic(), work / "lessons" / path.stem
            (kept / PAGES).mkdir(parents=True)
            run(lesson, path.stem, kept / PAGES, bar.update)
            nbformat.write(lesson, _executed(path, work))
            # written last: without it nothing of this counts
            (kept / "fingerprint").write_text(fingerprint(path))
            pages = len(list((kept / PAGES).glob("*.html")))
            told = f"{pages} explorer{'s' * (pages != 1)}"
            said[path.stem] = f"{path.stem}: executed in {monotonic() - began:.0f} s, {told}"
    return [said[path.stem] for path in paths]


def run(lesson, name, pages, tell=lambda: None):
    """Execute a notebook in place, in a kernel of this very Python that shows explorers as pages,
    which it writes to the folder `pages`; `tell` is called after each cell of code.

    RuntimeError: a cell fails, or shows a widget, which no static page can.
    """
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpecManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    show = (
        f"import miaedu.editions.site.twin as site; site.show_twins({name[:2]!r}, {str(pages)!r})"
    )
    # without folders to search, "python3" is this Python
    specs = KernelSpecManager(kernel_dirs=[])
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=specs)
    with TemporaryDirectory() as folder:
        client = NotebookClient(
            lesson,
            km=manager,
            timeout=TIMEOUT,
            coalesce_streams=True,
            store_widget_state=False,
            record_timing=False,
            resources={"metadata": {"path": folder}},
            extra_arguments=[f"--IPKernelApp.exec_lines={show}", "--IPKernelApp.log_level=ERROR"],
            on_cell_executed=lambda **about: tell(),
        )
        # another backend of Matplotlib would show no figure
        env = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
        try:
            client.execute(env=env)
        except CellExecutionError as error:
            failed = next(cell.source for cell in lesson.cells if _has_failed(cell))
            told = f"{error.ename}: {error.evalue}"
            raise RuntimeError(
                f"{name} cannot be executed: {told}, in the cell\n{failed}"
            ) from None
        except CellTimeoutError as error:
            raise RuntimeError(f"{name} cannot be executed: {error}") from None
        except DeadKernelError:  # by Ctrl-C, too
            raise RuntimeError(
                f"{name} was stopped, or its kernel died. Run the command again: it goes on with "
                "this notebook"
            ) from None
    for cell in lesson.cells:
        for output in cell.get("outputs", []):
            widget = "application/vnd.jupyter.widget-view+json" in output.get("data", {})
            if widget and "exercise" not in cell.metadata:
                raise RuntimeError(f"{name} shows a widget, which needs a kernel:\n{cell.source}")


def _has_failed(cell):
    return any(output.output_type == "error" for output in cell.get("outputs", []))


def _write_source(paths, work):
    """Write what Sphinx reads: pages, the opening pictures, and the page that lists them."""
    import nbformat

    from .lesson import lesson

    source, texts = work / "source", {}
    lessons = {path.stem: nbformat.read(_executed(path, work), 4) for path in paths}
    for name, notebook in lessons.items():
        texts[f"{name}.ipynb"] = nbformat.writes(lesson(notebook, set(lessons))).encode()
    for picture in _pictures(paths):
        texts[f"figures/{picture.name}"] = picture.read_bytes()
    texts["index.md"] = _index(lessons).encode()
    known = {source / name for name in texts}
    gone = [file for file in source.rglob("*") if file.is_file() and file not in known]
    if gone:  # Sphinx would keep its page
        for folder in (source, work / "html", work / "doctrees"):
            shutil.rmtree(folder, ignore_errors=True)
    _update(source, texts)


def _index(lessons):
    """The first page, in Markdown: `lessons`, executed notebooks by name."""
    from .lesson import summary

    listed, named = [], []
    for name, notebook in lessons.items():
        title, picture, question = summary(notebook)
        listed.append(f"### [{name[:2]} {title}]({name}.ipynb)\n{question}\n\n{picture}\n")
        named.append(f"{name[:2]} {title} <{name}>")
    page = Template((THEME / "index.md").read_text(encoding="utf-8"))
    return page.substitute(lessons="\n".join(listed), names="\n".join(named))


def _make_pages(paths, work):
    """Let Sphinx make the pages that have changed, from the executed notebooks."""
    stamp, executed = work / "pages", [_executed(path, work) for path in paths]
    files = [*executed, *_pictures(paths), *PACKAGE.rglob("*.py"), *THEME.rglob("*.*")]
    made_of = _digest(files, EXTRA.values())
    if stamp.exists() and stamp.read_text() == made_of:
        return
    stamp.unlink(missing_ok=True)
    _write_source(paths, work)
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    folders = ["-c", THEME, "-d", work / "doctrees", work / "source", work / "html"]
    done = subprocess.run([*command, *folders], capture_output=True, text=True, errors="replace")
    if done.returncode:
        # half of it may be there: next time from the beginning
        for folder in ("html", "doctrees"):
            shutil.rmtree(work / folder, ignore_errors=True)
        raise RuntimeError(f"Sphinx did not make the pages:\n{done.stderr.strip()}")
    stamp.write_text(made_of)


def _executed(path, work):
    return work / "lessons" / path.stem / "executed.ipynb"


def _pictures(paths):
    """The notebooks' opening pictures."""
    return [course("notebooks", "figures", f"{path.stem}.png") for path in paths]


def _publish(paths, work, folder):
    """Bring the site up to date with what was made, and return a line about each notebook that is
    no longer asked for; files that are not ours stay."""
    made = {
        file.relative_to(work / "html").as_posix(): file
        for file in (work / "html").rglob("*")
        if file.is_file() and file.name != ".buildinfo"
    }
    for path in paths:
        for file in (work / "lessons" / path.stem / PAGES).iterdir():
            made[f"{PAGES}/{file.name}"] = file
    listed = work / "files"
    before = set(listed.read_text(encoding="utf-8").splitlines()) if listed.exists() else set()
    listed.write_text("\n".join(sorted(before | made.keys())), encoding="utf-8")
    _update(folder, {name: file.read_bytes() for name, file in made.items()})
    gone = sorted(before - made.keys())
    for name in gone:
        (folder / name).unlink(missing_ok=True)
    listed.write_text("\n".join(sorted(made)), encoding="utf-8")
    pages = [name.removesuffix(".html") for name in gone if re.match(r"\d\d_\w+\.html", name)]
    return [f"{name}: taken out of the site, since it was not asked for" for name in pages]


def _update(folder, contents):
    """Write those files of a folder whose contents have changed."""
    for name, content in contents.items():
        file = folder / name
        if not file.exists() or file.read_bytes() != content:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
