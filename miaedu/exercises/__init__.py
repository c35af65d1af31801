"""Exercises that check themselves: ``check("03.2", answer)``, ``hint("03.2")``,
``solution("03.2")``.

Each notebook has a file of exercises here, a dict from keys such as "03.2" or "03.q1" to
:class:`Exercise`. A teacher can grade with ``check(key, answer).state``; a solution is runnable
source that assigns the names which the exercise's cell gives to ``check``.

A graded lab may ask with other data and numbers: ``check(key, answer, seed=7)``, see
:mod:`miaedu.exercises.variant`.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from html import escape
from importlib import import_module
from numbers import Real

import numpy as np

from .variant import drawn, letters_of, moved_source, order_of

STATES = ("not attempted", "wrong", "error", "right")
UNTOUCHED = ("not attempted", "Replace the ... or None by your answer, and run the cell again.")
EXAM = "MIAEDU_EXAM"  # the environment variable that turns solutions off


@dataclass(frozen=True)
class Exercise:
    """One exercise: its `objective`, its `judge`, a `hint`, and a `solution` in runnable source
    that assigns the names which the exercise's cell gives to `check`.

    ``judge(answer)`` returns None if the answer is right, else the sentence that follows "wrong,
    because"; or ``...`` for an answer that turns out to be untouched, such as a function whose body
    is still a stub. `praise` is said when it is right: a sentence, or a function that makes one
    from the answer. `option` is the text of a quiz's right option, as its notebook has it. Where
    the answer is `guessed`, its first part is a guess, which nobody judges and which may be None.

    For whoever grades: the `tolerance` of the judge and usual `mistakes`, sentences. For a variant
    (see variant.py): the `letters` to choose from, which are those of the exercise `menu` if that
    is another; the `parameters` of the function to write; the source of the `data` that are drawn
    again; and `redrawn()`, pairs of a text of the course and what a variant has in its place.
    """

    objective: str
    judge: Callable
    hint: str
    solution: str
    praise: str | Callable = "Well done."
    option: str = ""
    guessed: bool = False
    tolerance: str = "exact"
    mistakes: tuple = ()
    letters: str = ""
    menu: str = ""
    parameters: tuple = ()
    data: str = ""
    redrawn: Callable = tuple


def quiz(objective, right, option, feedback, hint, praise="Well done."):
    """An Exercise whose answer is a letter: `right`, under which the notebook has the text
    `option`; `feedback` says of each other letter what is wrong with it.

    >>> feedback = {"a": "a is the first letter."}
    >>> question = quiz("Which is last?", "b", "The letter b.", feedback, "Not the first.")
    >>> question.judge("B"), question.judge("a")
    (None, 'a is the first letter.')
    """

    def judge(answer):
        letter = answer.strip(" ().").lower() if isinstance(answer, str) else None
        if letter == right:
            return None
        letters = ", ".join(sorted([right, *feedback]))
        return feedback.get(letter, f"the answer is one of the letters {letters}, not {answer!r}.")

    return Exercise(
        objective,
        judge,
        hint,
        f'answer = "{right}"',
        praise,
        option,
        mistakes=tuple(f"{letter}: {text}" for letter, text in feedback.items()),
        letters="".join(sorted([right, *feedback])),
    )


def prediction(objective, right, option, feedback, truth, hint, praise):
    """An Exercise whose answer is ``(guess, letter)``: the letter of a reason is judged as in a
    `quiz`; the guess is answered and never judged.

    >>> feedback = {"a": "they stay closed."}
    >>> truth = lambda: "8 of 10"
    >>> rain = prediction("Why?", "b", "It rains.", feedback, truth, "Look up.", "it rains.")
    >>> rain.judge((3, "a")), rain.praise((3, "b")), rain.praise((None, "b"))
    ('they stay closed.', 'You said 3, it is 8 of 10: it rains.', 'It is 8 of 10: it rains.')

    ``truth()`` gives, as text, the number that was to be guessed. Where it is "of 100", a guess
    that cannot be meant so is told.
    """
    reason = quiz(objective, right, option, feedback, hint)

    def judge(answer):
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise ValueError(
                "give two parts, your guess and the letter of a reason, such as "
                f"{(50, min(feedback))}; got {answer!r}"
            )
        _, letter = answer
        return reason.judge(letter)

    def answered(answer):
        guess, _ = answer
        with drawn(0):  # a variant's lesson is the course's
            told = truth()
        if guess is None or guess is ...:
            return f"It is {told}: {praise}"
        of_100 = told.endswith(" of 100") and isinstance(guess, Real)
        doubtful = of_100 and (0 < guess < 1 or not 0 <= guess <= 100)
        meant = " (a guess is a number from 0 to 100)" * doubtful
        return f"You said {guess}{meant}, it is {told}: {praise}"

    solution = f'my_guess = None  # any number: a guess is not judged\nmy_reason = "{right}"'
    return replace(reason, judge=judge, solution=solution, praise=answered, guessed=True)


def not_a_share(name, value, top=1):
    """What is wrong with an answer that should be a number from 0 to `top`; None if it is one."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return f"{name} must be one number, got {value!r}."
    if top == 100 and 0 < value < 1:
        return (
            f"{name} must be a number from 0 to 100: for a share of {value:g}, give "
            f"{100 * value:g}."
        )
    return None if 0 <= value <= top else f"{name} must be a number from 0 to {top}, got {value:g}."


def _plain(value):
    """A number that came as text or in an array of one, as a number; anything else as it is."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value.item() if isinstance(value, np.ndarray) and value.size == 1 else value


@dataclass(frozen=True)
class Verdict:
    """What `check` says: `key`, `state` (one of STATES), `message`; in a notebook, buttons for hint
    and solution."""

    key: str
    state: str
    message: str
    seed: int = 0

    def __repr__(self):
        return f"{self.key}: {self._state()} {self.message}".strip()

    def _state(self):
        return self.state + ", because" * (self.state == "wrong")

    def told(self):
        """Print the verdict, without a widget, as a graded lab does.

        AssertionError: the answer is not right, and a student lets nbgrader validate the notebook,
        where nothing but an error counts as a failure.
        """
        if os.environ.get("NBGRADER_EXECUTION") == "validate" and self.state != "right":
            raise AssertionError(repr(self))
        print(self)

    def _repr_mimebundle_(self, **kwargs):
        from ..explorers.controls import mime_bundle, verdict_box

        mark = {"right": "✔", "wrong": "✘", "error": "!", "not attempted": "○"}[self.state]
        line = f"<p>{mark} <b>{escape(self.key)}: {self._state()}</b> {escape(self.message)}</p>"
        helps = {"Hint": hint(self.key)}
        if not in_exam():
            helps["Solution"] = solution(self.key, self.seed)
        box = verdict_box(line, helps)
        return mime_bundle(box, **{"text/plain": repr(self), "text/html": line})


def check(key, answer, seed=0):
    """Judge an answer to an exercise; never raises for a wrong one.

    >>> check("03.q1", ...)
    03.q1: not attempted Replace the ... or None by your answer, and run the cell again.

    `key`, such as "03.2" or "03.q1"; `answer`, what the exercise asks for; `seed`, the variant of a
    graded lab, 0 for the course. Returns a :class:`Verdict`. Raises ValueError for an unknown key.
    """
    exercise = find(key)
    with drawn(seed):
        return Verdict(key, *_judged(exercise, key, answer), seed)


def _judged(exercise, key, answer):
    """State and message."""
    parts = answer if isinstance(answer, tuple) else (answer,)
    needed = parts[1:] or parts if exercise.guessed else parts
    if any(part is None or part is ... for part in needed):
        return UNTOUCHED
    try:
        plain = tuple(_plain(as_in_the_course(part, exercise, key)) for part in parts)
        plain = plain if isinstance(answer, tuple) else plain[0]
        complaint = exercise.judge(plain)
    except Exception as error:
        return "error", f"Your answer could not be checked: {type(error).__name__}: {error}"
    if complaint is ...:
        return UNTOUCHED
    if complaint is not None:
        return "wrong", complaint
    praise = exercise.praise
    return "right", praise(plain) if callable(praise) else praise


def as_in_the_course(part, exercise, key):
    """A variant's letter, or function, as the course would have it; anything else as it is."""
    if isinstance(part, str):
        theirs = letters_of(exercise.letters, exercise.menu or key)
        back = {new: old for old, new in theirs.items()}
        return back.get(part.strip(" ().").lower(), part)
    if callable(part) and exercise.parameters:
        order = [exercise.parameters.index(name) for name in order_of(exercise.parameters)]
        return lambda *values: part(*(values[place] for place in order))
    return part


def hint(key):
    """A push in the right direction, as text.

    >>> len(hint("03.q1")) > 10
    True
    """
    return find(key).hint


def solution(key, seed=0):
    """The source of a right answer, as text: it assigns the names that the exercise's cell gives to
    `check`.

    >>> solution("00.q1")
    'answer = "c"'

    `seed`, the variant of a graded lab, 0 for the course. RuntimeError: the environment variable
    MIAEDU_EXAM is set, or nbgrader is grading; both turn solutions off.
    """
    if in_exam():
        raise RuntimeError(f"solutions are off, because {EXAM} is set: this is an exam")
    if os.environ.get("NBGRADER_EXECUTION") == "autograde":
        raise RuntimeError("solutions are off while nbgrader grades")
    return solved(key, seed)


def in_exam():
    """Whether solutions are off. No security: the source is installed, and holds them."""
    return os.environ.get(EXAM, "0") not in ("", "0")


def solved(key, seed=0):
    """What `solution` says, in an exam as well."""
    exercise = find(key)
    with drawn(seed):
        return in_the_variant(exercise.solution, exercise, key)


def in_the_variant(source, exercise, key):
    """The source of a solution, or of a scaffold, as the variant has it."""
    letters = letters_of(exercise.letters, exercise.menu or key)
    source = re.sub(
        r'^((?:answer|my_reason|broken) = )"([a-e])"',
        lambda found: f'{found[1]}"{letters.get(found[2], found[2])}"',
        moved_source(source),
        flags=re.M,
    )
    for old, new in exercise.redrawn():
        source = source.replace(old, new)
    if exercise.parameters:
        listed = ", ".join(exercise.parameters)
        source = source.replace(f"({listed}):", f"({', '.join(order_of(exercise.parameters))}):")
    return source


def find(key):
    """The Exercise with this key; a ValueError that lists the notebook's keys if there is none."""
    try:
        known = import_module(f"{__name__}.nb{str(key)[:2]}").EXERCISES
    except ModuleNotFoundError:
        raise ValueError(
            f'key must start with the number of a notebook with exercises, such as "03.2", '
            f"got {key!r}"
        ) from None
    if key not in known:
        raise ValueError(f"key must be one of {', '.join(known)}, got {key!r}")
    return known[key]
