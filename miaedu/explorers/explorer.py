"""Explorer: controls, a live experiment behind them, its picture and words."""

import base64
import time
from html import escape

import anywidget
import traitlets

from ..experiment import run
from ..words import describe
from .browser import fill, text_of
from .controls import Accessible, button, column, folded, mime_bundle, row
from .schedule import Schedule

SLOW = 1.0  # seconds that a move may take before the reader is told


class Screen(anywidget.AnyWidget):
    """What an explorer shows below its controls. A frame is one picture with its words: they
    change together."""

    _esm = text_of("frame.js") + text_of("screen.js")
    _css = text_of("figure.css")
    html = traitlets.Unicode().tag(sync=True)
    frame = traitlets.Dict().tag(sync=True)
    numbers = traitlets.Unicode().tag(sync=True)
    message = traitlets.Unicode().tag(sync=True)
    note = traitlets.Unicode().tag(sync=True)
    progress = traitlets.Float(None, allow_none=True).tag(sync=True)


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
    LiveFigure; `words(results, values)`, the caption and alt text of the picture, in three lines at
    most; `numbers(results)`, what is folded below it; `more`, the names of controls that
    are folded away; `carry_out(experiment, progress)`, what runs one of them, :func:`run` if not
    given.

    Attributes, all as shown now: ``results``, a list of :class:`Result`; ``words``, ``numbers``,
    ``code`` and ``message``, texts; ``picture``, SVG; ``frame``, what the browser puts in place.
    Besides, ``controls``, ``figure`` and ``box``, the widget. A move of a control starts the
    experiments; the newest values win. An error is a message in place; the last good picture stays.
    """

    def __init__(
        self, controls, experiments, figure, words, numbers=describe, more=(), carry_out=None
    ):
        self.controls, self.figure, self.results = controls, figure, []
        self._experiments, self._words, self._numbers = experiments, words, numbers
        self._carry_out = carry_out or _carry_out
        self._start_values = self.values()
        self._schedule = Schedule(self._plan, self._result, self._show, self._fail, self._tell)
        self._screen = Screen(
            html=fill("explorer.html", figure=fill("figure.html", svg=figure.background))
        )
        self._schedule.now()
        for name, control in controls.items():
            control.add_class(f"miaedu-{name}")
            control.observe(lambda change: self._schedule.moved(), names="value")
        self.box = column([*self._rows(more), self._screen, Accessible()], "miaedu-explorer")

    def _rows(self, more):
        reset = button("Reset", "Set all controls back to where they started")
        reset.on_click(lambda _: self.reset())
        first = [control for name, control in self.controls.items() if name not in more]
        rest = folded([self.controls[name] for name in more]) if more else []
        return [row([*first, reset]), *rest]

    @property
    def words(self):
        """The caption and alt text; empty before the first good result."""
        return self.frame.get("words", "")

    @property
    def numbers(self):
        """What is folded below the caption."""
        return self._screen.numbers

    @property
    def code(self):
        """The line of code that runs the first experiment."""
        return self.frame.get("code", "")

    @property
    def message(self):
        """Why the present setting cannot be run; empty where it can."""
        return self._screen.message

    @property
    def picture(self):
        """The picture as SVG."""
        return self.figure.svg(self.frame.get("parts", {}))

    @property
    def frame(self):
        """What changes with a move, as texts: the picture's ``parts``, ``words``, ``code``."""
        return self._screen.frame

    def reset(self):
        """Set every control back to where it started."""
        for name, value in self._start_values.items():
            self.controls[name].value = value

    def values(self):
        """The controls' values by name."""
        return {name: control.value for name, control in self.controls.items()}

    def show(self, values):
        """Run the experiments of these values and show them, whatever the controls say; raises what
        they raise."""
        self._began = time.monotonic()
        results = self.results_at(values)
        self._show(results, values, len(results))

    def results_at(self, values, tell=lambda share: None):
        """The results of the experiments of these values, in order; `tell` hears meanwhile which
        share of them is there."""
        experiments, results = self._experiments(**values), []
        for experiment in experiments:
            tick = lambda share: tell((len(results) + share) / len(experiments))  # noqa: E731
            results.append(self._result(experiment, tick))
        return results

    def frame_of(self, results, values):
        """What the browser puts in place to show these results, of these values of the controls."""
        words = self._words(results, values)
        self.figure.update(results, values)
        return {"parts": self.figure.parts(), "words": words, "code": results[0].experiment.code}

    def numbers_of(self, results):
        """What is folded below the caption of these results."""
        return self._numbers(results)

    def _plan(self):
        self._began, values = time.monotonic(), self.values()
        return values, self._experiments(**values)

    def _result(self, experiment, tick):
        """The result of an experiment: the one that is shown already, or a new one."""
        shown = (result for result in self.results if result.experiment == experiment)
        return next(shown, None) or self._carry_out(experiment, tick)

    def _show(self, results, values, count):
        frame = self.frame_of(results, values)
        self.results = list(results)
        self._screen.frame = frame
        self._screen.message = ""
        # their intervals take a while: the picture does not wait for them
        self._screen.numbers = self.numbers_of(results)
        if len(results) == count:
            self._tell_how_long(time.monotonic() - self._began)

    def _tell_how_long(self, seconds):
        self._screen.note = (
            f"The last move took {seconds:.0f} s on this machine. You need not wait for one: the "
            "newest move wins."
            if seconds > SLOW
            else ""
        )

    def _fail(self, error):
        self._screen.message = f"This setting cannot be run: {error}"

    def _tell(self, share):
        self._screen.progress = share

    def _repr_mimebundle_(self, **kwargs):
        """The widget; and for a reader or viewer that shows no widgets, a still picture and its
        words."""
        picture, words = base64.b64encode(self.figure.png()).decode(), self.words
        still = fill("still.html", words=escape(words), picture=picture)
        texts = {"text/plain": words, "text/html": still, "image/png": picture}
        return mime_bundle(self.box, **texts)


def _carry_out(experiment, tick):
    return run(experiment, tick)
