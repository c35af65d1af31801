"""What printing a Report costs, from a thousand records to a million.

    pip install -e ".[bench]"
    python tests/benchmarks/report_size.py       a quarter of a minute
    --records 1000 50000: other sizes; --json FILE: JSON into a file

Scores are normal, a standard deviation apart, and half of the records are members. Each size is
printed in a fresh process: CPU seconds of the printing, with all intervals and without baselines,
and the most memory that the process ever held beyond what it held before, in MB of 10^6 bytes
(where there is no /proc, n/a). Nothing is asserted.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
from common import fresh, machine, peak_megabytes, table

from miaedu import Report

SIZES = (1_000, 10_000, 100_000, 1_000_000)


def measured(n):
    """One size, in this process."""
    rng, members = np.random.default_rng(0), np.arange(n) < n // 2
    scores = rng.normal(size=n) + members
    report = Report("bells", scores, members, np.zeros(n), members, 0.5)
    before, start = peak_megabytes(), time.process_time()
    str(report)
    seconds = time.process_time() - start
    return {"records": n, "cpu_seconds": seconds, "megabytes": peak_megabytes() - before}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", nargs="+", type=int, default=SIZES)
    parser.add_argument("--json", type=Path, help="write the rows there too")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measured(given.one)))
        return
    rows = [fresh(__file__, "--one", n) for n in given.records]
    print(table(list(rows[0]), [list(row.values()) for row in rows]), file=sys.stdout)
    if given.json:
        given.json.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
