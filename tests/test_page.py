"""save_page without a browser: the frames of a page are the runs of its control, and what was tried
grows on it as on an explorer."""

import json
import re
from html import unescape

import numpy as np
import pytest
from course import each, each_explorer
from PIL import Image

import miaedu as mia
from miaedu.explorers.overfitting import EPOCHS
from miaedu.explorers.page import options

MARKER = re.compile(r'<use [^>]*?x="([-\d.]+)" y="([-\d.]+)"')
NUMBER = re.compile(r"-?\d+\.\d+")
REMEMBER = {
    "overfitting": "epochs",
    "shadow_count": "attack",
    "dp_noise": "noise_multiplier",
    "control_room": "epochs",
    "low_fpr": "attack",
}


@pytest.fixture(scope="module")
def explorer():
    return mia.overfitting()


@pytest.fixture
def save(tmp_path):
    """A function that saves a page and returns its text and its data."""

    def saved(explorer, *arguments, **how):
        path = mia.save_page(explorer, tmp_path / "page.html", *arguments, progress=False, **how)
        return read(path)

    return saved


def read(path):
    page = path.read_text(encoding="utf-8")
    return page, json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', page)[1]
    )


def show_anew(explorer, *visits):
    """Show settings one after another, as an explorer that has shown nothing before; the parts of
    its picture."""
    explorer.figure.tried = type(explorer.figure.tried)()
    for values in visits:
        explorer.show(values)
    return explorer.frame["parts"]


def markers(markup):
    return {(round(float(x), 2), round(float(y), 2)) for x, y in MARKER.findall(markup)}


def on_the_page(data, visited, preset=0):
    """The markers on the lines that grow, after frames of these numbers were shown."""
    now, before = data["frames"][visited[-1]], set(visited[:-1]) - {visited[-1]}
    lines = {}
    for gid in data["lines"]:
        left = [data["frames"][frame]["left"][preset].get(gid, []) for frame in before]
        texts = [*now["points"][gid], *(text for texts in left for text in texts)]
        lines[gid] = {tuple(map(float, text.split())) for text in texts}
    return lines


def alike(markup, other):
    """Whether two pieces of SVG are the same but for less than a fiftieth of a pixel."""
    without_numbers = [
        re.sub(r"\s", "", NUMBER.sub("", re.sub(r"\.\d+", ".0", text))) for text in (markup, other)
    ]
    if len(set(without_numbers)) > 1:
        return False
    pairs = zip(NUMBER.findall(markup), NUMBER.findall(other), strict=True)
    return all(abs(float(a) - float(b)) < 0.02 for a, b in pairs)


def test_each_frame_is_what_the_explorer_shows_there_that_was_nowhere_else(explorer, save):
    explorer.controls["epochs"].value = 8
    _, data = save(explorer)
    found = data["frames"]
    assert data["fields"] == {"knob": {"name": "epochs", "labels": [str(n) for n in EPOCHS]}}
    for frame, epochs in zip(found, EPOCHS, strict=True):
        parts = show_anew(explorer, explorer.values() | {"epochs": epochs})
        assert explorer.results[0].experiment.epochs == epochs
        assert frame["words"] == explorer.words and frame["numbers"] == explorer.numbers
        assert frame["code"] == explorer.code
        for gid, markup in parts.items():
            assert alike(data["markup"][frame["parts"][gid]], markup), gid
        assert len(data["lines"]) == 4
        assert all(len(frame["points"][gid]) == 1 for gid in data["lines"])
    assert len({json.dumps(frame["parts"]) for frame in found}) == len(EPOCHS)


@each([name for name in REMEMBER])
def test_what_was_tried_grows_as_on_the_explorer(name, one_of_each, save):
    explorer = one_of_each(name)
    explorer.reset()
    control = REMEMBER[name]
    _, data = save(explorer, control)
    places = options(explorer.controls[control])
    settings = [explorer.values() | {control: value} for _, value in places]
    random = np.random.default_rng(0)
    assert data["lines"], "it remembers"
    for _ in range(3):
        visited = random.permutation(len(places))[:3].tolist()
        parts = show_anew(explorer, *(settings[place] for place in visited))
        for gid, points in on_the_page(data, visited).items():
            assert points == markers(parts[gid]), f"{gid} after {visited}"


@pytest.mark.slow
def test_what_was_tried_with_one_preset_is_seen_with_another_where_an_explorer_shows_it(
    one_of_each, save
):
    explorer = one_of_each("shadow_count")
    explorer.reset()
    presets = {
        "2017": {"attack": mia.explorers.attackers.OF_2017},
        "calibrated": {"attack": mia.explorers.attackers.CALIBRATED},
        "by TPR": {"attack": mia.explorers.attackers.CALIBRATED, "measure": "tpr"},
    }
    _, data = save(explorer, "n_shadows", presets=presets)
    counts = [value for _, value in options(explorer.controls["n_shadows"])]
    settings = [
        explorer.values() | preset | {"n_shadows": count}
        for preset in presets.values()
        for count in counts
    ]
    frames = data["frames"]
    assert len(frames) == len(settings) == 3 * len(counts)
    for frame, values in zip(frames, settings, strict=True):
        assert f"With {values['n_shadows']} shadow model" in frame["words"]
    n = len(counts)
    for visited in ([1, 3, n + 2], [n + 1, n + 3, 0], [1, n + 2, 2 * n + 3], [2 * n + 1, n + 3]):
        parts = show_anew(explorer, *(settings[place] for place in visited))
        for gid, points in on_the_page(data, visited, visited[-1] // n).items():
            assert points == markers(parts[gid]), f"{gid} after {visited}"


def test_a_page_opens_where_the_explorer_stood_and_leaves_it_there(explorer, save, tmp_path):
    explorer.reset()
    for epochs in (2, 12):
        explorer.controls["epochs"].value = epochs
    picture, words, tried = explorer.picture, explorer.words, str(explorer.figure.tried)
    page, data = save(explorer, title="a < b")
    knob = re.search(r"<input[^>]*>", page)[0]
    start, last = (int(re.search(rf'{name}="(\d+)"', knob)[1]) for name in ("value", "max"))
    assert last == len(EPOCHS) - 1 and EPOCHS[start] == 12
    assert explorer.values()["epochs"] == 12 and explorer.words == words
    assert explorer.picture == picture and str(explorer.figure.tried) == tried
    assert explorer.figure.svg() == picture and explorer.message == ""
    show_anew(explorer, explorer.values())
    assert explorer.picture in page, "there is a picture before any script runs"
    assert "<title>a &lt; b</title>" in page
    elsewhere = re.findall(r'<(\w+)[^>]*(?:src|href)="(?!#)', page)
    assert elsewhere == ["a"], "one link to the course, and nothing is loaded from elsewhere"
    assert not re.search(r"\$[a-z]+\b", page.split("<script", 1)[0]), "no place is left empty"
    with Image.open(tmp_path / "page.png") as still:
        assert still.format == "PNG" and still.width > 900
    assert (tmp_path / "page.png").read_bytes() == explorer.figure.png()


@pytest.mark.slow
@each_explorer
def test_every_control_of_every_explorer_makes_a_page_that_is_not_heavy(name, one_of_each, save):
    explorer = one_of_each(name)
    explorer.reset()
    titles = set()
    for control, knob in explorer.controls.items():
        page, data = save(explorer, control)
        assert len(page.encode()) <= 400_000, f"{control}: {len(page.encode())} bytes"
        assert len(data["frames"]) == len(options(knob)) > 1
        assert len({frame["words"] for frame in data["frames"]}) > 1 or control == "n_queries"
        titles.add(re.search("<title>(.*)</title>", page)[1])
    assert len(titles) == len(explorer.controls) and all(titles)


def test_a_tick_box_and_a_menu_may_move(one_of_each, save):
    hiding = one_of_each("confidence_hiding")
    hiding.reset()
    page, data = save(hiding, "labels_only")
    off, on = data["frames"]
    assert data["fields"]["knob"]["labels"] == ["off", "on"]
    assert "labels_only" not in off["code"] and "hide=('labels_only',)" in on["code"]
    assert re.findall(r'name="knob" value="(\d)" (\w*)>', page) == [("0", "checked"), ("1", "")]
    assert "<legend>labels only</legend>" in page
    room = one_of_each("control_room")
    room.reset()
    page, data = save(room, "axes")
    linear, log = data["frames"]
    assert data["fields"]["knob"]["labels"] == ["linear", "logarithmic"]
    assert log["words"] == f"{linear['words']} The ROC axes are logarithmic."
    floor = "smallest visible FPR: 1/1000"
    parts = [[data["markup"][part] for part in frame["parts"].values()] for frame in (linear, log)]
    assert floor in str(parts[1]) and floor not in str(parts[0])
    assert ">0.001<" in str(parts[1]), "texts are not made shorter, as coordinates are"
    assert set(log["parts"]) == set(linear["parts"]) and log["code"] == linear["code"]


def test_presets_are_frames_of_their_own_with_a_menu(explorer, save):
    explorer.reset()
    presets = {"small": {"hidden": 8}, "many <1000>": {"hidden": 128, "n_members": 1000}}
    page, data = save(explorer, presets=presets)
    assert data["fields"]["preset"] == {"name": "preset", "labels": list(presets)}
    assert "many &lt;1000&gt;</label>" in page
    small, many = data["frames"][: len(EPOCHS)], data["frames"][len(EPOCHS) :]
    for epochs, *pair in zip(EPOCHS, small, many, strict=True):
        assert all(f"epochs={epochs}," in frame["code"] for frame in pair)
    assert all("hidden=8," in frame["code"] for frame in small)
    assert all("hidden=128" in f["code"] and "n_members=1000" in f["code"] for f in many)


def test_the_lines_that_embed_a_page_are_printed_and_a_bar_shows_how_far_it_is(
    explorer, tmp_path, capsys
):
    explorer.reset()
    mia.save_page(explorer, tmp_path / "epochs.html")
    out, err = capsys.readouterr()
    assert out.startswith('<iframe src="epochs.html" name="epochs" title="What overfitting gives')
    assert "addEventListener" in unescape(out) and "pictures: 100%" in err
    mia.save_page(explorer, tmp_path / "epochs.html", progress=False)
    assert capsys.readouterr().err == ""


SMALL = {"small": {"hidden": 8}}


@pytest.mark.parametrize(
    "how, message",
    [
        ({"control": "epoch"}, "control must be one of epochs, hidden, n_members, got 'epoch'"),
        ({"presets": {}}, "presets must be a dict of 1 to 3 presets by name, got {}"),
        ({"presets": {str(n): {} for n in range(4)}}, "presets must be a dict of 1 to 3"),
        ({"presets": SMALL, "control": "hidden"}, "values of epochs, n_members .*, got .*'small'"),
        ({"presets": {"a": {"epochs": 8}}}, r"n_members \(epochs is what the reader moves\), got"),
        ({"presets": {"small": 8}}, "values of hidden, n_members, got 8 for 'small'"),
        ({"presets": {"a": {"hidden": 7}}}, r"hidden to one of \[8, 16, .*\], got 7 for 'a'"),
    ],
)
def test_what_an_explorer_does_not_have_is_refused(how, message, explorer, tmp_path):
    with pytest.raises(ValueError, match=message):
        mia.save_page(explorer, tmp_path / "page.html", **how)
    assert not list(tmp_path.iterdir())


def test_an_explorer_that_was_not_called_is_refused(tmp_path):
    asked = r"explorer must be an Explorer, got a function; did you mean overfitting\(\)\?"
    with pytest.raises(TypeError, match=asked):
        mia.save_page(mia.overfitting, tmp_path / "page.html")
    with pytest.raises(TypeError, match="got a str$"):
        mia.save_page("page.html", mia.overfitting)


@pytest.mark.parametrize("name", ["page.png", "page", "missing/page.html"])
def test_a_path_that_cannot_be_a_page_is_refused_before_any_work(name, explorer, tmp_path):
    with pytest.raises(ValueError, match=r"path must end in \.html and lie in a folder that"):
        mia.save_page(explorer, tmp_path / name)
