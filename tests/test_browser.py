import nbformat
import pytest
from browser import explorer, new_picture, open_notebook, picture, press, run_all

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PICTURES = """\
from ipywidgets import HTML, IntSlider, VBox
def draw(n):
    return f'<div role="img" aria-label="number {n}"><b>{n}</b></div>'
slider, html = IntSlider(value=1, max=9), HTML(draw(1))
slider.observe(lambda change: setattr(html, "value", draw(change.new)), "value")
VBox([slider, html]).add_class("miaedu-explorer")"""


def write_notebook(path, *cells):
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [nbformat.v4.new_code_cell(source) for source in cells]
    nbformat.write(nbformat.v4.new_notebook(metadata={"kernelspec": kernel}, cells=cells), path)


def test_a_key_on_a_slider_far_down_the_page_is_seen_to_change_a_picture(page, lab):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    write_notebook(lab.folder / "zz_far.ipynb", *["print('line\\n' * 99)"] * 9, "", PICTURES)
    open_notebook(page, lab, "zz_far.ipynb")
    run_all(page)
    box = explorer(page)
    before = picture(box)
    assert before == ("<b>1</b>", "number 1")
    press(box, "ArrowRight")
    assert new_picture(box, before) == ("<b>2</b>", "number 2")
    press(box, "End")
    assert new_picture(box, ("<b>2</b>", "number 2")) == ("<b>9</b>", "number 9")
    assert asked and not [url for url in asked if "api/news" in url or "api/update" in url]
    assert lab.offline.attempts() == []


def test_a_failing_cell_is_reported_with_its_error(page, lab):
    write_notebook(lab.folder / "zz_failing.ipynb", "1 / 0", "print('never reached')")
    open_notebook(page, lab, "zz_failing.ipynb")
    with pytest.raises(AssertionError, match="1 / 0\nZeroDivisionError: division by zero"):
        run_all(page)


def test_a_request_to_another_machine_is_refused_and_seen(page, lab, strayed):
    page.goto(f"{lab.url}/login")
    for start in ("fetch('https://example.invalid/a')", "new WebSocket('wss://example.invalid/b')"):
        page.evaluate(f"() => {{ try {{ {start}.catch?.(() => 0) }} catch {{}} }}")
    page.wait_for_timeout(300)
    assert sorted(strayed) == ["https://example.invalid/a", "wss://example.invalid/b"]
    strayed.clear()
