"""The course in Notebook 7, which many hubs open in the place of JupyterLab: the same slider, the
same check."""

import pytest
from browser import READY, explorer, new_picture, picture, press, run_all, settle
from conftest import serving

import miaedu as mia
from miaedu.editions.working_copy import deliver

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def notebook_7(tmp_path_factory):
    home = tmp_path_factory.mktemp("notebook")
    deliver(home / "course")
    command = ["notebook", "--no-browser", f"--ServerApp.root_dir={home / 'course'}"]
    options = ["--ServerApp.allow_root=True", "--JupyterNotebookApp.expose_app_in_browser=True"]
    with serving([*command, *options], home, {}) as server:
        yield server


def test_a_slider_and_a_check_answer_in_notebook_7(page, notebook_7):
    name = "00_start_here.ipynb"
    page.goto(f"{notebook_7.url}/notebooks/{name}?token={notebook_7.token}")
    page.wait_for_function(READY, arg=name, timeout=60_000)
    run_all(page)
    box = explorer(page)
    settle(box)
    start = picture(box)
    press(box, "ArrowLeft")
    moved = new_picture(box, start)
    press(box, "ArrowRight")
    assert new_picture(box, moved)[1] == start[1], "the words of the first position"

    cell = page.locator(".jp-CodeCell", has_text='mia.check("00.q1", answer)')
    verdict = cell.locator(".miaedu-verdict")
    assert "not attempted" in verdict.inner_text(timeout=30_000)
    cell.locator(".cm-line", has_text="answer = ...").click()
    for key in ("Home", "Shift+End"):
        page.keyboard.press(key)
    page.keyboard.insert_text('answer = "a"')
    page.keyboard.press("Shift+Enter")
    verdict.filter(has_text="00.q1: wrong").wait_for(timeout=30_000)
    verdict.get_by_role("button", name="Hint").click()
    page.get_by_text(mia.hint("00.q1")).wait_for(timeout=30_000)
