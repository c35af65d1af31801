"""save_page without a browser: the frames of a page are the runs of its slider."""

import json
import re
from html import unescape

import pytest

import miaedu as mia
from miaedu.explorers.overfitting import EPOCHS


@pytest.fixture(scope="module")
def explorer():
    return mia.overfitting()


def frames(page):
    return json.loads(
        re.search(r'<script type="application/json" id="frames">(.*?)</script>', page)[1]
    )


def test_each_frame_is_what_the_explorer_shows_there(explorer, tmp_path):
    explorer.controls["epochs"].value = 8
    page = mia.save_page(explorer, tmp_path / "page.html").read_text(encoding="utf-8")
    assert len(page.encode()) <= 300_000
    found = frames(page)
    assert [frame["value"] for frame in found] == [str(epochs) for epochs in EPOCHS]
    for frame, epochs in zip(found, EPOCHS, strict=True):
        explorer.controls["epochs"].value = epochs
        assert explorer.results[0].experiment.epochs == epochs
        assert frame["words"] == explorer.words and frame["numbers"] == explorer.numbers
        assert frame["parts"] == explorer.frame["parts"], "all epochs were tried before"
        assert frame["code"] == explorer.code
    assert len({json.dumps(frame["parts"]) for frame in found}) == len(EPOCHS)


def test_a_page_opens_where_the_explorer_stood_and_leaves_it_there(explorer, tmp_path):
    explorer.controls["epochs"].value = 12
    page = mia.save_page(explorer, tmp_path / "page.html", title="a < b").read_text(
        encoding="utf-8"
    )
    knob = re.search(r"<input[^>]*>", page)[0]
    start, last = (int(re.search(rf'{name}="(\d+)"', knob)[1]) for name in ("value", "max"))
    assert last == len(EPOCHS) - 1 and EPOCHS[start] == 12
    assert explorer.values()["epochs"] == 12 and explorer.words.startswith("After 12 epochs")
    assert explorer.picture in page, "there is a picture before any script runs"
    assert explorer.code in unescape(page)
    assert "<title>a &lt; b</title>" in page
    assert not re.search(r'(?:src|href)="(?!#)', page), "nothing is loaded from elsewhere"
    assert not re.search(r"\$[a-z]+\b", page.split("<script", 1)[0]), "no place is left empty"


def test_another_control_may_move(explorer, tmp_path):
    page = mia.save_page(explorer, tmp_path / "page.html", control="n_members")
    found = frames(page.read_text(encoding="utf-8"))
    assert [frame["value"] for frame in found] == ["100", "200", "300", "500", "1000"]
    assert all(
        f"n_members={frame['value']}" in frame["code"] for frame in found if frame["value"] != "500"
    )


def test_the_axes_of_a_page_may_turn_logarithmic(one_of_each, tmp_path):
    room = one_of_each("control_room")
    room.reset()
    page = mia.save_page(room, tmp_path / "page.html", control="axes").read_text(encoding="utf-8")
    linear, log = frames(page)
    assert (linear["value"], log["value"]) == ("linear", "logarithmic")
    assert log["words"] == f"{linear['words']} The ROC axes are logarithmic."
    floor = "smallest visible FPR: 1/500"
    assert floor in str(log["parts"]) and floor not in str(linear["parts"])
    assert set(log["parts"]) == set(linear["parts"]) and log["code"] == linear["code"]


@pytest.mark.parametrize("control", ["epoch", "labels_only"])
def test_a_control_that_is_no_slider_is_refused(control, tmp_path):
    with pytest.raises(ValueError, match=f"name of a slider among .*noisy.*, got '{control}'"):
        mia.save_page(mia.confidence_hiding(), tmp_path / "page.html", control)
