"""Exercises that check themselves: ``check("03.2", answer)``, ``hint("03.2")``,
``solution("03.2")``.

Each notebook has a file of exercises here, a dict from keys such as "03.2" or "03.q1" to
:class:`Exercise`. A teacher can grade with ``check(key, answer).state``; a solution is runnable
source that assigns the names which the exercise's cell gives to ``check``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from importlib import import_module
from numbers import Real

import numpy as np

STATES = ("not attempted", "wrong", "error", "right")


@dataclass(frozen=True)
class Exercise:
    """One exercise: its `objective`, its `judge`, a `hint`, and a `solution` in runnable source
    that assigns the names which the exercise's cell gives to `check`.

    ``judge(answer)`` returns None if the answer is right, else the sentence that follows "wrong,
    because"; or ``...`` for an answer that turns out to be untouched, such as a function whose body
    is still a stub. `praise` is said when it is right: a sentence, or a function that makes one
    from the answer. `option` is the text of a quiz's right option, as its notebook has it. Where
    the answer is `guessed`, its first part is a guess, which nobody judges and which may be None.
    """

    objective: str
    judge: Callable
    hint: str
    solution: str
    praise: str | Callable = "Well done."
    option: str = ""
    guessed: bool = False


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

    return Exercise(objective, judge, hint, f'answer = "{right}"', praise, option)


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
        if guess is None or guess is ...:
            return f"It is {truth()}: {praise}"
        of_100 = truth().endswith(" of 100") and isinstance(guess, Real)
        doubtful = of_100 and (0 < guess < 1 or not 0 <= guess <= 100)
        meant = " (a guess is a number from 0 to 100)" * doubtful
        return f"You said {guess}{meant}, it is {truth()}: {praise}"

    solution = f'my_guess = None  # any number: a guess is not judged\nmy_reason = "{right}"'
    return Exercise(objective, judge, hint, solution, answered, option, guessed=True)


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

    def __repr__(self):
        return f"{self.key}: {self._state()} {self.message}".strip()

    def _state(self):
        return self.state + ", because" * (self.state == "wrong")

    def _repr_mimebundle_(self, **kwargs):
        from ..explorers.controls import mime_bundle, verdict_box

        mark = {"right": "✔", "wrong": "✘", "error": "!", "not attempted": "○"}[self.state]
        line = f"<p>{mark} <b>{escape(self.key)}: {self._state()}</b> {escape(self.message)}</p>"
        box = verdict_box(line, find(self.key))
        return mime_bundle(box, **{"text/plain": repr(self), "text/html": line})


def check(key, answer):
    """Judge an answer to an exercise; never raises for a wrong one.

    >>> check("03.q1", ...)
    03.q1: not attempted Replace the ... or None by your answer, and run the cell again.

    `key`, such as "03.2" or "03.q1"; `answer`, what the exercise asks for. Returns a
    :class:`Verdict`. Raises ValueError for an unknown key.
    """
    exercise = find(key)
    parts = answer if isinstance(answer, tuple) else (answer,)
    needed = parts[1:] or parts if exercise.guessed else parts
    if any(part is None or part is ... for part in needed):
        return _untouched(key)
    try:
        plain = tuple(map(_plain, parts)) if isinstance(answer, tuple) else _plain(answer)
        complaint = exercise.judge(plain)
    except Exception as error:
        return Verdict(
            key, "error", f"Your answer could not be checked: {type(error).__name__}: {error}"
        )
    if complaint is ...:
        return _untouched(key)
    if complaint is not None:
        return Verdict(key, "wrong", complaint)
    praise = exercise.praise
    return Verdict(key, "right", praise(plain) if callable(praise) else praise)


def hint(key):
    """A push in the right direction, as text.

    >>> len(hint("03.q1")) > 10
    True
    """
    return find(key).hint


def solution(key):
    """The source of a right answer, as text: it assigns the names that the exercise's cell gives to
    `check`.

    >>> solution("00.q1")
    'answer = "c"'
    """
    return find(key).solution


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


def _untouched(key):
    return Verdict(
        key, "not attempted", "Replace the ... or None by your answer, and run the cell again."
    )
