"""load_table: the same table in each dress it is published in, read back exactly; and what is
refused."""

import gzip
import io
import tarfile
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import miaedu as mia

rng = np.random.default_rng(0)
CODES = rng.integers(1, 31, 60)
BITS = rng.integers(0, 2, (60, 12))


def as_text(y, X, quote=""):
    return "".join(
        f"{quote}{code}{quote}," + ",".join(map(str, row)) + "\n" for code, row in zip(y, X)
    ).encode()


def archive(path, files, mode="w:gz"):
    """A tar archive of files, (name, content) each, or of ready-made members."""
    with tarfile.open(path, mode) as tar:
        for name, content in files:
            member = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def is_the_table(found, y=CODES, X=BITS):
    assert found.X.dtype == np.float32 and (found.X == X).all()
    assert [int(found.class_names[code]) for code in found.y] == list(y)


DRESSES = {
    "bangkok": lambda path: path.write_bytes(as_text(CODES, BITS, '"')),
    "a.csv": lambda path: path.write_bytes(as_text(CODES, BITS)),
    "windows.csv": lambda path: path.write_bytes(as_text(CODES, BITS).replace(b"\n", b"\r\n")),
    "no_newline.csv": lambda path: path.write_bytes(as_text(CODES, BITS).rstrip()),
    "a.csv.gz": lambda path: path.write_bytes(gzip.compress(as_text(CODES, BITS))),
    "a.tgz": lambda path: archive(path, [("dataset", as_text(CODES, BITS))]),
    "a.tar": lambda path: archive(path, [("b/dataset", as_text(CODES, BITS))], "w"),
    "pair.tgz": lambda path: archive(
        path,
        [
            ("texas/100/labels", "".join(f"{code}\n" for code in CODES).encode()),
            ("texas/100/feats", b"".join(b",".join(b"%d" % v for v in r) + b"\n" for r in BITS)),
            ("texas/._feats", b"a Mac's notes"),
        ],
    ),
}


@pytest.mark.parametrize("name", DRESSES)
def test_the_same_table_is_read_from_every_dress(name, tmp_path):
    DRESSES[name](tmp_path / name)
    before = sorted(tmp_path.rglob("*"))
    found = mia.load_table(tmp_path / name)
    is_the_table(found)
    assert found.name == name.partition(".")[0] and found.repeats
    assert sorted(tmp_path.rglob("*")) == before, "nothing is unpacked"


def test_it_says_what_it_found(tmp_path):
    path = tmp_path / "shops.csv"
    path.write_text("".join(f"{i % 2 + 5},{i % 3},0.5\n" for i in range(7)))
    found = mia.load_table(path)
    assert found.story == (
        "Read from shops.csv: 7 records of 2 features, numbers; 2 classes, of 3 to 4 records."
    )
    assert found.class_names == ("5", "6") and not found.repeats


@given(
    arrays.arrays(
        np.float32,
        st.tuples(st.integers(2, 5), st.integers(1, 4)),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
    ),
    st.lists(st.integers(-9, 10**6), min_size=5, max_size=5),
)
def test_numbers_come_back_as_they_were(tmp_path_factory, X, y):
    y = [y[0], y[0] + 1, *y[2:]][: len(X)]
    path = tmp_path_factory.mktemp("any") / "any.csv"
    rows = ([code, *map(float, row)] for code, row in zip(y, X))
    path.write_text("".join(",".join(map(repr, row)) + "\n" for row in rows))
    is_the_table(mia.load_table(path), y, X)


def test_some_records_are_drawn_at_random_and_the_same_ones_again(tmp_path):
    DRESSES["a.tgz"](path := tmp_path / "a.tgz")
    some = mia.load_table(path, n_records=25, random_state=1)
    assert len(some) == 25
    assert {row.tobytes() for row in some.X} <= {row.tobytes() for row in BITS.astype(np.float32)}
    assert (some.X == mia.load_table(path, n_records=25, random_state=1).X).all()
    assert (some.X != mia.load_table(path, n_records=25, random_state=2).X).any()
    for wrong in (1, 61, 2.5):
        with pytest.raises(ValueError, match="n_records must be a whole number"):
            mia.load_table(path, n_records=wrong)


def test_an_attack_runs_on_such_a_table(tmp_path):
    shops = mia.load_purchases(n_records=800, random_state=0)
    path = tmp_path / "copy.csv"
    path.write_bytes(as_text(shops.y + 1, shops.X.astype(int)))
    world = mia.split(mia.load_table(path), n_members=200, random_state=0, duplicates="allow")
    target = mia.MLP(random_state=0).fit(*world.members)
    shadows = mia.ShadowModels(mia.MLP(), n_models=4, random_state=1).fit(*world.pool)
    report = mia.evaluate(mia.ShadowAttack().fit(shadows), mia.BlackBox(target), world)
    assert report.interval("auc")[0] > 0.6


def test_whole_numbers_are_held_as_bytes_while_they_are_read(tmp_path):
    path = tmp_path / "large.csv"
    bits = rng.integers(0, 2, (20_000, 100))
    path.write_bytes(as_text(np.arange(20_000) % 5, bits))
    tracemalloc.start()
    try:
        found = mia.load_table(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # The table as float32 and as bytes make 1.25 of it, and a second copy of bytes 1.5.
    assert peak < 2 * found.X.nbytes


# What is refused


def is_refused(path, what):
    with pytest.raises(ValueError, match="^path must be a table of numbers") as refusal:
        mia.load_table(path)
    assert what in str(refusal.value), refusal.value


def link(name, target, kind=tarfile.SYMTYPE):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, str(target)
    return member, b""


TABLE = as_text(CODES, BITS)
BAD = {
    "a header": (b"class,a,b\n1,0,1\n2,1,1\n", "'class' in row 1, column 1"),
    "text": (b"1,0,1\n2,x,1\n", "'x' in row 2, column 2"),
    "a missing value": (b"1,0,1\n2,,1\n", "'' in row 2, column 2"),
    "nan": (b"1,0,1\n2,nan,1\n", "'nan' in row 2, column 2"),
    "infinity": (b"1,0,1\n2,1e40,1\n", "'1e40' in row 2, column 2"),
    "a short row": (b"1,0,1\n2,1\n", "2 columns in row 2, but 3 before"),
    "a short row far down": (b"1,0,1\n2,0,1\n" * 600 + b"2,1\n", "2 columns in row 1201, but 3"),
    "a blank line": (b"1,0,1\n\n2,1,1\n", "0 columns in row 2, but 3 before"),
    "half a class": (b"1,0,1\n1.5,1,1\n", "1.5 as the class in row 2"),
    "a class beyond float32": (b"1,0,1\n16777218,1,1\n", "1.67772e+07 as the class in row 2"),
    "a single class": (b"1,0,1\n1,1,1\n", "one class alone, 1"),
    "a single column": (b"1\n2\n", "leaves no feature"),
    "nothing": (b"", "is empty"),
    "semicolons": (b"1;0;1\n2;1;1\n", "'1;0;1' in row 1, column 1"),
    "another encoding": (b"1,0,\xff\xfe\n2,0,1\n", "damaged, or of another kind"),
    "a zip file": (
        b"PK\x03\x04\x14\x00\x00\x00\x08\x00\xff\xfe\x80",
        "damaged, or of another kind",
    ),
    "half a gzip file": (gzip.compress(TABLE)[:-20], "damaged, or of another kind"),
    "a damaged gzip file": (
        gzip.compress(TABLE)[:30] + b"????" + gzip.compress(TABLE)[34:],
        "damaged, or of another kind",
    ),
    "a line without end": (b"1" * (2**20 + 1), "a line of more than 1,048,576 characters"),
    "a pickle": (b"\x80\x04\x95\x10\x00\x00\x00", "damaged, or of another kind"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_does_not_fit_is_refused_with_what_is_wrong(name, tmp_path):
    content, what = BAD[name]
    (path := tmp_path / "bad").write_bytes(content)
    is_refused(path, what)


ARCHIVES = {
    "two files": ([("a", TABLE), ("b", TABLE)], "holds a, b, not one file"),
    "no file": ([], "holds no file"),
    "a link out of the archive": ([link("data", "/etc/passwd")], "holds no file"),
    "a hard link": ([link("data", "../secret", tarfile.LNKTYPE)], "holds no file"),
    "feats alone in their folder": (
        [("a/feats", TABLE), ("b/labels", b"1\n")],
        "holds a/feats, b/labels, not one file",
    ),
    "labels that are too few": (
        [("feats", TABLE), ("labels", b"1\n2\n")],
        "60 rows in feats, but 2",
    ),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_that_does_not_fit_is_refused(name, tmp_path):
    files, what = ARCHIVES[name]
    is_refused(archive(tmp_path / "bad.tgz", files), what)


def test_a_file_that_points_out_of_its_archive_is_read_and_written_nowhere(tmp_path):
    (home := tmp_path / "home").mkdir()
    path = archive(home / "evil.tgz", [("../../escaped.csv", TABLE)])
    is_the_table(mia.load_table(path))
    assert sorted(tmp_path.rglob("*")) == [home, path]


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        mia.load_table(tmp_path / "nowhere.csv")
    with pytest.raises(IsADirectoryError):
        mia.load_table(tmp_path)
