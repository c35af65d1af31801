"""Schedule: when work is done, and for which values. The newest values win; older work is stopped,
or not begun."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from ..lockstep import threads_work

# seconds of silence after which something shows: progress, or the first of several results
PATIENCE = 0.1
SETTLE = 0.03  # seconds to wait for newer values when some have just come
LOOK = 0.05  # seconds between two looks at the progress
# one experiment at a time: more threads would each keep memory, and be no faster
WORKER = ThreadPoolExecutor(1)


class Schedule:
    """Does what `plan` says, piece by piece, and tells of it.

    ``plan()`` gives (values, pieces of work); ``work(piece, tick)`` a result, calling
    ``tick(share)`` often, which raises to stop it; ``show(results, values, count)`` has those of
    the `count` results that are there; ``fail(error)`` an error; ``progress(share)`` the share that
    is done, once it takes a while, and at the end None. All but `work` are called in the thread of
    the event loop.
    """

    def __init__(self, plan, work, show, fail, progress):
        self._plan, self._work, self._show = plan, work, show
        self._fail, self._progress = fail, progress
        self._move, self._task = _Move(), None

    def moved(self):
        """The values have changed: stop what is under way, and do what the plan says now."""
        hurried = self._task is not None and not self._task.done()
        self._move.stopped.set()
        try:
            loop = asyncio.get_running_loop()
        # a plain script has no event loop, and nobody who could move a control meanwhile
        except RuntimeError:
            self.now()
            return
        self._move = _Move()
        self._task = loop.create_task(self._soon(SETTLE if hurried else 0, self._move))

    def now(self):
        """Do what the plan says before this returns."""
        try:
            values, pieces = self._plan()
            results = [self._work(piece, lambda share: None) for piece in pieces]
            self._show(results, values, len(pieces))
        except Exception as error:
            self._fail(error)

    async def _soon(self, pause, move):
        await asyncio.sleep(pause)
        try:
            if not move.stopped.is_set():
                await self._carry_out(move)
        except Exception as error:
            if not move.stopped.is_set():
                self._fail(error)
        finally:
            if not move.stopped.is_set():
                self._progress(None)

    async def _carry_out(self, move):
        results = []
        values, pieces = self._plan()
        do = self._in_the_worker if threads_work() else self._in_this_thread
        for piece in pieces:
            tell = lambda share: self._progress((len(results) + share) / len(pieces))  # noqa: E731
            results.append(await do(piece, move, tell))
            if move.stopped.is_set():
                return
            # The first results need not wait for the last.
            if len(results) == len(pieces) or move.is_long():
                self._show(results, values, len(pieces))

    async def _in_the_worker(self, piece, move, tell):
        def work():
            return None if move.stopped.is_set() else self._work(piece, move.tick)

        move.share = 0.0
        under_way = asyncio.get_running_loop().run_in_executor(WORKER, work)
        while not (await asyncio.wait({under_way}, timeout=LOOK))[0]:
            if move.is_long() and not move.stopped.is_set():
                tell(move.share)
        return under_way.result()

    async def _in_this_thread(self, piece, move, tell):
        def tick(share):
            if move.is_long():
                tell(share)

        await asyncio.sleep(0)  # newer values may come before each piece, not within one
        return None if move.stopped.is_set() else self._work(piece, tick)


class _Move:
    """Work under way: stopped from the loop's thread, told of from the worker's."""

    def __init__(self):
        self.stopped, self.share, self.began = threading.Event(), 0.0, time.monotonic()

    def is_long(self):
        """Whether a reader has waited long enough to be shown something."""
        return time.monotonic() - self.began > PATIENCE

    def tick(self, share):
        """Note the share of a piece of work that is done, and stop it if newer values have come."""
        self.share = share
        if self.stopped.is_set():
            raise InterruptedError("newer values came")
