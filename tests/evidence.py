"""Measures that take minutes to make, kept in evidence.json with the settings of each: tests marked
``evidence`` make them again, others read them, and slow ones make one of them again."""

import json
from pathlib import Path

import numpy as np
import sklearn

FILE = Path(__file__).with_name("evidence.json")


def kept(name, settings):
    """What is kept under a name; it must have been made with these `settings`."""
    found = _read()[name]
    assert found["settings"] == json.loads(json.dumps(settings)), (
        f"{name}: evidence.json was made with other settings; run pytest -m evidence"
    )
    return found["found"]


def keep(name, settings, found):
    """Write what was `found` into the file, rounded, beside the other entries."""
    versions = {module.__name__: module.__version__ for module in (np, sklearn)}
    entry = {"versions": versions, "settings": settings, "found": _rounded(found)}
    text = json.dumps(_read() | {name: entry}, indent=1)
    FILE.write_text(text + "\n", encoding="utf-8")


def _read():
    return json.loads(FILE.read_text(encoding="utf-8"))


def _rounded(found):
    if isinstance(found, dict):
        return {name: _rounded(value) for name, value in found.items()}
    if isinstance(found, (list, tuple)):
        return [_rounded(value) for value in found]
    return None if found is None else round(float(found), 5)
