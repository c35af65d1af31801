"""The check of the environment: each test installs a made-up miaedu beside the real one, for this
process alone."""

import sys

import pytest

from miaedu import data
from miaedu.environment import check_environment


@pytest.fixture
def install(tmp_path, monkeypatch):
    """A function that installs a miaedu with these requirements: all that importlib.metadata reads
    is its METADATA."""

    def installed(*needs, python=">=3.11"):
        lines = [
            "Metadata-Version: 2.1",
            "Name: miaedu",
            "Version: 0.1.0",
            f"Requires-Python: {python}",
        ]
        lines += [f"Requires-Dist: {need}" for need in needs]
        folder = tmp_path / "miaedu-0.1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))
        return tmp_path

    return installed


@pytest.fixture
def clean_data():
    """Data read afresh in this test, and again after it."""
    for load in (data.load_clinic, data.load_census, data._table):
        load.cache_clear()
    yield
    for load in (data.load_clinic, data.load_census, data._table):
        load.cache_clear()


def test_all_is_well_where_every_requirement_is_met(install, clean_data):
    install("numpy>=1.26", "scikit-learn>=1.6", 'a-package-that-is-not-there>=1; extra == "test"')
    found = check_environment()
    assert found.problems == ()
    assert str(found).endswith("All is well.") and "Python 3." in str(found)


@pytest.mark.parametrize(
    "need, said",
    [
        (
            "numpy>=99",
            [
                "numpy must be >=99, found ",
                '-m pip install --upgrade "numpy>=99"',
                "restart the kernel",
            ],
        ),
        (
            "a-package-that-is-not-there>=1",
            ["a-package-that-is-not-there must be >=1, found none", "pip install"],
        ),
        ("a-package-that-is-not-there", ["must be there, found none"]),
    ],
)
def test_a_package_too_old_or_missing_is_named_with_its_remedy(install, need, said):
    install("scipy>=1.0", need)
    found = check_environment()
    assert len(found.problems) == 1 and "This needs mending:" in str(found)
    for fragment in [*said, sys.executable]:
        assert fragment in str(found)


def test_an_old_python_is_named(install):
    install(python=">=3.99")
    assert "Python must be >=3.99, found 3." in str(check_environment())
    assert "install a newer Python" in str(check_environment())


def test_a_kernel_without_miaedu_is_told_how_to_start_the_course(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    found = check_environment()
    assert len(found.problems) == 1
    assert f"is not installed in this kernel's Python, {sys.executable}" in str(found)
    assert "start the course with the command miaedu" in str(found)


def test_another_copy_of_miaedu_is_named(install):
    folder = install()
    (folder / "miaedu").mkdir()
    assert f"but the one installed is in {(folder / 'miaedu').resolve()}" in str(
        check_environment()
    )


def test_damaged_and_missing_data_are_named(install, clean_data, monkeypatch):
    install()
    whole = data._read
    monkeypatch.setattr(
        data, "_read", lambda name: whole(name)[:-1] if name == "clinic.csv.gz" else whole(name)
    )
    found = check_environment()
    assert len(found.problems) == 1
    assert "clinic.csv.gz is not what its datasheet" in str(found) and "reinstall miaedu" in str(
        found
    )


def test_missing_data_are_named(install, clean_data, monkeypatch, tmp_path):
    install()
    monkeypatch.setattr(data, "course", lambda *parts: tmp_path.joinpath(*parts))
    found = check_environment()
    assert "census.csv.gz is missing; reinstall miaedu" in str(found)
    assert len(found.problems) >= 2
