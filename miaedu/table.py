"""load_table: a reader's own copy of a published table, from a file that nobody has vouched for."""

import csv
import gzip
import io
import tarfile
import zlib
from contextlib import contextmanager
from itertools import islice
from numbers import Integral
from pathlib import Path, PurePosixPath

import numpy as np
from sklearn.utils import check_random_state

from .checks import check_number
from .dataset import Dataset

ROWS = 1000  # read at a time
LONGEST = 2**20  # characters of a line: a table of the paper has 12,000
LARGEST = 2**30  # numbers of a table: 4 GB once they are float32
FLOAT32 = float(np.finfo(np.float32).max)
EXACT = 2**24  # from here on float32 has not every whole number
DAMAGE = EOFError, OSError, zlib.error, tarfile.TarError, UnicodeDecodeError


def load_table(path, n_records=None, random_state=None):
    """Read a table without a header whose first column is the class: a CSV file, as it is or as
    .gz, .tar or .tar.gz, such as the public copies of the paper's Purchase and Location data.

    >>> import miaedu as mia, tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "shops.csv")
    >>> written = path.write_text('"7",0,1,1\\n"9",1,0,1\\n"7",1,1,0\\n')
    >>> shops = mia.load_table(path)
    >>> shops
    Dataset 'shops': 3 records, 3 features, 2 classes
    >>> print(shops.story)
    Read from shops.csv: 3 records of 3 features, all of them 0 or 1; 2 classes, of 1 to 2 records.

    An archive holds one file, or two named ``feats`` and ``labels`` (as the Texas data are
    published), the latter a class a line. It is read where it lies: nothing is unpacked onto the
    disk, and nothing in it is run. `n_records`: keep so many, drawn with `random_state`; all by
    default. The `story` says what was found. Returns a :class:`Dataset`.

    Raises ValueError for a file that is none of these, is damaged, or holds a row that does not
    fit: a header, text, a missing value, another number of columns, a class that is not a whole
    number of at most 2**24; for more than 2**30 numbers; and FileNotFoundError.
    """
    path = Path(path)
    try:
        with _opened(path) as (table, labels):
            rows = _rows(path, table)
            if labels is None:
                y, X = rows[:, 0], rows[:, 1:]
            else:
                y, X = _rows(path, labels)[:, 0], rows
    except DAMAGE as error:
        if isinstance(error, FileNotFoundError | IsADirectoryError | PermissionError):
            raise
        raise _refusal(path, f"is damaged, or of another kind ({error})") from None
    if len(y) != len(X):
        raise _refusal(path, f"has {len(X)} rows in feats, but {len(y)} in labels")
    if X.shape[1] == 0:
        raise _refusal(path, "has a single column, which leaves no feature beside the class")
    odd = np.flatnonzero((y != np.round(y)) | (np.abs(y.astype(float)) > EXACT))
    if len(odd):
        raise _refusal(path, f"has {y[odd[0]]:g} as the class in row {odd[0] + 1}")
    if n_records is not None:
        check_number("n_records", n_records, Integral, 2, len(y))
        chosen = check_random_state(random_state).choice(len(y), n_records, replace=False)
        X, y = X[np.sort(chosen)], y[np.sort(chosen)]
    classes, codes, counts = np.unique(y.astype(int), return_inverse=True, return_counts=True)
    if len(classes) < 2:
        raise _refusal(path, f"has one class alone, {classes[0]}")
    whole = bool((X == np.round(X)).all()) if X.dtype != np.uint8 else True
    kind = "all of them 0 or 1" if X.min() >= 0 and X.max() <= 1 and whole else "numbers"
    name = path.name.partition(".")[0] or path.name
    return Dataset(
        name,
        X,
        codes,
        tuple(f"feature {j}" for j in range(X.shape[1])),
        tuple(map(str, classes)),
        story=(
            f"Read from {path.name}: {len(y):,} records of {X.shape[1]:,} features, {kind}; "
            f"{len(classes)} classes, of {counts.min():,} to {counts.max():,} records."
        ),
        repeats=whole,
    )


def _refusal(path, what):
    return ValueError(
        f"path must be a table of numbers without a header, its first column the class, as CSV, "
        f".gz, .tar or .tar.gz; {path.name} {what}"
    )


@contextmanager
def _opened(path):
    """The text of the table, and that of its labels where they are a file of their own."""
    with path.open("rb") as file:
        start = file.read(2)
    opener = gzip.open if start == b"\x1f\x8b" else open
    with opener(path, "rb") as plain:
        archived = tarfile.is_tarfile(path)
        if not archived:
            yield io.TextIOWrapper(plain, "utf-8"), None
    if archived:
        with tarfile.open(path) as archive:
            yield _of_archive(path, archive)


def _of_archive(path, archive):
    # Links and devices are passed over, and a name is never used as a path.
    files = {
        PurePosixPath(member.name): member
        for member in archive
        if member.isfile() and not PurePosixPath(member.name).name.startswith(".")
    }
    open_text = lambda member: io.TextIOWrapper(archive.extractfile(member), "utf-8")  # noqa: E731
    if len(files) == 1:
        return open_text(*files.values()), None
    pairs = [name.parent for name in files if name.name == "feats"]
    if len(pairs) == 1 and pairs[0] / "labels" in files:
        return tuple(open_text(files[pairs[0] / name]) for name in ("feats", "labels"))
    names = ", ".join(map(str, islice(files, 5))) or "no file"
    raise _refusal(path, f"holds {names}, not one file or one pair of feats and labels")


def _rows(path, text):
    """The rows of numbers (n, d): uint8 where all are whole numbers up to 255, else float32."""
    parts, first, width = [], 1, None
    lines = iter(lambda: text.readline(LONGEST + 1), "")
    while some := list(islice(lines, ROWS)):
        if max(map(len, some)) > LONGEST:
            raise _refusal(path, f"has a line of more than {LONGEST:,} characters")
        part = _numbers(path, some, first, width)
        first, width = first + len(some), part.shape[1]
        if first * width > LARGEST:
            raise _refusal(path, f"holds more than {LARGEST:,} numbers")
        parts.append(part)
    if not parts:
        raise _refusal(path, "is empty")
    small = all(part.dtype == np.uint8 for part in parts)
    rows = np.empty((first - 1, width), np.uint8 if small else np.float32)
    end = 0
    for i, part in enumerate(parts):
        rows[end : end + len(part)], parts[i] = part, None
        end += len(part)
    return rows


def _numbers(path, lines, first, width):
    """Some lines as numbers (m, d), in a type as small as will do."""
    try:
        table = np.loadtxt(lines, delimiter=",", quotechar='"', comments=None, ndmin=2)
        fits = table.shape == (len(lines), width or table.shape[1])
    except ValueError:
        fits = False
    if not fits or not (np.abs(table) <= FLOAT32).all():
        raise _refusal(path, _misfit(lines, first, width))
    small = (table >= 0).all() and (table <= 255).all() and (table == np.round(table)).all()
    return table.astype(np.uint8 if small else np.float32)


def _misfit(lines, first, width):
    """What is wrong with the first line that does not fit."""
    for number, line in enumerate(lines, first):
        values = next(csv.reader([line]), [])
        width = width or len(values)
        if len(values) != width:
            return f"has {len(values)} columns in row {number}, but {width} before"
        for column, value in enumerate(values, 1):
            try:
                fine = abs(float(value)) <= FLOAT32
            except ValueError:
                fine = False
            if not fine:
                return f"has {value[:40]!r} in row {number}, column {column}"
    return f"cannot be read from row {first} on"
