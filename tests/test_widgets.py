"""The explorers without a browser: controls moved from Python, in a plain script and under a
running event loop."""

import asyncio
import base64
import io
import itertools
import re
import threading
import time
from contextlib import contextmanager
from functools import cache
from html import escape
from html.parser import HTMLParser
from types import SimpleNamespace

import ipywidgets
import numpy as np
import pytest
from PIL import Image

import miaedu as mia
from miaedu import Experiment, Explorer, widgets

NAMES = [name for name in mia.__all__ if getattr(mia, name).__module__ == "miaedu.explorers"]
each_explorer = pytest.mark.parametrize("name", NAMES)
built = cache(lambda name: getattr(mia, name)())


@pytest.fixture(autouse=True)
def a_fast_machine(monkeypatch):
    """How many shadow models an explorer starts with would depend on how busy this machine is."""
    monkeypatch.setattr(widgets, "seconds_per_network", lambda: 1e-4)


@each_explorer
def test_on_a_slow_machine_an_explorer_starts_small_and_says_how_long_a_move_takes(
    name, monkeypatch
):
    quick = built(name)
    assert not [
        part for part in quick.box.children if "slow or busy" in str(getattr(part, "value", ""))
    ]
    monkeypatch.setattr(widgets, "seconds_per_network", lambda: 1.0)
    slow = getattr(mia, name)()
    networks = sum(1 + result.experiment.n_shadows for result in slow.results)
    assert {result.experiment.n_shadows for result in slow.results} <= {1, 2}
    said = [
        part.value
        for part in slow.box.children
        if "slow or busy" in str(getattr(part, "value", ""))
    ]
    assert len(said) == 1 and f"about {networks} s" in said[0]
    first = next(iter(slow.controls.values()))
    first.value = next(value for _, value in first._options_full if value != first.value)
    assert said[0] in [getattr(part, "value", "") for part in slow.box.children], "it stays"


@pytest.fixture
def explorer(name):
    """One explorer of the course, all its controls where they start."""
    built(name).reset()
    return built(name)


class Images(HTMLParser):
    """The attributes of the images in some HTML, and its text."""

    def __init__(self, html):
        super().__init__()
        self.found, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.found += [dict(attributes)] if tag == "img" else []

    def handle_data(self, data):
        self.text += data


def shown(explorer):
    """Picture (bytes), its alternative text, and the caption, as they stand in the widget."""
    html = Images(explorer._picture.value)
    assert len(html.found) == 1
    kind, _, data = html.found[0]["src"].partition("base64,")
    assert kind == "data:image/png;"
    return base64.b64decode(data), html.found[0]["alt"], html.text


def parts(widget):
    """A widget and all that is in it."""
    return [widget, *(part for child in getattr(widget, "children", ()) for part in parts(child))]


def elsewhere(control):
    """A value far from the control's own."""
    if isinstance(control, ipywidgets.Checkbox):
        return not control.value
    values = [value for _, value in control._options_full]
    return values[0] if control.index > len(values) / 2 else values[-1]


def beside(control):
    """The value next to the control's own: the cheaper one, as most rise to the right."""
    if isinstance(control, ipywidgets.Checkbox):
        return not control.value
    return control._options_full[control.index - 1 if control.index else 1][1]


def test_all_explorers_of_the_course_are_tested():
    assert {"shadow_count", "confidence_hiding", "dp_noise"} <= set(NAMES)
    assert all(isinstance(built(name), Explorer) for name in NAMES)


@each_explorer
def test_each_control_changes_picture_words_and_code_to_what_was_run(explorer):
    for name, control in explorer.controls.items():
        explorer.reset()
        before, words = shown(explorer)[0], explorer.words
        control.value = elsewhere(control)
        picture, alt, caption = shown(explorer)
        assert picture != before and alt == caption == explorer.words != words, (
            f"{name} = {control.value!r}"
        )
        assert explorer._message.value == ""
        experiment = explorer.results[0].experiment
        assert escape(experiment.code) in explorer._code.value
        field = getattr(experiment, name, None)
        assert (
            field is None
            or control.value in (field, "off")
            or name == "hide"
            and field == control.value
        )


@each_explorer
def test_reset_brings_all_controls_and_the_words_back(explorer):
    start, words = explorer.values(), explorer.words
    for control in explorer.controls.values():
        control.value = beside(control)
    assert not set(explorer.values().items()) & set(start.items())
    button = next(part for part in parts(explorer.box) if isinstance(part, ipywidgets.Button))
    assert button.description == "Reset"
    button.click()
    assert explorer.values() == start and explorer.words == words


@each_explorer
def test_the_picture_is_a_white_png_that_is_drawn_again_bit_for_bit(explorer):
    image = Image.open(io.BytesIO(explorer.figure.png()))
    assert image.format == "PNG" and image.width > 900
    shades, drawn = (
        np.asarray(image.convert("RGB")),
        np.asarray(explorer.figure.canvas.buffer_rgba())[..., :3],
    )
    assert (shades[0, 0] == 255).all() and len(image.getcolors()) > 20
    assert np.abs(shades.astype(int) - drawn).max() <= 16, (
        "few colours, but none that an eye would miss"
    )
    assert explorer.figure.png() == explorer.figure.png() == shown(explorer)[0]


@each_explorer
def test_a_moved_picture_is_the_one_that_a_new_figure_would_draw(explorer):
    # What moves is drawn over a stored background: nothing of an earlier picture may shine through.
    control = next(iter(explorer.controls.values()))
    control.value = beside(control)
    moved = explorer.figure.png()
    explorer.figure._background = None
    assert moved == explorer.figure.png()


@each_explorer
def test_letters_in_the_picture_are_large_enough_at_the_size_shown(explorer):
    from matplotlib.text import Text

    figure = explorer.figure.figure
    explorer.figure.png()
    texts = [
        text for text in figure.findobj(Text) if text.get_text().strip() and text.get_visible()
    ]
    shown_at = (
        float(re.search(r"max-width:(\d+)px", explorer._picture.value)[1])
        / 96
        / figure.get_figwidth()
    )
    assert len(texts) > 10 and min(text.get_fontsize() for text in texts) * shown_at >= 9


@each_explorer
def test_without_widgets_it_is_a_still_picture_and_its_words(explorer):
    data, metadata = explorer._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.box.model_id
    assert (
        data["text/plain"] == explorer.words
        and base64.b64decode(data["image/png"]) == explorer.figure.png()
    )
    html = Images(data["text/html"])
    assert html.found[0]["alt"] == explorer.words and html.text == explorer.words
    assert html.found[0]["src"].endswith(data["image/png"])


@each_explorer
def test_every_control_has_a_name_and_speaks_the_value_that_it_shows(explorer, monkeypatch):
    experiments = [result.experiment for result in explorer.results]
    # what is run does not matter here
    monkeypatch.setattr(explorer, "_experiments", lambda **values: experiments)
    for name, control in explorer.controls.items():
        assert control in parts(explorer.box) and f"miaedu-{name}" in control._dom_classes
        for value in (control.value, elsewhere(control)):
            control.value = value
            said = explorer._names.names[name]
            assert said[0] == control.description != ""
            assert not isinstance(control, ipywidgets.SelectionSlider) or said[1] == control.label
    assert explorer._names.names["progress"][0]
    monkeypatch.undo()


@each_explorer
def test_an_error_is_shown_in_place_and_the_last_good_picture_stays(explorer, monkeypatch):
    before, words, code, results = (
        shown(explorer),
        explorer.words,
        explorer._code.value,
        explorer.results,
    )

    def fail(**values):
        raise ValueError("n < 1 & <b>never</b>")

    control = next(iter(explorer.controls.values()))
    with monkeypatch.context() as patch:
        patch.setattr(explorer, "_experiments", fail)
        control.value = beside(control)
    alert = explorer._message.value
    assert (
        "role='alert'" in alert
        and "n &lt; 1 &amp; &lt;b&gt;never&lt;/b&gt;" in alert
        and "<b>never" not in alert
    )
    assert (shown(explorer), explorer.words, explorer._code.value, explorer.results) == (
        before,
        words,
        code,
        results,
    )
    explorer.reset()
    assert explorer._message.value == "", "the next good setting clears it"


def test_every_setting_of_the_hiding_explorer_can_be_run():
    explorer = built("confidence_hiding")
    explorer.reset()
    strongest = {name: elsewhere(control) for name, control in explorer.controls.items()}
    for one, other in itertools.combinations(strongest, 2):
        explorer.reset()
        explorer.controls[one].value, explorer.controls[other].value = (
            strongest[one],
            strongest[other],
        )
        assert explorer._message.value == "", (
            f"{one} = {strongest[one]} with {other} = {strongest[other]}"
        )


def test_moving_a_hiding_control_trains_no_network(monkeypatch):
    explorer = built("confidence_hiding")
    explorer.reset()

    def train(*args):
        raise AssertionError("a network is trained")

    monkeypatch.setattr(mia.lockstep, "train", train)
    for control in explorer.controls.values():
        control.value = elsewhere(control)
        assert explorer._message.value == ""
        explorer.reset()


def test_the_mark_for_no_hiding_never_stands_where_a_hidden_result_does(monkeypatch):
    explorer, run, updates = built("confidence_hiding"), widgets.run, []
    explorer.reset()
    update = explorer.figure.update

    def slowly(experiment, progress=None):
        # the first of the two results is there long before the second
        time.sleep(2 * widgets.PATIENCE)
        return run(experiment, progress)

    def noted(results, values):
        update(results, values)
        updates.append(list(explorer.figure.plain.get_xdata()))

    async def move():
        explorer.controls["labels_only"].value = True
        await settled(explorer)

    with monkeypatch.context() as patch:
        patch.setattr(widgets, "run", slowly)
        patch.setattr(explorer.figure, "update", noted)
        asyncio.run(move())
    explorer.reset()
    unhidden = explorer.results[-1].adaptive.advantage
    assert updates and {places[-1] for places in updates if places} == {unhidden}


# Under a running event loop, with runs whose length is known


class Figure:
    """A picture that is a list of what it was given."""

    def __init__(self):
        self.seen = []

    def update(self, results, values):
        self.seen.append([result.experiment.random_state for result in results])

    def png(self):
        return repr(self.seen[-1:]).encode()


@pytest.fixture
def slow(monkeypatch):
    """An explorer of two numbers whose runs take ``slow.seconds`` each, and a diary of them."""
    diary = SimpleNamespace(
        seconds=0.0, started=[], ended=[], cancelled=[], deaf=False, threads=set()
    )

    def run(experiment, progress=lambda share: None):
        number = experiment.random_state
        diary.started.append(number)
        diary.threads.add(threading.get_ident())
        end = time.monotonic() + diary.seconds
        try:
            while (left := end - time.monotonic()) > 0:
                if not diary.deaf:
                    progress(1 - left / diary.seconds)
                time.sleep(0.005)
            if number % 10 == 9:
                raise ValueError(f"no run for {number}")
        except InterruptedError:
            diary.cancelled.append(number)
            raise
        diary.ended.append(number)
        return SimpleNamespace(experiment=experiment)

    monkeypatch.setattr(widgets, "run", run)
    controls = {name: widgets.slider(name, range(100), 0) for name in "ab"}

    def experiments(a, b):
        return [Experiment(random_state=100 * repeat + a + b) for repeat in range(diary.repeats)]

    diary.repeats = 1
    words = lambda results, values: str(results[0].experiment.random_state)  # noqa: E731
    diary.explorer = Explorer(controls, experiments, Figure(), words)
    diary.a, diary.b = controls.values()
    diary.started.clear(), diary.ended.clear()
    return diary


async def settled(explorer):
    """Wait until no task is under way."""
    await asyncio.sleep(0.01)
    while len(asyncio.all_tasks()) > 1:
        await asyncio.sleep(0.005)


@contextmanager
def no_loose_ends():
    """Fail on exceptions that nobody has seen in tasks and callbacks of the loop."""
    said = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: said.append(context))
    yield
    assert said == []


def under_a_loop(test):
    """Run a test that is a coroutine of (slow), then see that nothing is left over."""

    def wrapped(slow):
        async def main():
            with no_loose_ends():
                await test(slow)
                await settled(slow.explorer)

        asyncio.run(main())
        assert slow.explorer._progress.layout.visibility == "hidden"

    wrapped.__name__ = test.__name__
    return wrapped


@under_a_loop
async def test_a_move_is_answered_without_blocking_the_loop(slow):
    slow.seconds, ticks = 0.3, []
    slow.a.value = 5
    assert slow.explorer.words == "0", "the setter returns before the run is done"
    while slow.explorer.words != "5":
        ticks.append(time.monotonic())
        await asyncio.sleep(0.01)
    assert len(ticks) > 5 and slow.started == slow.ended == [5]
    assert len(slow.threads) == 2, (
        "the first run, before the loop, in this thread; the second in another"
    )


@under_a_loop
async def test_a_newer_value_cancels_the_older_run_and_is_the_one_shown(slow):
    slow.seconds = 0.5
    slow.a.value = 1
    await asyncio.sleep(0.1)
    slow.a.value = 2
    await settled(slow.explorer)
    assert slow.started == [1, 2] and slow.cancelled == [1] and slow.ended == [2]
    assert slow.explorer.words == "2" and slow.explorer._message.value == ""
    assert slow.explorer.figure.seen[-1] == [2] and [1] not in slow.explorer.figure.seen


@under_a_loop
async def test_in_a_storm_of_moves_the_last_one_stands_and_few_are_run(slow):
    slow.seconds = 0.05
    for value in range(1, 41):
        slow.a.value = value if value % 10 != 9 else value + 60
        await asyncio.sleep(0.004)
    await settled(slow.explorer)
    assert slow.explorer.words == "40" and slow.ended[-1] == 40
    assert len(slow.started) < 20 and slow.explorer._message.value == ""


@under_a_loop
async def test_two_moves_at_once_are_one_run_of_the_last(slow):
    for seconds in (0.0, 0.1):
        slow.seconds = seconds
        slow.a.value, slow.b.value = 1, 1
        await settled(slow.explorer)
        assert slow.explorer.words == "2" and slow.explorer.figure.seen[-1] == [2]
        slow.a.value, slow.a.value, slow.b.value = 3, 4, 4
        await settled(slow.explorer)
        assert slow.explorer.words == "8" and slow.explorer.figure.seen[-1] == [8]


@under_a_loop
async def test_two_moves_at_once_after_others_never_show_a_mixture(slow):
    slow.a.value = 50
    await settled(slow.explorer)
    slow.explorer.figure.seen.clear()
    slow.seconds = 0.05
    slow.a.value, slow.b.value = 1, 20
    await settled(slow.explorer)
    assert slow.explorer.figure.seen == [[21]]


@under_a_loop
async def test_reset_moves_all_controls_at_once(slow):
    slow.a.value = 3
    await settled(slow.explorer)
    slow.b.value = 4
    await settled(slow.explorer)
    slow.explorer.reset()
    await settled(slow.explorer)
    assert slow.explorer.words == "0" and slow.explorer.values() == {"a": 0, "b": 0}


@under_a_loop
async def test_an_older_run_that_cannot_be_stopped_is_waited_for_and_not_shown(slow):
    slow.seconds, slow.deaf = 0.4, True
    slow.a.value = 1
    for number in (2, 3, 4):
        await asyncio.sleep(0.1)
        slow.a.value = number
    await settled(slow.explorer)
    assert slow.started == slow.ended == [1, 4], (
        "one at a time, and the values between are left out"
    )
    assert slow.explorer.words == "4" and slow.explorer.figure.seen[1:] == [[4]]


@under_a_loop
async def test_an_error_is_told_and_forgotten_with_the_next_good_value(slow):
    slow.a.value = 5
    await settled(slow.explorer)
    slow.a.value = 9
    await settled(slow.explorer)
    assert "no run for 9" in slow.explorer._message.value and slow.explorer.words == "5"
    slow.a.value = 6
    await settled(slow.explorer)
    assert slow.explorer._message.value == "" and slow.explorer.words == "6"


@under_a_loop
async def test_an_error_of_an_older_run_is_not_told(slow):
    slow.seconds, slow.deaf = 0.2, True
    slow.a.value = 9
    await asyncio.sleep(0.1)
    slow.a.value = 10
    await settled(slow.explorer)
    assert slow.explorer._message.value == "" and slow.explorer.words == "10"


@under_a_loop
async def test_a_long_run_shows_its_progress_within_a_fifth_of_a_second_and_a_short_one_does_not(
    slow,
):
    bar = slow.explorer._progress
    seen, began = [], time.monotonic()
    bar.layout.observe(
        lambda change: seen.append((change["new"], time.monotonic() - began)), names="visibility"
    )
    slow.seconds = 0.02
    slow.a.value = 1
    await settled(slow.explorer)
    assert "visible" not in [state for state, _ in seen]
    values, slow.seconds, began = [], 0.8, time.monotonic()
    bar.observe(lambda change: values.append(change["new"]), names="value")
    slow.a.value = 2
    await settled(slow.explorer)
    visible = [after for state, after in seen if state == "visible"]
    # It is due 150 ms after the move at the latest; a busy machine may need some time more.
    assert visible and 0.1 <= visible[0] < 0.4
    assert values == sorted(values) and values[0] >= 0 and 0.5 < values[-1] <= 1
    assert seen[-1][0] == "hidden"


@under_a_loop
async def test_repetitions_are_shown_as_they_come_when_they_are_slow_and_at_once_when_they_are_not(
    slow,
):
    slow.repeats, slow.seconds = 3, 0.0
    slow.a.value = 1
    await settled(slow.explorer)
    assert slow.explorer.figure.seen[1:] == [[1, 101, 201]]
    slow.seconds = 1.5 * widgets.PATIENCE
    slow.a.value = 2
    await settled(slow.explorer)
    assert slow.explorer.figure.seen[2:] == [[2], [2, 102], [2, 102, 202]]


def test_without_a_loop_a_move_is_answered_before_the_setter_returns(slow):
    for value in (3, 4):
        slow.a.value = value
        assert slow.explorer.words == str(value)
    assert slow.started == slow.ended == [3, 4]


def test_words_are_escaped_wherever_they_go(slow):
    words = "a < b & 'c' \"d\" <script>alert(1)</script>"
    explorer = Explorer(
        {"a": widgets.slider("a", range(3), 0)},
        lambda a: [Experiment()],
        Figure(),
        lambda *_: words,
    )
    for html in (explorer._picture.value, explorer._repr_mimebundle_()[0]["text/html"]):
        assert "<script>" not in html
        assert Images(html).found[0]["alt"] == words and Images(html).text == words
    assert explorer._repr_mimebundle_()[0]["text/plain"] == words


def test_an_explorer_that_cannot_start_says_so_and_starts_with_the_next_good_value(slow):
    slider = widgets.slider("a", range(3), 0)
    explorer = Explorer(
        {"a": slider}, lambda a: [Experiment(epochs=a)], Figure(), lambda *_: "fine"
    )
    assert "epochs must be" in explorer._message.value and explorer.words == ""
    assert explorer._repr_mimebundle_()[0]["text/plain"] == ""
    slider.value = 1
    assert explorer._message.value == "" and explorer.words == "fine"
