"""The explorers without a browser: controls moved from Python, in a plain script and under a
running event loop. They hold with ipywidgets 7.7 and 8."""

import asyncio
import base64
import io
import itertools
import sys
import threading
import time
from contextlib import contextmanager
from html.parser import HTMLParser
from types import ModuleType, SimpleNamespace

import ipywidgets
import pytest
from course import each_explorer
from IPython.core.formatters import DisplayFormatter
from PIL import Image

import miaedu as mia
from miaedu import Experiment, Explorer
from miaedu.explorers import EXPLORERS, controls, machine, schedule
from miaedu.explorers import explorer as explorer_module
from miaedu.explorers.controls import Accessible
from miaedu.explorers.page import options

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def explorer(name, one_of_each):
    """One explorer of the course, all its controls where they start."""
    found = one_of_each(name)
    found.reset()
    return found


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


def parts(widget):
    """A widget and all that is in it."""
    return [widget, *(part for child in getattr(widget, "children", ()) for part in parts(child))]


def elsewhere(control):
    """A value far from the control's own."""
    if isinstance(control, ipywidgets.Checkbox):
        return not control.value
    values = [value for _, value in options(control)]
    return values[0] if control.index > len(values) / 2 else values[-1]


def beside(control):
    """The value next to the control's own: the cheaper one, as most rise to the right."""
    if isinstance(control, ipywidgets.Checkbox):
        return not control.value
    return options(control)[control.index - 1 if control.index else 1][1]


def test_the_explorers_are_public_and_each_has_a_file_of_its_own():
    for function in EXPLORERS:
        assert getattr(mia, function.__name__) is function
        assert function.__module__ == f"miaedu.explorers.{function.__name__}"


@pytest.mark.slow
@each_explorer
def test_on_a_slow_machine_an_explorer_starts_small(name, monkeypatch):
    monkeypatch.setattr(machine, "seconds_per_network", lambda: 1.0)
    slow = getattr(mia, name)()
    assert {result.experiment.n_shadows for result in slow.results} <= {1, 2}


# what has to be set first, so that a control has anything to change
FIRST = {"n_queries": {"noisy": 0.3}}


@each_explorer
def test_each_control_changes_picture_words_and_code_to_what_was_run(explorer):
    for name, control in explorer.controls.items():
        explorer.reset()
        for other, value in FIRST.get(name, {}).items():
            explorer.controls[other].value = value
        before = explorer.frame
        control.value = elsewhere(control)
        assert explorer.frame["parts"] != before["parts"], f"{name} = {control.value!r}"
        assert explorer.words != before["words"]
        assert explorer.message == ""
        experiment = explorer.results[0].experiment
        run = "expose" if isinstance(experiment, mia.ManyTargets) else "run"
        assert explorer.code == f"mia.{run}(mia.{experiment!r})"
        for markup in explorer.frame["parts"].values():
            assert markup in explorer.picture


@pytest.mark.slow
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
def test_without_widgets_it_is_a_still_picture_and_its_words(explorer):
    data, metadata = explorer._repr_mimebundle_()
    assert data[VIEW] == {"version_major": 2, "version_minor": 0, "model_id": explorer.box.model_id}
    assert metadata == {}
    assert data["text/plain"] == explorer.words
    still = base64.b64decode(data["image/png"])
    image = Image.open(io.BytesIO(still))
    assert image.format == "PNG" and image.width > 900
    assert image.getpixel((0, 0)) == (255, 255, 255) and len(image.getcolors(1 << 20)) > 20
    html = Images(data["text/html"])
    assert html.found[0]["alt"] == explorer.words and html.text.strip() == explorer.words
    assert html.found[0]["src"].endswith(data["image/png"])
    first = next(iter(explorer.controls.values()))
    first.value = elsewhere(first)
    assert explorer.figure.png() != still, "it is drawn when it is asked for"


def on_colab(monkeypatch, address):
    """Make this process look like one of Colab's, whose widget manager has this address once it is
    enabled."""
    output = ModuleType("google.colab.output")
    output._widgets = SimpleNamespace(_installed_url=None)
    enable = lambda: setattr(output._widgets, "_installed_url", address)  # noqa: E731
    output.enable_custom_widget_manager = enable
    monkeypatch.setitem(sys.modules, "google.colab.output", output)


@pytest.mark.parametrize("shown", ["an explorer", "a verdict"])
def test_on_colab_the_widgets_come_with_the_manager_that_can_show_them(
    shown, one_of_each, monkeypatch
):
    made = mia.check("03.q1", ...) if shown == "a verdict" else one_of_each("threshold")
    show = DisplayFormatter().format
    on_colab(monkeypatch, "https://example.invalid/manager.js")
    data, metadata = show(made)
    assert VIEW in data and {"text/plain", "text/html"} <= set(data)
    manager = {"custom_widget_manager": {"url": "https://example.invalid/manager.js"}}
    assert metadata == {VIEW: {"colab": manager}}
    # what a single widget of anywidget would say, by its own code
    assert metadata == Accessible()._repr_mimebundle_()[1]
    on_colab(monkeypatch, None)
    data, metadata = show(made)
    assert VIEW in data and metadata == {}


@each_explorer
def test_every_control_is_in_the_box_and_has_a_label(explorer):
    for name, control in explorer.controls.items():
        assert control in parts(explorer.box) and f"miaedu-{name}" in control._dom_classes
        assert control.description


@each_explorer
def test_an_error_is_shown_in_place_and_the_last_good_picture_stays(explorer, monkeypatch):
    before, results = (explorer.frame, explorer.numbers), explorer.results

    def fail(**values):
        raise ValueError("n < 1 & <b>never</b>")

    control = next(iter(explorer.controls.values()))
    with monkeypatch.context() as patch:
        patch.setattr(explorer, "_experiments", fail)
        control.value = beside(control)
    assert explorer.message == "This setting cannot be run: n < 1 & <b>never</b>"
    assert (explorer.frame, explorer.numbers) == before and explorer.results is results
    explorer.reset()
    assert explorer.message == "", "the next good setting clears it"


@pytest.mark.slow
def test_every_setting_of_the_hiding_explorer_can_be_run(one_of_each):
    explorer = one_of_each("confidence_hiding")
    explorer.reset()
    strongest = {name: elsewhere(control) for name, control in explorer.controls.items()}
    for pair in itertools.combinations(strongest, 2):
        explorer.reset()
        for name in pair:
            explorer.controls[name].value = strongest[name]
        assert explorer.message == "", explorer.values()


@pytest.mark.parametrize("name", ["confidence_hiding", "threshold", "base_rate"])
def test_moving_a_control_that_only_judges_again_trains_no_network(explorer, monkeypatch):
    def train(*args):
        raise AssertionError("a network is trained")

    for result in explorer.results:
        mia.run(result.experiment)  # other explorers may have taken its place among what is kept
    monkeypatch.setattr(mia.lockstep, "train", train)
    for control in explorer.controls.values():
        control.value = elsewhere(control)
        assert explorer.message == ""
        explorer.reset()


# Under a running event loop, with runs whose length is known


class Figure:
    """A picture that is a list of what it was given."""

    background = ""

    def __init__(self):
        self.seen = []

    def update(self, results, values):
        self.seen.append([result.experiment.random_state for result in results])

    def parts(self):
        return {"all": str(self.seen[-1])}

    def png(self):
        return repr(self.seen[-1:]).encode()


@pytest.fixture
def slow(monkeypatch):
    """An explorer of two numbers whose runs take ``slow.seconds`` each, and a diary of them."""
    diary = SimpleNamespace(
        seconds=0.0, started=[], ended=[], cancelled=[], deaf=False, threads=set(), repeats=1
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

    monkeypatch.setattr(explorer_module, "run", run)
    knobs = {name: controls.slider(name, range(100), 0) for name in "ab"}

    def experiments(a, b):
        return [Experiment(random_state=100 * repeat + a + b) for repeat in range(diary.repeats)]

    def number_of(results, values=None):
        return str(results[0].experiment.random_state)

    diary.explorer = Explorer(knobs, experiments, Figure(), number_of, number_of)
    diary.a, diary.b = knobs.values()
    diary.started.clear(), diary.ended.clear()
    diary.told = []
    diary.explorer._screen.observe(lambda change: diary.told.append(change["new"]), "progress")
    return diary


async def settled(explorer):
    """Wait until no task is under way."""
    await asyncio.sleep(0.01)
    while len(asyncio.all_tasks()) > 1:
        await asyncio.sleep(0.005)


async def until(condition):
    """Wait until something holds, for at most ten seconds."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "it did not come to pass in 10 seconds"
        await asyncio.sleep(0.002)


@contextmanager
def no_loose_ends():
    """Fail on exceptions that nobody has seen in tasks and callbacks of the loop."""
    said = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: said.append(context))
    yield
    assert said == []


def under_a_loop(test):
    """Run a test that is a coroutine of (slow), then see that nothing is left over."""

    def wrapped(slow, monkeypatch):
        async def main():
            with no_loose_ends():
                await test(slow, monkeypatch)
                await settled(slow.explorer)

        asyncio.run(main())
        assert slow.explorer._screen.progress is None

    wrapped.__name__ = test.__name__
    return wrapped


@under_a_loop
async def test_a_move_is_answered_without_blocking_the_loop(slow, monkeypatch):
    slow.seconds, turns = 0.3, 0
    slow.a.value = 5
    assert slow.explorer.words == "0", "the setter returns before the run is done"
    while slow.explorer.words != "5":
        turns += 1
        await asyncio.sleep(0.01)
    assert turns > 2 and slow.started == slow.ended == [5]
    assert len(slow.threads) == 2, (
        "the first run, before the loop, in this thread; the second in another"
    )


@under_a_loop
async def test_a_newer_value_cancels_the_older_run_and_is_the_one_shown(slow, monkeypatch):
    slow.seconds = 0.5
    slow.a.value = 1
    await until(lambda: slow.started == [1])
    slow.a.value = 2
    await settled(slow.explorer)
    assert slow.started == [1, 2] and slow.cancelled == [1] and slow.ended == [2]
    assert slow.explorer.words == "2" and slow.explorer.message == ""
    assert slow.explorer.figure.seen == [[0], [2]]


@under_a_loop
async def test_in_a_storm_of_moves_the_last_one_stands_and_few_are_run(slow, monkeypatch):
    slow.seconds = 0.05
    for value in range(1, 41):
        slow.a.value = value if value % 10 != 9 else value + 60
        await asyncio.sleep(0.004)
    await settled(slow.explorer)
    assert slow.explorer.words == "40" and slow.ended[-1] == 40
    assert len(slow.started) < 40 and slow.explorer.message == ""


@under_a_loop
async def test_two_moves_at_once_are_one_run_of_the_last(slow, monkeypatch):
    for seconds in (0.0, 0.1):
        slow.seconds = seconds
        slow.a.value, slow.b.value = 1, 1
        await settled(slow.explorer)
        assert slow.explorer.words == "2" and slow.explorer.figure.seen[-1] == [2]
        slow.a.value, slow.a.value, slow.b.value = 3, 4, 4
        await settled(slow.explorer)
        assert slow.explorer.words == "8" and slow.explorer.figure.seen[-1] == [8]


@under_a_loop
async def test_two_moves_at_once_after_others_never_show_a_mixture(slow, monkeypatch):
    slow.a.value = 50
    await settled(slow.explorer)
    slow.explorer.figure.seen.clear()
    slow.seconds = 0.05
    slow.a.value, slow.b.value = 1, 20
    await settled(slow.explorer)
    assert slow.explorer.figure.seen == [[21]]


@under_a_loop
async def test_reset_moves_all_controls_at_once(slow, monkeypatch):
    slow.a.value = 3
    await settled(slow.explorer)
    slow.b.value = 4
    await settled(slow.explorer)
    slow.explorer.reset()
    await settled(slow.explorer)
    assert slow.explorer.words == "0" and slow.explorer.values() == {"a": 0, "b": 0}


@under_a_loop
async def test_an_older_run_that_cannot_be_stopped_is_waited_for_and_not_shown(slow, monkeypatch):
    slow.seconds, slow.deaf = 0.4, True
    slow.a.value = 1
    await until(lambda: slow.started == [1])
    for number in (2, 3, 4):
        slow.a.value = number
        await asyncio.sleep(0.01)
    await settled(slow.explorer)
    assert slow.started == slow.ended == [1, 4], (
        "one at a time, and the values between are left out"
    )
    assert slow.explorer.words == "4" and slow.explorer.figure.seen[1:] == [[4]]


@under_a_loop
async def test_an_error_is_told_and_forgotten_with_the_next_good_value(slow, monkeypatch):
    slow.a.value = 5
    await settled(slow.explorer)
    slow.a.value = 9
    await settled(slow.explorer)
    assert "no run for 9" in slow.explorer.message and slow.explorer.words == "5"
    slow.a.value = 6
    await settled(slow.explorer)
    assert slow.explorer.message == "" and slow.explorer.words == "6"


@under_a_loop
async def test_an_error_of_an_older_run_is_not_told(slow, monkeypatch):
    slow.seconds, slow.deaf = 0.2, True
    slow.a.value = 9
    await until(lambda: slow.started == [9])
    slow.a.value = 10
    await settled(slow.explorer)
    assert slow.explorer.message == "" and slow.explorer.words == "10"


@under_a_loop
async def test_progress_is_told_once_patience_is_over_rises_and_goes(slow, monkeypatch):
    slow.seconds = 0.3
    monkeypatch.setattr(schedule, "PATIENCE", 1e9)
    slow.a.value = 1
    await settled(slow.explorer)
    assert slow.told == []
    monkeypatch.setattr(schedule, "PATIENCE", 0)
    slow.a.value = 2
    await settled(slow.explorer)
    *shares, last = slow.told
    assert last is None and 0 <= shares[0] < shares[-1] <= 1 and shares == sorted(shares)


def test_patience_is_a_tenth_of_a_second():
    assert schedule.PATIENCE == 0.1


@under_a_loop
async def test_repetitions_are_shown_as_they_come_when_they_are_slow_and_at_once_when_they_are_not(
    slow, monkeypatch
):
    slow.repeats = 3
    monkeypatch.setattr(schedule, "PATIENCE", 1e9)
    slow.a.value = 1
    await settled(slow.explorer)
    assert slow.explorer.figure.seen[1:] == [[1, 101, 201]]
    monkeypatch.setattr(schedule, "PATIENCE", -1)
    slow.a.value = 2
    await settled(slow.explorer)
    assert slow.explorer.figure.seen[2:] == [[2], [2, 102], [2, 102, 202]]


@under_a_loop
async def test_a_slow_move_is_told_and_a_quick_one_takes_it_back(slow, monkeypatch):
    assert slow.explorer._screen.note == "", "before any move nothing is said of the machine"
    monkeypatch.setattr(explorer_module, "SLOW", 0.0)
    slow.a.value = 1
    await settled(slow.explorer)
    assert slow.explorer._screen.note.startswith("The last move took 0 s on this machine.")
    monkeypatch.setattr(explorer_module, "SLOW", 1e9)
    slow.a.value = 2
    await settled(slow.explorer)
    assert slow.explorer._screen.note == ""


@under_a_loop
async def test_where_no_thread_can_start_moves_are_answered_in_turn(slow, monkeypatch):
    monkeypatch.setattr(schedule, "threads_work", lambda: False)
    monkeypatch.setattr(schedule, "PATIENCE", 0)
    slow.seconds, slow.repeats = 0.05, 2
    slow.threads.clear()
    slow.a.value = 1
    slow.a.value = 2
    await settled(slow.explorer)
    assert slow.started == slow.ended == [2, 102] and slow.explorer.words == "2"
    assert slow.threads == {threading.get_ident()}
    assert slow.told[-1] is None and max(share for share in slow.told[:-1]) > 0.5
    slow.a.value = 9
    await settled(slow.explorer)
    assert "no run for 9" in slow.explorer.message


@under_a_loop
async def test_picture_and_words_change_in_one_message(slow, monkeypatch):
    seen = []
    slow.explorer._screen.observe(lambda change: seen.append(change["new"]), "frame")
    slow.a.value = 7
    await settled(slow.explorer)
    assert [(frame["parts"], frame["words"]) for frame in seen] == [({"all": "[7]"}, "7")]


def test_the_mark_for_no_hiding_never_stands_where_a_hidden_result_does(one_of_each, monkeypatch):
    explorer, updates = one_of_each("confidence_hiding"), []
    explorer.reset()
    update = explorer.figure.update

    def noted(results, values):
        update(results, values)
        updates.append(list(explorer.figure.plain.get_xdata()))

    async def move():
        explorer.controls["labels_only"].value = True
        await settled(explorer)

    with monkeypatch.context() as patch:
        patch.setattr(schedule, "PATIENCE", -1)  # the first results are shown by themselves
        patch.setattr(explorer.figure, "update", noted)
        asyncio.run(move())
    explorer.reset()
    unhidden = explorer.results[
        2
    ].adaptive.advantage  # the third of four: calibrated, nothing hidden
    assert len(updates) == 4
    assert {places[-1] for places in updates if places} == {unhidden}


def test_without_a_loop_a_move_is_answered_before_the_setter_returns(slow):
    for value in (3, 4):
        slow.a.value = value
        assert slow.explorer.words == str(value)
    assert slow.started == slow.ended == [3, 4]


def test_words_are_escaped_wherever_they_go(slow):
    words = "a < b & 'c' \"d\" <script>alert(1)</script>"
    explorer = Explorer(
        {"a": controls.slider("a", range(3), 0)},
        lambda a: [Experiment()],
        Figure(),
        lambda *_: words,
        lambda *_: "",
    )
    data, _ = explorer._repr_mimebundle_()
    assert "<script>" not in data["text/html"]
    assert Images(data["text/html"]).found[0]["alt"] == words
    assert Images(data["text/html"]).text.strip() == words
    assert data["text/plain"] == words


def test_an_explorer_that_cannot_start_says_so_and_starts_with_the_next_good_value(slow):
    slider = controls.slider("a", range(3), 0)
    explorer = Explorer(
        {"a": slider}, lambda a: [Experiment(epochs=a)], Figure(), lambda *_: "fine", lambda *_: ""
    )
    assert "epochs must be" in explorer.message and explorer.words == ""
    assert explorer._repr_mimebundle_()[0]["text/plain"] == ""
    slider.value = 1
    assert explorer.message == "" and explorer.words == "fine"
