"""JupyterLab as its reader uses it: open a notebook, run it, press keys on a slider, look at the
picture.

The page is the one of the fixture ``page``. JupyterLab tells its state through ``jupyterapp``,
which the fixture ``lab`` asks it to expose; an indicator on the screen may still, or already, say
idle when a fresh kernel is not ready.
"""

from pathlib import Path
from uuid import uuid4


def script(name):
    """One of the functions for the page that stand in files."""
    return (Path(__file__).parent / "scripts" / f"{name}.js").read_text(encoding="utf-8")


RUN_ALL = script("run_all")
READY = script("ready")
CELLS = script("cells")
ASK = script("ask")
SETTLED = script("settled")


def open_notebook(page, lab, name):
    """Open a notebook of the lab's folder in a workspace of its own and wait until its kernel can
    work."""
    page.goto(f"{lab.url}/lab/workspaces/{uuid4().hex}/tree/{name}?token={lab.token}")
    page.wait_for_function(READY, arg=name, timeout=60_000)


def run_all(page, seconds=120):
    """Run all cells, wait until each has finished, and fail with the error of a cell that raised
    one."""
    page.evaluate(RUN_ALL)
    page.wait_for_function("window.finished", timeout=1000 * seconds)
    for cell in page.evaluate(CELLS):
        source = "".join(cell["source"])
        errors = [output for output in cell["outputs"] if output["output_type"] == "error"]
        assert not errors, (
            f"{source}\n{errors[0]['ename']}: {errors[0]['evalue']}" if errors else ""
        )
        assert cell["execution_count"] or not source.strip(), f"this cell was not run:\n{source}"


def explorer(page, number=0):
    """The explorer of that number on the page, as a locator, scrolled to."""
    found = page.locator(".miaedu-explorer").nth(number)
    found.scroll_into_view_if_needed(timeout=30_000)
    return found


def picture(explorer):
    """What a reader sees of an explorer's figure, and what one who cannot see it hears: (markup,
    words)."""
    image = explorer.get_by_role("img").first
    return image.inner_html(), image.get_attribute("aria-label")


def press(explorer, key, slider=0, times=1):
    """Press a key, such as ArrowRight or End, on one of an explorer's sliders."""
    handle = explorer.locator(".widget-slider .noUi-handle").nth(slider)
    for _ in range(times):
        handle.press(key)


def new_picture(explorer, before, seconds=30):
    """Wait until both the figure and its words differ from what ``picture`` gave before, and return
    the new ones.

    An explorer may redraw more than once for one move: a test that needs the last figure waits for
    its words.
    """
    explorer.page.wait_for_function(
        """([box, [markup, words]]) => {
            const image = box.querySelector('[role=img]');
            return image && image.innerHTML !== markup && image.ariaLabel !== words;
        }""",
        arg=[explorer.element_handle(), before],
        timeout=1000 * seconds,
    )
    return picture(explorer)


def settle(explorer, quiet=0.3, seconds=60):
    """Wait until an explorer's progress bar is gone and nothing in it has changed for `quiet`
    seconds."""
    explorer.page.evaluate(SETTLED, [explorer.element_handle(), 1000 * quiet, 1000 * seconds])


def ask_kernel(page, code):
    """Run code in the kernel of the open notebook, beside its cells; what it printed. An error
    there is one here."""
    return page.evaluate(ASK, code)
