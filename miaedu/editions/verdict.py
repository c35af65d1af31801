"""A verdict for grading: taken again, from the answer alone, in a Python process of its own.

So whatever a submitted notebook has changed in its own process (``mia.check = ...``) changes no
mark. It is no security against somebody who writes code against this very file: a class decides by
seeds and hidden tests, and grades in a container.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from tempfile import gettempdir

import cloudpickle  # functions travel by value

from ..exercises import check

SECONDS = 100  # less than nbgrader's time-out of a cell


@dataclass(frozen=True)
class Mark:
    """What an answer is worth: `state`, as of a Verdict, its `message`, and `points`."""

    key: str
    state: str
    message: str
    points: float

    def counted(self):
        """The points, as nbgrader counts the last value of a test: all of them, or 0 where nothing
        was attempted.

        >>> Mark("00.q1", "right", "Well done.", 1).counted()
        1

        AssertionError: the answer is wrong; its message is the explanation.
        """
        if self.state in ("wrong", "error"):
            raise AssertionError(f"{self.key}: {self.state}, because {self.message}")
        return self.points if self.state == "right" else 0


def take(key, answer, points, seed=0):
    """The Mark of an answer, judged in another process.

    >>> take("00.q1", "c", points=1)
    Mark(key='00.q1', state='right', message='You know enough Python for this course.', points=1)
    """
    try:
        handed_over = cloudpickle.dumps((key, answer, seed))
    except Exception as error:
        return Mark(key, "error", f"your answer cannot be handed over: {error}", points)
    # -P: a file beside the notebook must not stand in for a module
    command = [sys.executable, "-P", "-c", "from miaedu.editions.verdict import judge; judge()"]
    try:
        judged = subprocess.run(
            command, input=handed_over, capture_output=True, timeout=SECONDS, cwd=gettempdir()
        )
    except subprocess.TimeoutExpired:
        return Mark(key, "error", f"your answer was not judged within {SECONDS} s", points)
    if judged.returncode:
        last = judged.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        return Mark(key, "error", f"your answer cannot be judged: {last}", points)
    state, message = json.loads(judged.stdout.decode().rpartition("\n")[2])
    return Mark(key, state, message, points)


def judge():
    """Judge what comes on the standard input; the last line written is state and message."""
    key, answer, seed = cloudpickle.loads(sys.stdin.buffer.read())
    verdict = check(key, answer, seed)
    sys.stdout.write("\n" + json.dumps([verdict.state, verdict.message]))
