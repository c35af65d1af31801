"""The marking sheet of a graded lab: what each exercise is for, its points, what is accepted and
what students usually get wrong."""

import re
from dataclasses import dataclass

from ..exercises import find, solved
from ..exercises.variant import drawn, letters_of

SHEET = """# Marking {name}
{total} points: {tests} by tests, {prose} by a person. {variant}

For the teacher: this sheet holds the answers.
"""
PROSE = """
**By hand, {points} point{s}: the prediction.** The number guessed is not graded. Full marks for a
reason that names what decides it, right or wrong; half for a number and a reason that only repeats
it; none for a number alone. What decides it here: {reason}
"""


@dataclass(frozen=True)
class Points:
    """What an exercise is worth: by its `test`, and for `prose` that a person grades."""

    test: int
    prose: int = 0


def points_of(exercise):
    """A question is worth 1 point, a prediction 1 for its reason and 1 for its prose, another
    exercise 3.

    >>> points_of(find("00.q1")), points_of(find("02.1")), points_of(find("02.2"))
    (Points(test=1, prose=0), Points(test=1, prose=1), Points(test=3, prose=0))
    """
    if exercise.guessed:
        return Points(1, 1)
    return Points(1) if exercise.solution.startswith('answer = "') else Points(3)


def marking_sheet(name, keys, seed=0):
    """The sheet for an assignment with these exercises, as Markdown."""
    worth = {key: points_of(find(key)) for key in keys}
    tests, prose = (sum(getattr(p, kind) for p in worth.values()) for kind in ("test", "prose"))
    variant = f"Drawn with --seed {seed}." if seed else "With the data and answers of the course."
    sheet = SHEET.format(name=name, total=tests + prose, tests=tests, prose=prose, variant=variant)
    return sheet + "".join(_entry(key, worth[key], seed) for key in keys)


def _entry(key, points, seed):
    exercise = find(key)
    lines = [
        f"\n## {key}: {points.test} point{'s' * (points.test > 1)}",
        f"*{exercise.objective}*",
        "",
        f"Accepted: {exercise.tolerance}.",
    ]
    if seed and not _varies(exercise):
        lines.append("The same in every variant.")
    if exercise.mistakes:
        with drawn(seed):
            letters = letters_of(exercise.letters, exercise.menu or key)
        named = (_with_letter(mistake, letters) for mistake in exercise.mistakes)
        lines += ["", "Usual mistakes:", *(f"- {mistake}" for mistake in named)]
    lines += ["", "```python", solved(key, seed).strip(), "```", ""]
    if points.prose:
        s, reason = "s" * (points.prose > 1), exercise.option
        lines.append(PROSE.format(points=points.prose, s=s, reason=reason).strip() + "\n")
    return "\n".join(lines)


def _with_letter(mistake, letters):
    """A mistake that begins with the letter of an option, with the variant's letter."""
    return re.sub(r"^([a-e]):", lambda found: f"{letters[found[1]]}:", mistake)


def _varies(exercise):
    return bool(exercise.letters or exercise.data or exercise.parameters or exercise.redrawn())
