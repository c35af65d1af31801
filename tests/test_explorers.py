"""Every explorer as its readers meet it: by keyboard, in both themes, in a storm of moves, without
a kernel.

Set MIAEDU_SCREENSHOTS to a folder to get a picture of each explorer of the course, in the light and
the dark theme.
"""

import ast
import asyncio
import json
import os
import random
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from browser import (
    CELLS,
    ask_kernel,
    explorer,
    new_picture,
    open_notebook,
    picture,
    press,
    run_all,
    script,
    settle,
)
from test_browser import write_notebook

import miaedu as mia
from miaedu.explorers import EXPLORERS
from miaedu.explorers.overfitting import EPOCHS

TimeoutError = pytest.importorskip("playwright.sync_api").TimeoutError
pytestmark = pytest.mark.browser
slow = pytest.mark.slow

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
CALLS = re.compile("|".join(rf"mia\.{make.__name__}\(" for make in EXPLORERS))
WITH_EXPLORERS = [path for path in NOTEBOOKS if CALLS.search(path.read_text("utf-8"))]
ROLES = {"slider": ".noUi-handle", "combobox": "select", "checkbox": "input[type=checkbox]"}
TEXTS = ".widget-label, .widget-label-basic, .widget-readout, button, summary, code, figcaption, p"
LABEL = script("label")
KEY = script("key")
LOOK = script("look")
IS_CUT = "part => part.scrollWidth > part.clientWidth"
DEFECTS = script("defects")
LETTERS = script("letters")
CONTRASTS = script("contrasts")
ALERTS = script("alerts")
LISTEN = script("listen")


@pytest.fixture
def untroubled(page, lab):
    """Fails the test if the page, a kernel or the server has reported an error."""
    errors, before = [], len(lab.log())
    page.on(
        "console", lambda message: errors.append(message.text) if message.type == "error" else None
    )
    page.on("pageerror", lambda error: errors.append(f"{error}\n{error.stack}"))
    yield
    assert errors == [], "the page's console reports no error"
    assert not re.search(r"Traceback|ERROR|\[[EC] ", lab.log()[before:]), lab.log()[before:]
    assert lab.offline.attempts() == []


def start(page, lab, name):
    """Open a notebook and run it. What its kernel complains of, then and later, stands in
    ``complaints``."""
    open_notebook(page, lab, name)
    page.evaluate(LISTEN)
    run_all(page)


def how_many(page):
    """The number of explorers in the open notebook: they alone are a widget and a picture at
    once."""
    outputs = [
        output.get("data", {}) for cell in page.evaluate(CELLS) for output in cell["outputs"]
    ]
    return sum(
        "application/vnd.jupyter.widget-view+json" in data and "image/png" in data
        for data in outputs
    )


def wear(page, theme):
    page.evaluate(
        "theme => jupyterapp.commands.execute('apputils:change-theme', {theme})",
        f"JupyterLab {theme}",
    )
    page.wait_for_function(
        "theme => document.body.dataset.jpThemeName === theme", arg=f"JupyterLab {theme}"
    )
    # JupyterLab covers itself while it changes
    page.wait_for_selector("#jupyterlab-splash", state="detached")


def looks(box, name):
    """What is wrong with an explorer's look, as sentences; its picture goes to the folder of
    MIAEDU_SCREENSHOTS."""
    if os.environ.get("MIAEDU_SCREENSHOTS"):
        box.screenshot(path=Path(os.environ["MIAEDU_SCREENSHOTS"]) / f"{name}.png")
    faint = [
        f'contrast {ratio:.1f} of "{text}"'
        for text, ratio in box.evaluate(CONTRASTS, TEXTS)
        if ratio < 4.5
    ]
    return box.evaluate(DEFECTS, TEXTS) + faint


def unfold(box):
    """Open by keyboard what is folded away, the controls and the code; what cannot be opened, as
    sentences."""
    found = []
    for name in ("more", "more numbers", "Show the code for this setting"):
        if box.get_by_text(name, exact=True).and_(box.locator(":visible")).count():
            header = box.locator(
                ":is(summary, button, [tabindex])", has_text=re.compile(rf"^\s*{name}\s*$")
            )
            if header.count():
                header.first.press("Enter")
            else:
                found.append(f'no key opens "{name}"')
                box.get_by_text(name, exact=True).click()
    settle(box)
    return found


def controls(box):
    """The explorer's controls that are in sight, as (role, label, locator)."""
    for role, selector in ROLES.items():
        for control in box.locator(selector).all():
            if control.is_visible():
                yield role, control.evaluate(LABEL), control


def operate(box):
    """Operate an explorer by keyboard as a reader would; what went wrong, as sentences."""
    start, found = picture(box)[1], []
    for role, label, control in controls(box):
        wrong = [*named(box, role, label, control), *moved(box, label, control)]
        if role == "slider":
            wrong += strolled(box, control)
        wrong += reset(box, start)
        found += [f"{label}: {what}" for what in wrong]
    return found


def named(box, role, label, control):
    if not box.get_by_role(role, name=label, exact=True).count():
        yield "it has no accessible name, or not that of its label"
    control.evaluate("control => control.blur()")
    before = control.evaluate(LOOK)
    control.focus()
    if control.evaluate(LOOK) == before:
        yield "the focus is not seen"
    if role == "slider" and readout(control).evaluate("readout => readout.isContentEditable"):
        yield "its readout can be overwritten with a value that is not set"


def moved(box, label, control):
    if label == "queries a record":  # of no consequence where there is no noise to average
        box.locator(".miaedu-noisy .noUi-handle").press("End")
        settle(box)
    before, key = picture(box), control.evaluate(KEY)
    control.press(key)
    try:
        new_picture(box, before, 20)
    except TimeoutError:
        yield f"{key} changes nothing, or the picture without its words"
    settle(box)
    alt, caption = picture(box)[1], box.locator(".miaedu-words").text_content()
    if alt != caption:
        yield f"the picture's words are {alt!r}, the caption is {caption!r}"
    spoken = control.get_attribute("aria-valuetext")
    if spoken is not None and spoken != (shown := readout(control).inner_text()):
        yield f"its value is spoken as {spoken!r} and shown as {shown!r}"


def reset(box, start):
    settle(box)  # the last of many moves may still be on its way to the kernel
    box.get_by_role("button", name="Reset").press("Enter")
    is_back = "([box, start]) => box.querySelector('[role=img]').ariaLabel === start"
    try:
        box.page.wait_for_function(is_back, arg=[box.element_handle(), start])
    except TimeoutError:
        yield f"Reset leads to {picture(box)[1]!r}, not to {start!r}"
    settle(box)


def strolled(box, handle):
    """Hurry over all positions of a slider: each value must fit its place, and the keys must be the
    slider's own."""
    for key in ["End"] + ["ArrowDown"] * int(float(handle.get_attribute("aria-valuemax"))):
        handle.press(key)
        if readout(handle).evaluate(IS_CUT):
            yield f"its value {readout(handle).inner_text()!r} is cut"
    if not handle.evaluate(
        "handle => handle === document.activeElement && handle.ariaValueNow * 1 === 0"
    ):
        yield "ArrowDown is not the slider's: JupyterLab takes it"


def readout(handle):
    return handle.locator("xpath=ancestor::*[contains(@class, 'widget-slider')]").locator(
        ".widget-readout"
    )


@pytest.mark.usefixtures("untroubled")
def test_a_key_on_a_slider_changes_the_picture_and_its_words(page, lab):
    start(page, lab, "00_start_here.ipynb")
    box = explorer(page)
    before = picture(box)
    assert before[1].startswith("After 4 epochs the target is right on ")
    press(box, "ArrowRight")
    markup, words = new_picture(box, before)
    assert words.startswith("After 6 epochs the target is right on ")
    assert box.locator(".miaedu-words").text_content() == words
    settle(box)
    handle = box.get_by_role("slider", name="epochs", exact=True)
    assert handle.get_attribute("aria-valuetext") == "6"
    assert box.evaluate(LETTERS) == []
    assert page.evaluate("complaints") == []


@slow
@pytest.mark.usefixtures("untroubled")
def test_in_a_narrow_window_the_panels_stand_one_below_the_other_and_stay_readable(page, lab):
    page.set_viewport_size({"width": 700, "height": 1000})
    write_notebook(lab.folder / "zz_narrow.ipynb", "import miaedu as mia\nmia.threshold()")
    start(page, lab, "zz_narrow.ipynb")
    page.evaluate("jupyterapp.shell.collapseLeft()")
    box = explorer(page)
    box.locator(".miaedu-panels svg").first.wait_for()
    page.wait_for_function("document.querySelector('.miaedu-panels svg').clientWidth >= 380")
    assert box.evaluate(LETTERS) == []
    assert looks(box, "narrow_threshold") == []


@slow
@pytest.mark.usefixtures("untroubled")
@pytest.mark.parametrize("path", WITH_EXPLORERS, ids=lambda path: path.stem)
def test_every_explorer_can_be_seen_and_operated_by_keyboard(path, page, lab):
    start(page, lab, path.name)
    number, found = how_many(page), []
    assert number, "a notebook has an explorer"
    for i in range(number):
        found += [f"{i}: {what}" for what in unfold(explorer(page, i))]
    for theme in ("Dark", "Light"):
        wear(page, theme)
        for i in range(number):
            found += [
                f"{i}, {theme}: {what}"
                for what in looks(explorer(page, i), f"{path.stem}_{i}_{theme.lower()}")
            ]
    for i in range(number):
        box = explorer(page, i)
        found += [f"{i}: {what}" for what in box.evaluate(LETTERS)]
        found += [f"{i}: {what}" for what in operate(box)]
    assert page.locator(".miaedu-explorer").count() == number
    assert not found, "\n".join(found)
    assert page.evaluate("complaints") == []


STORM = """\
import ctypes, gc, json, psutil
import miaedu as mia
from dataclasses import replace
room = mia.control_room()
room"""
WARM = """\
for noise in (1.0, 2.0, 4.0, 8.0):
    mia.run(replace(room.results[0].experiment, n_shadows=32, clip=1.0, noise_multiplier=noise))"""
PLACES = (
    "print(json.dumps(list(zip(*[[c.index, len(c.options)] for c in room.controls.values()]))))"
)
SAME = script("same")
SHOWN = """\
e = room.results[0].experiment
print(json.dumps([room.words, repr(e), repr(room.values()), room.numbers, room.frame["parts"]]))"""
# Without what the allocator keeps for the next training: it rises and falls by some 50 MB from
# storm to storm.
MEMORY = "gc.collect(); ctypes.CDLL(None).malloc_trim(0); print(psutil.Process().memory_info().rss)"


def storm(box, places, sizes, moves, seconds, chance):
    """Random moves by keyboard over all controls, evenly over the time; keeps their `places`. The
    seconds it took."""
    handles, start = box.locator(".noUi-handle, select").element_handles(), time.monotonic()
    handles = [handle for handle in handles if handle.is_visible()]  # no key reaches a folded one
    # ArrowDown leads to the next entry of a menu, but to the slider's value before.
    downwards = [1 if handle.evaluate("handle => handle.options") else -1 for handle in handles]
    for move in range(moves):
        i = chance.randrange(len(handles))
        step = chance.choice([step for step in (-1, 1) if 0 <= places[i] + step < sizes[i]])
        handles[i].focus()
        box.page.keyboard.press("ArrowDown" if step == downwards[i] else "ArrowUp")
        places[i] += step
        box.page.wait_for_timeout(
            max(0, 1000 * (start + seconds * (move + 1) / moves - time.monotonic()))
        )
    return time.monotonic() - start


@slow
@pytest.mark.usefixtures("untroubled")
def test_after_a_storm_of_moves_the_last_figure_stands_and_memory_has_not_grown(page, lab):
    write_notebook(lab.folder / "zz_storm.ipynb", STORM)
    start(page, lab, "zz_storm.ipynb")
    box, chance = explorer(page), random.Random(0)
    box.evaluate(ALERTS)
    places, sizes = json.loads(ask_kernel(page, PLACES))
    ask_kernel(page, WARM)  # more than the stage cache holds
    # A first gust: each thread that trains makes itself a heap, of which it keeps a part. What is
    # measured after it is what every further move would add.
    storm(box, places, sizes, 100, 4, chance)
    ask_kernel(page, "pass")  # it answers after the moves
    settle(box, 1)
    before = int(ask_kernel(page, MEMORY))
    took = storm(box, places, sizes, 500, 20, chance)
    ask_kernel(page, "pass")
    settle(box, 1)
    grown = (int(ask_kernel(page, MEMORY)) - before) / 1e6
    print(f"\n500 moves in {took:.1f} s; the kernel's memory grew by {grown:.1f} MB")

    assert page.evaluate("[alerts, complaints]") == [[], []]
    assert json.loads(ask_kernel(page, PLACES))[0] == places, (
        "the controls stand where the keys led them"
    )
    words, code, values, numbers, parts = json.loads(ask_kernel(page, SHOWN))
    values, e = ast.literal_eval(values), eval(f"mia.{code}", {"mia": mia})
    noise = "off" if e.clip is None else e.noise_multiplier
    assert values == {
        "epochs": e.epochs,
        "n_shadows": e.n_shadows,
        "hide": e.hide,
        "noise_multiplier": noise,
        "axes": "linear",
    }
    report = mia.run(e).report  # as it is computed here
    assert f"right on {report.test_accuracy:.0%} of new records" in words
    assert f"Advantage: the calibrated attack {report.advantage:z.2f}, the attack of 2017" in words
    assert picture(box)[1] == words == box.locator(".miaedu-words").text_content()
    assert numbers.startswith(mia.describe(mia.run(e)))
    assert numbers == box.locator(".miaedu-numbers p").text_content()
    assert box.locator(".miaedu-code code").text_content() == f"mia.run(mia.{code})"
    drawn = {
        name: box.locator(f'[id="{name}"]').evaluate(SAME, markup) for name, markup in parts.items()
    }
    assert all(drawn.values()), "the page shows the kernel's last figure"
    assert grown < 50


FAILING = """\
import miaedu as mia
explorer = mia.shadow_count(repetitions=1)
explorer.controls["n_shadows"].options = (1, 0, 2)
explorer"""


@slow
@pytest.mark.usefixtures("untroubled")
def test_a_setting_that_fails_is_told_in_place_and_the_next_good_one_clears_it(page, lab):
    write_notebook(lab.folder / "zz_failing_setting.ipynb", FAILING)
    start(page, lab, "zz_failing_setting.ipynb")
    box = explorer(page)
    before = picture(box)
    assert before[1].startswith("With 1 shadow model ")
    press(box, "ArrowRight")
    alert = box.get_by_role("alert")
    alert.wait_for()
    settle(box)
    assert re.search("n_shadows must be .*, got 0", alert.inner_text())
    assert picture(box) == before, "the last good picture stays"
    press(box, "ArrowRight")
    assert new_picture(box, before)[1].startswith("With 2 shadow models ")
    settle(box)
    assert alert.count() == 0
    assert page.evaluate("complaints") == []


SLOWED = """\
import time
import miaedu as mia
from miaedu.explorers import explorer as module
run = module.run
def slowly(experiment, progress=lambda share: None):
    for step in range(20):
        progress(step / 20)
        time.sleep(0.05)
    return run(experiment)
explorer = mia.overfitting(more=False)
module.run = slowly
explorer"""
BUSY = "box => box.querySelector('.miaedu-figure').ariaBusy === 'true'"


@slow
@pytest.mark.usefixtures("untroubled")
def test_while_a_move_takes_long_the_figure_is_busy_and_its_old_words_are_dimmed(page, lab):
    write_notebook(lab.folder / "zz_slowed.ipynb", SLOWED)
    start(page, lab, "zz_slowed.ipynb")
    box = explorer(page)
    before = picture(box)
    press(box, "ArrowRight")
    page.wait_for_function(BUSY, arg=box.element_handle())
    assert picture(box) == before
    bar = box.get_by_role("progressbar", name="progress of the training")
    assert bar.is_visible() and bar.evaluate("bar => bar.value") < 1
    faded = "box => getComputedStyle(box.querySelector('figcaption')).opacity < 1"
    page.wait_for_function(faded, arg=box.element_handle())
    assert new_picture(box, before)[1].startswith("After 6 epochs ")
    settle(box)
    assert not bar.is_visible() and not box.evaluate(BUSY)
    note = box.get_by_text("The last move took 1 s on this machine.")
    assert note.is_visible()
    ask_kernel(page, "module.run = run")
    press(box, "ArrowRight")
    note.wait_for(state="hidden")


@pytest.fixture
def from_disk(chromium):
    """A function that opens a file in Chromium, cut off from every network, and the page's errors
    are the test's."""
    context, errors = chromium.new_context(offline=True), []

    def open_file(path):
        page = context.new_page()
        page.on(
            "console",
            lambda message: errors.append(message.text) if message.type == "error" else None,
        )
        page.on("pageerror", lambda error: errors.append(f"{error}\n{error.stack}"))
        page.goto(path.as_uri())
        return page, errors

    yield open_file
    context.close()


@slow
def test_a_reader_without_widgets_sees_a_still_picture_and_its_words(from_disk, tmp_path, offline):
    write_notebook(tmp_path / "still.ipynb", "import miaedu as mia\nmia.threshold()")
    convert = [
        "nbconvert",
        "--execute",
        "--to=html",
        "--ExecutePreprocessor.store_widget_state=False",
        "still.ipynb",
    ]
    subprocess.run(
        [sys.executable, "-m", *convert],
        cwd=tmp_path,
        env=offline.env,
        check=True,
        capture_output=True,
    )
    # its errors are nbconvert's, which asks the network for MathJax
    page, _ = from_disk(tmp_path / "still.html")
    image = page.locator("img")
    assert image.is_visible() and image.bounding_box()["width"] > 400
    words = image.get_attribute("alt")
    assert words.startswith("From a confidence of 0.50 on the attack flags ")
    assert page.get_by_text(words).is_visible()


def saved(path, in_a_notebook):
    """save_page from a plain script, or from a notebook's cell: there an event loop is running."""

    def save():
        return mia.save_page(mia.overfitting(), path)

    async def cell():
        return save()

    with ThreadPoolExecutor(1) as thread:  # in this one Playwright's event loop is running
        return thread.submit(lambda: asyncio.run(cell()) if in_a_notebook else save()).result()


@slow
@pytest.mark.parametrize("in_a_notebook", [False, True], ids=["from a script", "from a notebook"])
def test_a_saved_page_lives_without_kernel_and_network(in_a_notebook, from_disk, tmp_path):
    path = saved(tmp_path / "overfitting.html", in_a_notebook)
    page, errors = from_disk(path)
    knob, drawing = page.get_by_role("slider", name="epochs"), page.locator(".miaedu-panels")
    # the first is shown, the others keep room for the tallest
    caption, seen = page.locator(".miaedu-words").first, []
    assert drawing.get_attribute("aria-label").startswith("After 4 epochs "), "where it opened"
    knob.press("Home")
    for number in EPOCHS:
        seen.append((drawing.inner_html(), drawing.get_attribute("aria-label")))
        assert caption.text_content() == seen[-1][1]
        assert seen[-1][1].startswith(f"After {number} epoch")
        assert knob.get_attribute("aria-valuetext") == str(number)
        assert page.locator("output").inner_text() == str(number)
        knob.press("ArrowRight")
    assert len({markup for markup, _ in seen}) == len(EPOCHS)
    page.get_by_text("more numbers").click()
    assert page.get_by_text("The attack flags a record from a confidence of").first.is_visible()
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        if os.environ.get("MIAEDU_SCREENSHOTS"):
            folder = Path(os.environ["MIAEDU_SCREENSHOTS"])
            page.screenshot(path=folder / f"page_{width}.png", full_page=True)
        wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not page.evaluate(wider), f"the page is wider than {width} pixels"
    assert errors == []
