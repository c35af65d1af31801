"""A web site of two notebooks, as the command makes it: its files, and in Chromium what its readers
see and do, at a desk and on a phone, in light and dark. Every other host is refused."""

import re
import shutil
import subprocess
import sys
import time
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from conftest import cut_off
from course import NOTEBOOKS

from miaedu.editions.site import build as command
from miaedu.editions.site import lesson as lesson_of
from miaedu.editions.site.build import site

pytestmark = pytest.mark.slow
BUILT = ["00_start_here", "02_prerequisites"]
PAGES = ["index", *BUILT]
each_width = pytest.mark.parametrize("width", [1280, 390])
FITS = "() => innerHeight === document.documentElement.scrollHeight"
PAPER = "getComputedStyle(document.documentElement).backgroundColor"


def text(path):
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The site of two notebooks as the command makes it, without a network: ``.folder``, and what
    it ``.said``."""
    home = tmp_path_factory.mktemp("site")
    offline, folder = cut_off(home), home / "made"
    made = subprocess.run(
        [sys.executable, "-m", "miaedu", "site", str(folder), "00", "02"],
        env=offline.env,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert made.returncode == 0, made.stderr
    assert offline.attempts() == [], "nothing is asked of another machine"
    return SimpleNamespace(folder=folder, said=made.stdout, bar=made.stderr)


@pytest.fixture(scope="module")
def address(built):
    """Where the site is served, on this machine alone."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *about):
            pass

    handler = partial(Quiet, directory=built.folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Page(HTMLParser):
    """The ids, links and loaded addresses of an HTML file."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.loaded = set(), [], []
        self.feed(text(path))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids |= {attributes.get("id"), attributes.get("name")} - {None}
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        elif tag == "link" and attributes.get("rel") not in ("index", "search", "next", "prev"):
            self.loaded.append(attributes["href"])
        elif "src" in attributes:
            self.loaded.append(attributes["src"])


def pages(folder):
    """The parsed pages of a site, but not the twins, by name."""
    return {path.name: Page(path) for path in folder.glob("*.html")}


def test_the_command_tells_what_it_did_and_shows_a_bar(built):
    said = built.said.splitlines()
    assert re.fullmatch(r"00_start_here: executed in \d+ s, 1 explorer", said[0])
    assert re.fullmatch(r"02_prerequisites: executed in \d+ s, 2 explorers", said[1])
    at = f"The site is in {built.folder}: open {built.folder / 'index.html'}. "
    assert said[2] == f"{at}.miaedu-site in it is for the next run, and not to be published."
    assert "cells" in built.bar and "100%" in built.bar and "WARNING" not in built.bar
    assert sorted(path.name for path in (built.folder / "explorers").iterdir()) == [
        f"{name}.{kind}"
        for name in ("00-overfitting", "02-overfitting", "02-threshold")
        for kind in ("html", "png")
    ]


def test_every_link_within_the_site_leads_somewhere_and_nothing_is_loaded_from_elsewhere(built):
    parsed, counted = pages(built.folder), 0
    for name, page in parsed.items():
        for address in [*page.links, *page.loaded]:
            scheme, host, path, query, anchor = urlsplit(address)
            if scheme or host:
                assert address in page.links or scheme == "data", f"{name} loads {address}"
                continue
            target = (built.folder / unquote(path or name)).resolve()
            assert target.is_file() and target.is_relative_to(built.folder), f"{name}: {address}"
            if anchor and target.name in parsed:
                assert unquote(anchor) in parsed[target.name].ids, f"{name}: {address}"
                counted += 1
    assert counted > 100


def test_sections_have_the_anchors_that_they_have_in_jupyterlab_and_all_notebooks_links_hold(built):
    parsed = pages(built.folder)
    for name in BUILT:
        (path,) = (path for path in NOTEBOOKS if path.stem == name)
        source = lesson_of.lesson(nbformat.read(path, 4), set(BUILT))
        prose = "\n".join(lesson_of._prose(cell) for cell in source.cells)
        wanted = {lesson_of.slug(heading) for heading in re.findall("^#+ (.*)", prose, re.M)}
        assert len(wanted) > 10 and wanted <= parsed[f"{name}.html"].ids
        for other, anchor in re.findall(r"\]\((\w+)\.ipynb#([^)]+)\)", prose):
            assert anchor in parsed[f"{other}.html"].ids
        contents = re.findall(
            r'class="toc-h\d[^>]*><a [^>]*href="#([^"]*)">(.*?)</a>',
            text(built.folder / f"{name}.html"),
        )
        assert {unquote(anchor) for anchor, _ in contents} <= wanted and len(contents) > 10
        assert not [said for _, said in contents if "minutes" in said or "·" in said]
    absent = "https://github.com/miaedu/miaedu/blob/main/notebooks/03_algorithm.ipynb"
    assert absent in parsed["02_prerequisites.html"].links


def test_there_is_a_way_on_and_back(built):
    for name, before, after in [
        ("index", None, BUILT[0]),
        (BUILT[0], "index", BUILT[1]),
        (BUILT[1], BUILT[0], None),
    ]:
        html = text(built.folder / f"{name}.html")
        found = re.findall(r'<a class="(left|right)-(?:prev|next)"\s+href="(\w+)\.html"', html)
        assert found == [
            (side, other) for side, other in (("left", before), ("right", after)) if other
        ]


def test_run_again_it_does_only_what_has_changed_and_leaves_foreign_files(built, tmp_path):
    folder = tmp_path / "site"
    shutil.copytree(built.folder, folder)
    (folder / "CNAME").write_text("blog.example")
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    began = time.process_time()
    said = site(folder, ["00", "02"])
    assert time.process_time() - began < 5
    assert said[:2] == ["00_start_here: unchanged", "02_prerequisites: unchanged"]
    after = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    changed = {path.name for path in times.keys() | after if times.get(path) != after.get(path)}
    assert changed <= {"files", ".gitignore"}

    # a page is lost, and the site gets smaller
    (folder / "index.html").unlink()
    said = site(folder, ["02"])
    assert said[0] == "02_prerequisites: unchanged"
    assert (folder / "index.html").is_file() and (folder / "CNAME").read_text() == "blog.example"
    assert not (folder / "00_start_here.html").exists()
    assert not list((folder / "explorers").glob("00*"))
    assert "00_start_here" not in text(folder / "searchindex.js")
    elsewhere = "https://github.com/miaedu/miaedu/blob/main/notebooks/00_start_here.ipynb"
    assert elsewhere in Page(folder / "02_prerequisites.html").links


def test_a_warning_of_sphinx_is_an_error_and_the_site_stays_as_it_was(built, tmp_path, monkeypatch):
    folder = tmp_path / "site"
    shutil.copytree(built.folder, folder)
    before = text(folder / "index.html")
    broken = "# Title\n[nowhere](#no-such-place)\n"
    monkeypatch.setattr(command, "_index", lambda lessons: broken)
    (folder / ".miaedu-site" / "pages").unlink()
    with pytest.raises(RuntimeError, match="(?s)Sphinx did not make the pages:\n.*no-such-place"):
        site(folder, ["00", "02"])
    assert text(folder / "index.html") == before


@pytest.fixture
def opened(chromium, address, strayed):
    """A function that opens a page of the site in a new window of a width and colour scheme."""
    contexts, errors = [], []

    def open_page(name, width=1280, scheme="light"):
        context = chromium.new_context(
            viewport={"width": width, "height": 844}, color_scheme=scheme, has_touch=True
        )
        contexts.append(context)

        def refuse(route):
            if route.request.url.startswith((address, "data:", "blob:")):
                return route.continue_()
            strayed.append(route.request.url)
            route.abort()

        context.route("**/*", refuse)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(f"{address}/{name}.html")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors


def twin(page, number=0):
    """The frame of a twin, scrolled to: its element and its content, when it is as high as that."""
    element = page.locator(".miaedu-twin iframe").nth(number)
    element.scroll_into_view_if_needed()
    frame = element.element_handle().content_frame()
    frame.wait_for_function("() => document.querySelector('.miaedu-words')?.textContent")
    frame.wait_for_function(FITS)
    return element, frame


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@each_width
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_its_window_in_the_colours_of_the_system(name, width, scheme, opened):
    page = opened(name, width, scheme)
    page.wait_for_function("document.documentElement.dataset.theme")
    page.evaluate("document.querySelectorAll('iframe').forEach((twin) => (twin.loading = 'eager'))")
    page.wait_for_load_state("networkidle")
    page.evaluate("document.querySelectorAll('details').forEach((part) => (part.open = true))")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    article = page.locator("article").first.bounding_box()
    assert 0 <= article["x"] and article["x"] + article["width"] <= width
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    lightness = sum(int(part) for part in ground[4:-1].split(",")) / 3
    assert lightness > 240 if scheme == "light" else lightness < 40, ground
    cut = page.evaluate(
        """(width) => [...document.querySelectorAll("article img")].filter(
        (image) => image.getBoundingClientRect().right > width).length""",
        width,
    )
    assert cut == 0


@pytest.mark.browser
@each_width
def test_a_twin_grows_to_its_content_and_its_slider_moves_the_picture(width, opened):
    page = opened("02_prerequisites", width)
    for number, key in enumerate(["ArrowRight", "ArrowLeft"]):
        element, frame = twin(page, number)
        height = element.evaluate("(twin) => twin.clientHeight")
        assert height == frame.evaluate("document.documentElement.scrollHeight")
        assert frame.evaluate("document.documentElement.scrollWidth") <= width
        image, words = frame.locator("[role=img]"), frame.locator(".miaedu-words").first
        before = image.inner_html(), words.text_content()
        frame.locator("#knob").press(key)
        assert image.inner_html() != before[0] and words.text_content() != before[1]
        frame.locator("summary").last.click()
        frame.wait_for_function(FITS)
        page.wait_for_function(
            "([twin, height]) => twin.clientHeight > height", arg=[element.element_handle(), height]
        )


@pytest.mark.browser
def test_on_a_phone_a_tap_on_a_picture_makes_its_letters_large_enough(opened):
    page = opened("02_prerequisites", 390)
    picture = page.locator(".cell_output img").first
    scale = "(image) => image.getBoundingClientRect().width / image.naturalWidth"
    for large in (True, False):
        picture.tap()
        # 10 points of a picture with 100 dots an inch are 13.9 pixels
        assert (picture.evaluate(scale) * 1000 / 72 >= 11) == large
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.browser
def test_the_presets_are_those_that_the_lesson_asks_for(opened):
    page = opened("02_prerequisites")
    _, frame = twin(page, 1)
    frame.locator("#knob").press("End")
    words = {}
    for members in ("100", "500", "1000"):
        frame.get_by_role("radio", name=f"{members} members", exact=True).check()
        words[members] = frame.locator(".miaedu-words").first.text_content()
        assert words[members].startswith("After 32 epochs")
    assert len(set(words.values())) == 3


@pytest.mark.browser
def test_the_lines_that_embed_a_twin_hold_its_address_here(opened, address):
    page = opened("00_start_here")
    page.get_by_text("Put this figure into a page of your own").click()
    lines = page.locator(".miaedu-embed").text_content()
    assert lines.startswith(f'<iframe src="{address}/explorers/00-overfitting.html" name=')
    assert page.request.get(f"{address}/explorers/00-overfitting.png").ok
    page.goto(f"{address}/explorers/00-overfitting.html#epochs=8")
    assert page.locator(".miaedu-words").first.text_content().startswith("After 8 epochs")


@pytest.mark.browser
def test_a_twin_is_dark_where_the_page_is_by_the_system_or_by_its_switch(opened):
    page = opened("00_start_here", scheme="dark")
    _, frame = twin(page)
    assert frame.evaluate(PAPER) == "rgb(26, 26, 26)"
    for chosen, paper in [("Light", "rgb(255, 255, 255)"), ("Dark", "rgb(26, 26, 26)")]:
        page.locator(".theme-switch-button:visible").first.click()
        page.get_by_role("button", name=chosen, exact=True).click()
        frame.wait_for_function(f"() => {PAPER} === {paper!r}")


@pytest.mark.browser
@each_width
def test_the_search_finds_a_word_of_a_lesson(width, opened):
    page = opened("index", width)
    page.locator(".search-button__button:visible, .search-button-field:visible").first.click()
    field = page.locator("input[type=search]:visible")
    field.fill("overfitting")
    field.press("Enter")
    found = page.locator("#search-results li a[href*='02_prerequisites.html']")
    found.first.wait_for()
    found.first.click()
    assert "/02_prerequisites.html" in page.url


@pytest.mark.browser
@each_width
def test_hint_and_solution_unfold_and_an_option_tells_whether_it_is_right(width, opened):
    page = opened("00_start_here", width)
    exercise = page.locator(".miaedu-exercise").first
    for name in ("Hint", "Solution"):
        fold = exercise.locator("details", has=page.get_by_text(name, exact=True))
        inside = fold.locator("p, pre").first
        assert not inside.is_visible()
        assert fold.locator("summary").bounding_box()["height"] >= 44
        fold.locator("summary").tap()
        assert inside.is_visible()
    options = page.locator("details[name='00.q1']")
    wrong, right = options.nth(0), options.nth(2)
    assert not wrong.locator("p").is_visible()
    assert wrong.locator("summary").bounding_box()["height"] >= 44
    wrong.locator("summary").tap()
    assert "wrong, because" in wrong.locator("p").inner_text()
    right.locator("summary").tap()
    assert "right. You know enough Python" in right.locator("p").inner_text()
    assert not wrong.locator("p").is_visible(), "one answer at a time"


@pytest.mark.browser
def test_a_link_to_a_section_of_another_lesson_goes_there(opened):
    page = opened("02_prerequisites")
    page.locator("a[href='00_start_here.html#overfitting']").first.click()
    page.wait_for_url("**/00_start_here.html#overfitting")
    top = page.locator("[id='overfitting']").first.bounding_box()["y"]
    assert 0 <= top < 844
