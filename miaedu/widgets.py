"""Explorer: controls, a live experiment behind them, its picture and words. Alone in importing
ipywidgets."""

import asyncio
import base64
import time
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from html import escape

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets

from .experiment import run
from .network import MLP
from .words import describe

# seconds of silence after which something shows: a progress bar, or the first repetition
PATIENCE = 0.1
WIDE = {"description_width": "initial"}
SLOW = 1.0  # seconds that a move may take before the reader is told
AFFORDABLE = 2.0  # seconds of training that an explorer may begin with
# one experiment at a time: more threads would each keep memory, and be no faster
WORKER = ThreadPoolExecutor(1)
SETTLE = 0.03  # seconds to wait for a newer value when one has just come


@lru_cache(maxsize=1)
def seconds_per_network():
    """How long this machine trains one shadow model of an explorer, in a collection; measured once.

    >>> seconds_per_network() == seconds_per_network() > 0
    True
    """
    X, everyone = np.random.default_rng(0).random((500, 200), np.float32), np.ones((4, 500), bool)
    for epochs in (1, 60):  # the first call sets up threads, which is not to be counted
        began = time.monotonic()
        MLP(hidden=32, epochs=epochs, batch_size=None, random_state=0).fit_many(
            X, np.arange(500) % 10, everyone
        )
    return (time.monotonic() - began) / 4


def affordable(counts, wanted, repetitions=1):
    """`wanted` shadow models, or the largest of `counts` below it that this machine trains in
    time."""
    seconds = repetitions * seconds_per_network()
    return max(
        (count for count in counts if count <= wanted and count * seconds <= AFFORDABLE),
        default=min(counts),
    )


class _Names(anywidget.AnyWidget):
    """Gives the sliders beside it their accessible names and values: ipywidgets ties no label to a
    slider's handle."""

    _esm = """
    export default { render({ model, el }) {
      el.style.display = "none";
      const apply = () => {
        const root = el.closest(".miaedu-explorer");
        if (!root) return;
        for (const part of root.querySelectorAll("select, input, .noUi-handle"))
          part.dataset.lmSuppressShortcuts = "true";  // or JupyterLab takes its arrow keys
        for (const silent of root.querySelectorAll('[title="null"]')) silent.removeAttribute("title");
        for (const [key, [name, value]] of Object.entries(model.get("names"))) {
          for (const part of root.querySelectorAll(`.miaedu-${key} :is(.noUi-handle, .widget-readout, progress)`)) {
            part.setAttribute("aria-label", name);
            if (part.classList.contains("noUi-handle")) part.setAttribute("aria-valuetext", value);
            if (part.classList.contains("widget-readout")) part.contentEditable = "false";
          }
        }
      };
      model.on("change:names", apply);
      for (const wait of [0, 100, 500, 2000]) setTimeout(apply, wait);
    } };
    """
    _css = """
    .miaedu-explorer :is(select, input, button, summary, .noUi-handle):focus {
      outline: 3px solid #0072B2 !important; outline-offset: 1px;
    }
    .miaedu-explorer .widget-readout {
      width: auto !important; min-width: 8em !important; max-width: none !important;
      flex: 0 0 auto !important; white-space: nowrap;
    }
    """
    names = traitlets.Dict().tag(sync=True)


class Explorer:
    """Controls, experiments that follow them, a live figure, and a description: display it at the
    end of a cell.

    >>> import miaedu as mia
    >>> explorer = mia.shadow_count()
    >>> explorer.controls["n_shadows"].value = 2
    >>> explorer.words.startswith("With 2 shadow models")
    True

    Parameters: `controls`, a dict from names to ipywidgets with a description and a value;
    `experiments(**values)`, the list of :class:`Experiment` to run, one after another; `figure`, a
    LiveFigure; `describe(results, values)`, the words; `more`, the names of controls that are
    folded away.

    Attributes: ``controls``; ``results``, the Results shown; ``words``, the caption and alt text;
    ``box``, the widget; ``figure``. A move of a control starts the experiments; the newest value
    wins. An error is shown in place, the last good picture stays.
    """

    def __init__(
        self,
        controls,
        experiments,
        figure,
        describe=lambda results, values: describe(results),
        more=(),
    ):
        self.controls, self.figure, self._experiments, self._describe = (
            controls,
            figure,
            experiments,
            describe,
        )
        self._start_values = {name: control.value for name, control in controls.items()}
        self._task, self._stopped = None, []
        self.results, self.words = [], ""
        self._picture, self._code, self._message = widgets.HTML(), widgets.HTML(), widgets.HTML()
        hidden = {"width": "200px", "visibility": "hidden"}
        self._progress = widgets.FloatProgress(
            max=1.0, tooltip="progress of the training", layout=hidden
        )
        self._names = _Names()
        reset = button("Reset", "Set all controls back to where they started")
        reset.on_click(lambda _: self.reset())
        for name, control in controls.items():
            control.add_class(f"miaedu-{name}")
            control.observe(lambda change: self._moved(), names="value")
        self._progress.add_class("miaedu-progress")
        rows = [
            row(
                [
                    *(control for name, control in controls.items() if name not in more),
                    reset,
                    self._progress,
                ]
            )
        ]
        if more:
            folded = row([controls[name] for name in more], display="none")
            unfold = button("more", "Show more controls", widgets.ToggleButton)
            unfold.observe(
                lambda change: folded.layout.set_trait("display", "flex" if change.new else "none"),
                "value",
            )
            rows += [unfold, folded]
        self._run_now()
        seconds = (
            sum(1 + result.experiment.n_shadows for result in self.results) * seconds_per_network()
        )
        if seconds > SLOW:
            rows += [
                widgets.HTML(
                    f"<p>This machine is slow or busy: a move that trains models will take about "
                    f"{seconds:.0f} s. The newest move wins.</p>"
                )
            ]
        self.box = widgets.VBox([*rows, self._message, self._picture, self._code, self._names])
        self.box.add_class("miaedu-explorer")

    def reset(self):
        """Set every control back to where it started."""
        for name, value in self._start_values.items():
            self.controls[name].value = value

    def values(self):
        """The controls' values by name."""
        return {name: control.value for name, control in self.controls.items()}

    def _moved(self):
        self._name_controls()
        hurried = self._task is not None and not self._task.done()
        self._stopped.append(True)  # the run under way sees it, and leaves the stage to this one
        try:
            loop = asyncio.get_running_loop()
        # a plain script has no event loop, and nobody who could move a control meanwhile
        except RuntimeError:
            return self._run_now()
        self._stopped = []
        self._task = loop.create_task(self._run_soon(SETTLE if hurried else 0, self._stopped))

    def _run_now(self):
        self._name_controls()
        try:
            self.show(self.values())
        except Exception as error:
            self._complain(error)

    def show(self, values):
        """Run the experiments of these values and show them, whatever the controls say; raises what
        they raise."""
        self._show([run(experiment) for experiment in self._experiments(**values)], values)

    async def _run_soon(self, pause, stopped):
        share, began = [0.0], time.monotonic()

        def progress(done):
            share[0] = done
            if stopped:
                raise InterruptedError("a newer value came")

        def turn(experiment):
            return stopped or run(experiment, progress)

        await asyncio.sleep(pause)
        try:
            done = []
            values = self.values()
            experiments = [] if stopped else self._experiments(**values)
            for experiment in experiments:
                work = asyncio.get_running_loop().run_in_executor(WORKER, turn, experiment)
                while not (await asyncio.wait({work}, timeout=0.05))[0]:
                    if not stopped and time.monotonic() - began > PATIENCE:
                        self._progress.layout.visibility = "visible"
                        self._progress.value = (len(done) + share[0]) / len(experiments)
                done.append(work.result())
                if stopped:
                    return
                # The first repetitions need not wait for the last.
                if len(done) == len(experiments) or time.monotonic() - began > PATIENCE:
                    self._show(done, values)
        except Exception as error:
            if not stopped:
                self._complain(error)
        finally:
            if not stopped:
                self._progress.layout.visibility = "hidden"

    def _show(self, results, values):
        self.results, self.words = list(results), self._describe(results, values)
        self.figure.update(self.results, values)
        self._picture.value = self._html()
        code = escape(results[0].experiment.code)
        self._code.value = f"<details><summary>Show the code for this setting</summary><code>{code}</code></details>"
        self._message.value = ""

    def _complain(self, error):
        self._message.value = (
            f"<p role='alert'><b>This setting cannot be run:</b> {escape(str(error))}</p>"
        )

    def _html(self):
        picture, words = base64.b64encode(self.figure.png()).decode(), escape(self.words)
        return (
            f"<figure style='margin:0;max-width:920px'><img alt='{words}' style='width:100%' "
            f"src='data:image/png;base64,{picture}'><figcaption "
            f"style='line-height:1.4;color:var(--jp-content-font-color1,inherit)'>{words}</figcaption>"
            "</figure>"
        )

    def _name_controls(self):
        names = {
            name: [control.description, str(getattr(control, "label", control.value))]
            for name, control in self.controls.items()
        }
        self._names.names = names | {"progress": ["progress of the training", ""]}

    def _repr_mimebundle_(self, **kwargs):
        """The widget; and for a reader or viewer that shows no widgets, a still picture and its
        words."""
        bundle = self.box._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        picture = base64.b64encode(self.figure.png()).decode()
        return {
            **data,
            "text/plain": self.words,
            "text/html": self._html(),
            "image/png": picture,
        }, metadata


def row(parts, **layout):
    """Widgets side by side, in more lines where the page is narrow."""
    return widgets.HBox(parts, layout={"flex_flow": "row wrap", "align_items": "center", **layout})


def button(description, tooltip, kind=widgets.Button):
    """A button with words for whoever cannot guess."""
    return kind(description=description, tooltip=tooltip, layout={"width": "90px"})


def slider(label, options, value):
    """A slider over `options`, a list of values or of (label, value) pairs."""
    words, wide = (
        {"description": label, "tooltip": label, "style": WIDE},
        f"{270 + 7 * len(label)}px",
    )
    return widgets.SelectionSlider(
        options=options, value=value, layout={"width": wide, "max_width": "100%"}, **words
    )


def menu(label, options):
    """A drop-down list of (label, value) pairs; the first is chosen."""
    return widgets.Dropdown(options=options, description=label, tooltip=label, style=WIDE)


def tick(label):
    """A box to tick, off at first."""
    return widgets.Checkbox(value=False, description=label, tooltip=label, indent=False)


def verdict_box(line, exercise):
    """The box of an exercise's verdict: a `line` of HTML, and buttons for the hint and the
    solution."""
    shown = widgets.HTML()
    buttons = []
    for name, text in (
        ("Hint", escape(exercise.hint)),
        ("Solution", f"<pre>{escape(exercise.solution)}</pre>"),
    ):
        buttons.append(button(name, f"Show the {name.lower()} of this exercise"))
        buttons[-1].on_click(
            lambda _, text=text: setattr(shown, "value", "" if shown.value == text else text)
        )
    box = widgets.VBox([widgets.HTML(line), widgets.HBox(buttons), shown])
    box.add_class("miaedu-verdict")
    return box
