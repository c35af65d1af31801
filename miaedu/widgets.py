"""The explorers: controls, a live experiment behind them, its picture and its words. The only file that imports ipywidgets."""
import asyncio
import base64
import time
from dataclasses import replace
from html import escape

import anywidget
import ipywidgets as widgets
import traitlets

from .experiment import Experiment, run
from .live import HidingFigure, NoiseFigure, ShadowCountFigure
from .plots import describe

PATIENCE = 0.2  # seconds after which a progress bar shows
SETTLE = 0.03  # seconds to wait for a newer value when one has just come


class _Names(anywidget.AnyWidget):
    """Gives the sliders beside it their accessible names and values: ipywidgets ties no label to a slider's handle."""

    _esm = """
    export default { render({ model, el }) {
      el.style.display = "none";
      const apply = () => {
        const root = el.closest(".miaedu-explorer");
        if (!root) return;
        for (const [key, [name, value]] of Object.entries(model.get("names"))) {
          for (const part of root.querySelectorAll(`.miaedu-${key} .noUi-handle, .miaedu-${key} .widget-readout, .miaedu-${key} button, .miaedu-${key} progress`)) {
            part.setAttribute("aria-label", name);
            if (part.classList.contains("noUi-handle")) part.setAttribute("aria-valuetext", value);
          }
        }
      };
      model.on("change:names", apply);
      for (const wait of [0, 100, 500, 2000]) setTimeout(apply, wait);
    } };
    """
    names = traitlets.Dict().tag(sync=True)


class Explorer:
    """Controls, experiments that follow them, a live figure, and a description: display it at the end of a cell.

    >>> import miaedu as mia
    >>> explorer = mia.shadow_count()
    >>> explorer.controls["n_shadows"].value = 2
    >>> explorer.words.startswith("With 2 shadow models")
    True

    Parameters: `controls`, a dict from names to ipywidgets with a description and a value; `experiments(**values)`, the list of
    :class:`Experiment` to run, one after another; `figure`, an object with ``update(results)`` and ``png()``; `describe(results)`.

    Attributes: ``controls``; ``results``, the Results shown; ``words``, the caption and alt text; ``box``, the widget.
    A move of a control starts the experiments; the newest value wins. An error is shown in place, the last good picture stays.
    """

    def __init__(self, controls, experiments, figure, describe=describe):
        self.controls, self._experiments, self._figure, self._describe = controls, experiments, figure, describe
        self._start_values = {name: control.value for name, control in controls.items()}
        self._task = self._stop = None
        self.results, self.words = [], ""
        self._picture, self._code, self._message = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._progress = widgets.FloatProgress(max=1.0, layout={"width": "200px", "visibility": "hidden"})
        self._names = _Names()
        reset = widgets.Button(description="Reset", tooltip="Set all controls back to where they started", layout={"width": "80px"})
        reset.on_click(lambda _: self.reset())
        for name, control in controls.items():
            control.add_class(f"miaedu-{name}")
            control.observe(lambda change: self._moved(), names="value")
        self._progress.add_class("miaedu-progress")
        row = widgets.HBox([*controls.values(), reset, self._progress], layout={"flex_flow": "row wrap", "align_items": "center"})
        self.box = widgets.VBox([row, self._message, self._picture, self._code, self._names])
        self.box.add_class("miaedu-explorer")
        self._run_now()

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
        if hurried:
            self._stop()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # a plain script has no event loop, and nobody who could move a control meanwhile
            return self._run_now()
        self._task = loop.create_task(self._run_soon(SETTLE if hurried else 0))

    def _run_now(self):
        self._name_controls()
        try:
            self._show([run(experiment) for experiment in self._experiments(**self.values())])
        except Exception as error:
            self._complain(error)

    async def _run_soon(self, pause):
        stopped, share, began = [], [0.0], time.monotonic()
        self._stop = lambda: stopped.append(True)

        def progress(done):
            share[0] = done
            if stopped:
                raise InterruptedError("a newer value came")

        await asyncio.sleep(pause)
        try:
            done = []
            experiments = [] if stopped else self._experiments(**self.values())
            for experiment in experiments:
                work = asyncio.ensure_future(asyncio.to_thread(run, experiment, progress))
                while not (await asyncio.wait({work}, timeout=0.05))[0]:
                    if not stopped and time.monotonic() - began > PATIENCE:
                        self._progress.layout.visibility = "visible"
                        self._progress.value = (len(done) + share[0]) / len(experiments)
                done.append(work.result())
                if stopped:
                    return
                if len(done) == len(experiments) or time.monotonic() - began > PATIENCE:  # the first repetitions need not wait for the last
                    self._show(done)
        except Exception as error:
            if not stopped:
                self._complain(error)
        finally:
            if not stopped:
                self._progress.layout.visibility = "hidden"

    def _show(self, results):
        self.results, self.words = list(results), self._describe(results)
        self._figure.update(self.results)
        self._picture.value = self._html()
        code = escape(repr(results[0].experiment))
        self._code.value = f"<details><summary>Show the code for this setting</summary><code>{code}</code></details>"
        self._message.value = ""

    def _complain(self, error):
        self._message.value = f"<p role='alert'><b>This setting cannot be run:</b> {escape(str(error))}</p>"

    def _html(self):
        picture = base64.b64encode(self._figure.png()).decode()
        return (f"<figure style='margin:0'><img alt='{escape(self.words)}' style='width:100%;max-width:920px' src='data:image/png;base64,{picture}'>"
                f"<figcaption style='max-width:920px;line-height:1.4;color:var(--jp-content-font-color1,inherit)'>{escape(self.words)}</figcaption></figure>")

    def _name_controls(self):
        self._names.names = {name: [control.description, str(control.value)] for name, control in self.controls.items()} | {
            "progress": ["progress of the training", ""]}

    def _repr_mimebundle_(self, **kwargs):
        """The widget; and for a reader or viewer that shows no widgets, a still picture and its words."""
        bundle = self.box._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        still = {"text/plain": self.words, "text/html": self._html(), "image/png": base64.b64encode(self._figure.png()).decode()}
        return {**data, **still}, metadata


def shadow_count(repetitions=3):
    """The explorer of notebook 03: what does the number of shadow models buy?

    >>> import miaedu as mia
    >>> sorted(mia.shadow_count(repetitions=1).controls)
    ['labels', 'n_shadows']

    Each position trains that many shadow models, `repetitions` times on other data, and attacks as many targets. Returns an :class:`Explorer`.
    """
    counts = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
    controls = {
        "n_shadows": _slider("shadow models", counts, 4),
        "labels": _menu("labels of the pool", [("true", "true"), ("asked of the target", "queried")]),
    }

    def experiments(n_shadows, labels):
        return [Experiment(hidden=32, n_shadows=n_shadows, labels=labels, random_state=seed) for seed in range(repetitions)]

    return Explorer(controls, experiments, ShadowCountFigure((1, 2, 4, 8, 16, 32, 64), repetitions))


def confidence_hiding():
    """The explorer of notebook 04's first half: what does it help to hide the confidences? No network is trained again.

    >>> import miaedu as mia
    >>> explorer = mia.confidence_hiding()
    >>> explorer.controls["labels_only"].value = True
    >>> explorer.results[0].experiment.hide
    ('labels_only',)

    The functions are applied in the order of the controls. Returns an :class:`Explorer`.
    """
    controls = {
        "top_k": _slider("top k", ["off", 5, 3, 2, 1], "off"),
        "rounded": _slider("decimals", ["off", 3, 2, 1, 0], "off"),
        "softened": _slider("temperature", ["off", 2.0, 5.0, 20.0], "off"),
        "noisy": _slider("noise (scale)", ["off", 0.01, 0.03, 0.1, 0.3], "off"),
        "labels_only": widgets.Checkbox(value=False, description="labels only", indent=False),
    }

    def experiments(labels_only, **numbers):
        hide = tuple((name, value) for name, value in numbers.items() if value != "off") + ("labels_only",) * labels_only
        plain = Experiment(hidden=32, n_shadows=8)
        return [replace(plain, hide=hide), plain]

    return Explorer(controls, experiments, HidingFigure(), describe=lambda results: describe(results[0]))


def dp_noise():
    """The explorer of notebook 04's second half: differentially private training, and the ceiling that it proves.

    >>> import miaedu as mia
    >>> explorer = mia.dp_noise()
    >>> explorer.controls["noise_multiplier"].value = 8.0
    >>> round(explorer.results[0].mu, 2)
    0.97

    The first positions are ordinary full-batch training, and training with clipped gradients but no noise. Returns an :class:`Explorer`.
    """
    positions = [("off", "off"), ("clipping only", 0.0), *((f"{z:g}", z) for z in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0))]
    controls = {"noise_multiplier": _slider("noise multiplier", positions, 2.0)}

    def experiments(noise_multiplier):
        plain = Experiment(hidden=32, epochs=60, batch_size=None)
        return [plain if noise_multiplier == "off" else replace(plain, clip=1.0, noise_multiplier=noise_multiplier)]

    return Explorer(controls, experiments, NoiseFigure(positions))


def _slider(label, options, value):
    return widgets.SelectionSlider(options=options, value=value, description=label, style={"description_width": "initial"}, layout={"width": "340px"})


def _menu(label, options):
    return widgets.Dropdown(options=options, description=label, style={"description_width": "initial"})
