"""What the tests share: a process without a network, the course open in JupyterLab, and a page in
Chromium."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from types import SimpleNamespace
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from hypothesis import settings

# A shared machine may stall for a second: hypothesis is to judge values, not the clock, and the
# same ones every time.
settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")

# Python runs a module of this name at its start, so the guard stands in the process, its kernels
# and their workers. It refuses, and it writes down, so that a caller who swallows the refusal is
# found out too.
GUARD = """
import socket, sys

def guard(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        host = arguments[1][0] if isinstance(arguments[1], tuple) else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    if isinstance(host, str) and host not in HOME and not host.startswith("127."):
        with open(LOG, "a") as log:
            print(event, host, file=log)
        raise OSError(f"the network is cut for this test: {event} {host}")

HOME = {"", "localhost", "::1", "0.0.0.0", socket.gethostname()}
LOG = %r
sys.addaudithook(guard)
"""


@pytest.fixture
def a_fast_machine(monkeypatch):
    """How many shadow models an explorer starts with would depend on how busy this machine is."""
    from miaedu.explorers import machine

    monkeypatch.setattr(machine, "seconds_per_network", lambda: 1e-4)


@pytest.fixture
def one_of_each(a_fast_machine):
    """A function that gives an explorer of the course by its name, the same one every time."""
    import miaedu

    def explorer(name):
        if name not in EXPLORERS_MADE:
            EXPLORERS_MADE[name] = getattr(miaedu, name)()
        made = EXPLORERS_MADE[name]
        made.show(made.values())  # another test may have shown what its controls do not say
        return made

    return explorer


EXPLORERS_MADE = {}


@pytest.fixture
def offline(tmp_path):
    """An environment for child processes in which Python reaches this machine alone; ``attempts()``
    lists refusals."""
    return cut_off(tmp_path)


def cut_off(folder):
    log = folder / "refused"
    write(folder / "guard/sitecustomize.py", GUARD % str(log))
    path = os.pathsep.join(filter(None, [str(folder / "guard"), os.environ.get("PYTHONPATH")]))
    attempts = lambda: log.read_text().splitlines() if log.exists() else []  # noqa: E731
    return SimpleNamespace(env={**os.environ, "PYTHONPATH": path}, attempts=attempts)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


TOKEN = "a-token-for-the-tests"


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """The course as a reader starts it: ``python -m miaedu``, with ``.url``, ``.token``,
    ``.folder`` and ``.log()``."""
    home = tmp_path_factory.mktemp("lab")
    # This reader once asked for Jupyter's news, and registered another Python where Jupyter looks
    # first for the kernel.
    settings = home / "config/lab/user-settings/@jupyterlab/apputils-extension"
    write(
        settings / "notification.jupyterlab-settings",
        '{"fetchNews": "true", "checkForUpdates": true}',
    )
    other = {
        "argv": ["another-python", "{connection_file}"],
        "display_name": "Other",
        "language": "python",
    }
    write(home / "other/kernels/python3/kernel.json", json.dumps(other))
    command = ["miaedu", "--no-browser", "--dir", str(home / "course"), "--"]
    option = "--LabApp.expose_app_in_browser=True"
    places = {"JUPYTER_PATH": str(home / "other")}
    with serving([*command, option], home, places) as server:
        yield server


@contextmanager
def serving(command, home, places):
    """A Jupyter server on ``home / "course"``, started by ``python -m`` and the command, with
    settings in `home` and these `places` in its environment."""
    offline = cut_off(home)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = home / "jupyter.log"
    own = {
        f"JUPYTER_{kind}_DIR": str(home / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")
    }
    options = [f"--port={port}", "--port-retries=0", f"--IdentityProvider.token={TOKEN}"]
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", *command, *options],
            env={**offline.env, **own, **places},
            cwd=home,
            stdout=out,
            stderr=out,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_it_answers(f"{url}/api/status?token={TOKEN}", server, log)
        yield SimpleNamespace(
            url=url, token=TOKEN, folder=home / "course", log=log.read_text, offline=offline
        )
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_until_it_answers(address, server, log, seconds=60):
    for _ in range(seconds * 5):
        assert server.poll() is None, f"Jupyter ended by itself:\n{log.read_text()}"
        try:
            return urlopen(address, timeout=5).read()
        except URLError:
            time.sleep(0.2)
    raise AssertionError(f"no answer from Jupyter in {seconds} s:\n{log.read_text()}")


# while Playwright runs, no other test of the thread may start an event loop
@pytest.fixture(scope="module")
def chromium():
    path = next(
        filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None
    )
    if path is None:
        reason = (
            "no Chromium on this machine: chromium, chromium-browser or google-chrome must be on "
            "the PATH"
        )
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    quiet = ["background-networking", "component-update", "sync", "gpu", "quic"]
    options = ["--no-sandbox", "--no-first-run", *(f"--disable-{feature}" for feature in quiet)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@pytest.fixture
def strayed():
    """Addresses outside this machine that the page asked for; whatever is left in the list fails
    the test."""
    addresses = []
    yield addresses
    assert not addresses, f"the page asked for {addresses}"


@pytest.fixture
def page(chromium, strayed):
    """An empty page whose requests to other machines are refused and listed in ``strayed``; its
    kernels end with it."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    elsewhere = re.compile(
        r"^(?!(https?|wss?)://(localhost|127\.0\.0\.1)[:/])(?!data:|blob:|about:)"
    )

    def refuse(route):
        strayed.append(route.request.url)
        route.abort()

    context.route(elsewhere, refuse)
    page = context.new_page()
    page.on(
        "websocket",
        lambda socket: strayed.append(socket.url) if elsewhere.match(socket.url) else None,
    )
    yield page
    page.evaluate("() => window.jupyterapp?.serviceManager.sessions.shutdownAll()")
    context.close()
