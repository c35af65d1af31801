"""What the benchmarks share: clocks that see child processes, peak memory, what an attack found
out, tables.

Child processes and peak memory are read from /proc. Where there is none (Windows, macOS), CPU times
and memory are nan.
"""

import json
import os
import platform
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve
from threadpoolctl import threadpool_limits

PROC = Path("/proc")


def descendants(pid="self"):
    """Process numbers of all living children of a process, their children, and so on."""
    found = []
    for children in (PROC / str(pid) / "task").glob("*/children"):
        for child in _read(children).split():
            found += [child, *descendants(child)]
    return found


def cpu_seconds():
    """CPU seconds of this process so far, and of its children, living (to 0.01 s) or ended."""
    if not (PROC / "self" / "stat").exists():
        return float("nan")
    own = os.times()
    ticks = 0
    for pid in descendants():
        fields = _read(PROC / pid / "stat").rpartition(")")[2].split()
        # user, system, and both of the process's own ended children
        ticks += sum(map(int, fields[11:15]))
    return (
        time.process_time()
        + own.children_user
        + own.children_system
        + ticks / os.sysconf("SC_CLK_TCK")
    )


def peak_megabytes():
    """The most memory that this process and each of its living children ever held, added up, in MB
    of 10^6 bytes.

    Unlike ``ru_maxrss`` this does not carry over from the process that started this one.
    """
    status = [_read(PROC / pid / "status") for pid in ("self", *descendants())]
    peaks = [
        int(line.split()[1])
        for text in status
        for line in text.splitlines()
        if line.startswith("VmHWM")
    ]
    return sum(peaks) * 1024 / 1e6 if peaks else float("nan")


def _read(path):
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):  # it ended in the meantime
        return ""


class Stopwatch:
    """Wall and CPU seconds by phase. The time of a phase within another counts for the inner one
    alone."""

    def __init__(self):
        self.phases, self._inner = {}, []

    @contextmanager
    def __call__(self, phase):
        start = np.array([time.perf_counter(), cpu_seconds()])
        self._inner.append(np.zeros(2))
        yield
        spent = np.array([time.perf_counter(), cpu_seconds()]) - start
        inner = self._inner.pop()
        if self._inner:
            self._inner[-1] += spent
        self.phases[phase] = self.phases.get(phase, np.zeros(2)) + spent - inner


def matrix_rate(n=2048, repeats=7):
    """Float32 operations a CPU second of one thread in the product of two n x n matrices, the best
    of several."""
    a, b = np.random.default_rng(0).random((2, n, n), np.float32)
    out, best = np.empty_like(a), np.inf
    with threadpool_limits(1):
        for _ in range(repeats):
            start = time.process_time()
            np.matmul(a, b, out=out)
            best = min(best, time.process_time() - start)
    return 2 * n**3 / best


def leak(scores, n_members):
    """AUC, and the largest TPR at an FPR of at most 1 %, from an attack's scores of the members,
    then of the others."""
    truth = np.arange(len(scores)) < n_members
    fpr, tpr, _ = roc_curve(truth, scores, drop_intermediate=False)
    return roc_auc_score(truth, scores), tpr[fpr <= 0.01].max()


def fresh(script, *arguments, **environment):
    """Run a script in a fresh interpreter; what it printed, from JSON. Its warnings and errors go
    where ours go."""
    command = [sys.executable, str(script), *map(str, arguments)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, check=True, text=True, env=os.environ | environment
    )
    return json.loads(done.stdout)


def import_seconds(statements, repeats=11):
    """The median wall seconds of a fresh interpreter that runs one statement and ends, for each of
    them, in turns."""
    took = {statement: [] for statement in statements}
    for _ in range(repeats + 1):
        for statement in statements:
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], check=True)
            took[statement].append(time.perf_counter() - start)
    # the first fills the disk cache
    return {statement: float(np.median(runs[1:])) for statement, runs in took.items()}


def machine():
    """What the numbers were measured on."""
    import scipy
    import sklearn

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    versions = {
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
    }
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": round(load, 2),
        **versions,
    }


def table(header, rows):
    """Rows of text and numbers under their header, in columns; nan is n/a."""
    cells = [list(header), *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    sides = ["<", *">" * (len(widths) - 1)]
    lines = [
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths))
        for row in cells
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _cell(value):
    if not isinstance(value, float):
        return "" if value is None else str(value)
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 3
    return "n/a" if np.isnan(value) else f"{value:,.{digits}f}"
