"""How long a reader waits, in JupyterLab in Chromium: from a key press to new pixels, and for the
notebooks; and what a move costs from Results to markup.

    pip install -e ".[test]"
    python tests/benchmarks/slider_latency.py     about ten minutes
    --moves 10: fewer moves a knob (50); --only knobs, markup or notebook; --json FILE
    --knob "low FPR" --knob hiding: these alone

A move is one key press on an explorer's control. The clock runs from the time stamp of the key's
event until a frame with the new picture has been drawn: until the callback of the next frame, so
rather too late than too early, by at most a frame of 17 ms.

    first    until anything new is to be seen: the progress bar or a picture
    final    until the last picture of the move; where experiments are repeated, an explorer shows
             the first ones before

Every move is a first visit: before it, all but the records, networks and attacks of the position
shown is dropped from the stage cache. So a knob that retrains does retrain, and one that does not
still fits its attack and draws.

The markup is what a live figure makes of Results that are there: moving artists set, and drawn.

Then each notebook is run from a fresh kernel: Run All until the last cell is done, and the most
memory that its kernel ever held (VmHWM, in MB of 10^6 bytes; where there is no /proc, n/a). Nothing
is asserted: times depend on the machine and on what else it does.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from common import machine, table

sys.path.insert(0, str(Path(__file__).parents[1]))
from browser import ask_kernel, explorer, open_notebook, run_all, script, settle
from test_browser import write_notebook

from miaedu.explorers import EXPLORERS as EXPLORERS_OF_THE_COURSE
from miaedu.explorers.page import options

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("0[0-7]*.ipynb"))
STILL = {"median": 65, "95 %": 180}  # ms; reach of the final picture where no network is trained
MARKUP = 6  # ms
TRAINED = {"first": 200, "median": 800}
KNOBS = {  # what is moved: (explorer, its controls, reach)
    "hiding": (
        "confidence_hiding",
        ("top_k", "rounded", "softened", "noisy", "labels_only"),
        STILL | {"median": 90},
    ),
    "base rate": ("base_rate", ("share",), STILL),
    "threshold": ("threshold", ("threshold",), STILL),
    "epochs without noise": ("overfitting", ("epochs",), STILL),
    "shadow count": ("shadow_count", ("n_shadows",), TRAINED),
    "noise": ("dp_noise", ("noise_multiplier",), TRAINED),
    "number of records": ("overfitting", ("n_members",), TRAINED),
    "network size": ("overfitting", ("hidden",), TRAINED),
    # from its default to the next position and back
    "shadow count, calibrated": ("calibrated", ("n_shadows",), {"median": 900}),
    "low FPR": ("low_fpr", ("n_shadows",), {"median": 1500}),
    "one record": ("one_record", ("place",), {"median": 100}),
}
NEAR = ("calibrated", "low_fpr")  # whose other positions train many more networks
MADE = {"calibrated": "mia.shadow_count()\ncalibrated.controls['attack'].label = 'calibrated'"}
EXPLORERS = list(dict.fromkeys(name for name, _, _ in KNOBS.values()))
SETUP = """\
import miaedu as mia
from miaedu.cache import cache
def first_visit(explorer):
    with cache.lock:
        cache.kept["mark"] = None, 0
        for key in [key for key in cache.kept if key[0].startswith(("stop_", "fit_"))]:
            cache.bytes -= cache.kept.pop(key)[1]
    # what this position needs comes to the end of the cache, behind the mark
    for result in explorer.results:
        mia.run(result.experiment)
    with cache.lock:
        if "mark" in cache.kept:  # else the position alone has filled the cache
            while (key := next(iter(cache.kept))) != "mark":
                cache.bytes -= cache.kept.pop(key)[1]
            del cache.kept["mark"]"""
WATCH = script("watch")
KEY = script("to_and_fro")
FIRST_EXPLORER = script("first_explorer")


class Bench:
    """The options and the findings; Lab and browser come from the tests' fixtures, so pytest runs
    what is measured."""

    def __init__(self, moves, chosen):
        self.moves, self.chosen, self.knobs, self.notebooks, self.markup = moves, chosen, {}, {}, {}

    @pytest.fixture
    def bench(self):
        return self


def test_knobs(bench, page, lab):
    write_notebook(
        lab.folder / "zz_latency.ipynb",
        SETUP,
        *(f"{name} = {MADE.get(name, f'mia.{name}()')}\n{name}" for name in EXPLORERS),
    )
    open_notebook(page, lab, "zz_latency.ipynb")
    run_all(page)
    for knob in bench.chosen:
        name, controls, _ = KNOBS[knob]
        box = explorer(page, EXPLORERS.index(name))
        if not box.locator(f".miaedu-{controls[0]}").is_visible():
            box.get_by_text("more", exact=True).click()
        box.evaluate(WATCH)
        took = []
        for control in controls:
            if name not in MADE:
                # beside a stricter one, a control may change nothing
                box.get_by_role("button", name="Reset").click()
            settle(box, 0.5)
            moves = -(-bench.moves // len(controls))
            if name in NEAR:
                keys = ("ArrowRight", "ArrowLeft") * (moves // 2)
                took += [move(page, box, name, control, key) for key in keys]
            else:
                took += [move(page, box, name, control) for _ in range(moves)]
        bench.knobs[knob] = {kind: [one[kind] for one in took] for kind in ("first", "final")}
        print(
            knob,
            {kind: round(float(np.median(all_)), 1) for kind, all_ in bench.knobs[knob].items()},
            flush=True,
        )


def move(page, box, name, control, key=None):
    """Press one key on a control, on a first visit; ms until the first and the final picture."""
    handle = box.locator(f".miaedu-{control} :is(.noUi-handle, input[type=checkbox])")
    settle(box, 0.25)
    ask_kernel(page, f"first_visit({name})")
    handle.press(key or handle.evaluate(KEY))
    page.wait_for_function("watch.final")
    settle(box, 0.25)
    return page.evaluate("({first: watch.first, final: watch.final})")


def test_markup(bench):
    for make in EXPLORERS_OF_THE_COURSE:
        explorer, took = make(), []
        knob = next(iter(explorer.controls))
        for _, value in options(explorer.controls[knob]):
            explorer.show(explorer.values() | {knob: value})
            for _ in range(5):
                start = time.perf_counter()
                explorer.figure.update(explorer.results, explorer.values() | {knob: value})
                parts = explorer.figure.parts()
                took.append(1000 * (time.perf_counter() - start))
        size = sum(map(len, parts.values())) / 1000
        bench.markup[make.__name__] = {"ms": float(np.median(took)), "kB": size}
        print(make.__name__, bench.markup[make.__name__], flush=True)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path, bench, page, lab):
    open_notebook(page, lab, path.name)
    page.evaluate(FIRST_EXPLORER)
    start = time.perf_counter()
    run_all(page, 300)
    took = time.perf_counter() - start
    status = Path("/proc", ask_kernel(page, "import os; print(os.getpid())").strip(), "status")
    lines = status.read_text().splitlines() if status.exists() else []
    peak = [int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM")] or [
        float("nan")
    ]
    first = page.evaluate("window.firstExplorer ?? NaN")
    bench.notebooks[path.stem] = {"seconds": took, "peak_mb": peak[0], "first_explorer": first}
    print(path.stem, bench.notebooks[path.stem], flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=50)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--knob", action="append", choices=KNOBS, help="of the knobs, this alone")
    parser.add_argument("--only", choices=("knobs", "markup", "notebook"))
    chosen = parser.parse_args()
    bench, before = Bench(chosen.moves, chosen.knob or list(KNOBS)), machine()
    only = ["-k", f"test_{chosen.only}"] if chosen.only else []
    failed = pytest.main(
        [__file__, "-s", "-q", "--override-ini=addopts=", "-p", "no:cacheprovider", *only],
        plugins=[bench],
    )

    rows = []
    for knob, took in bench.knobs.items():
        reach = KNOBS[knob][2]
        (first, late), (final, last) = (
            np.percentile(took[kind], (50, 95)) for kind in ("first", "final")
        )
        rows.append(
            [
                knob,
                len(took["final"]),
                first,
                late,
                reach.get("first"),
                final,
                reach["median"],
                last,
                reach.get("95 %"),
            ]
        )
    print("\nms from key press to pixels")
    print(
        table(["knob", "moves", "first", "95 %", "reach", "final", "reach", "95 %", "reach"], rows)
    )
    print("\nfrom Results to markup")
    rows = [[name, cost["ms"], MARKUP, cost["kB"]] for name, cost in bench.markup.items()]
    print(table(["explorer", "ms", "reach", "kB"], rows))
    runs = bench.notebooks
    print("\nRun All, from a fresh kernel")
    print(
        table(
            ["notebook", "s", "reach", "peak MB", "reach", "first explorer s", "reach"],
            [
                *(
                    [
                        name,
                        run["seconds"],
                        None,
                        run["peak_mb"],
                        450,
                        run["first_explorer"],
                        5 if name.startswith("00") else None,
                    ]
                    for name, run in runs.items()
                ),
                [
                    "together",
                    sum(run["seconds"] for run in runs.values()),
                    150,
                    None,
                    None,
                    None,
                    None,
                ],
            ],
        )
    )
    found = {
        "machine": {"before": before, "after": machine()},
        "knobs": bench.knobs,
        "markup": bench.markup,
        "notebooks": runs,
        "reach": {knob: reach for knob, (_, _, reach) in KNOBS.items()},
    }
    print(json.dumps(found["machine"]))
    (chosen.json.write_text if chosen.json else print)(json.dumps(found))
    return failed


if __name__ == "__main__":
    sys.exit(main())
