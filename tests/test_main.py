import doctest
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

import miaedu.__main__
from miaedu import __version__
from miaedu.__main__ import main
from miaedu.editions import working_copy as command
from miaedu.editions.working_copy import deliver

VERSION_1 = {
    "00_start_here.ipynb": b"start",
    "03_algorithm.ipynb": b"steps",
    "figures/roc.png": b"picture",
}


def publish(root, files):
    for name, content in files.items():
        path = root / "notebooks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def visible(folder):
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture
def source(tmp_path, monkeypatch):
    publish(tmp_path / "source", VERSION_1)
    monkeypatch.setattr(command, "course", (tmp_path / "source").joinpath)
    return tmp_path / "source"


@pytest.fixture
def course(tmp_path, source):
    deliver(tmp_path / "course")
    return tmp_path / "course"


def test_the_whole_course_is_delivered(tmp_path):
    deliver(tmp_path)
    notebooks = Path(__file__).parents[1] / "notebooks"
    expected = {
        name: content
        for name, content in visible(notebooks).items()
        if ".ipynb_checkpoints" not in name
    }
    assert visible(tmp_path) == expected and "03_algorithm.ipynb" in expected


def test_hidden_files_stay_behind(tmp_path, source):
    publish(source, {".ipynb_checkpoints/03_algorithm-checkpoint.ipynb": b"old", ".notes": b"mine"})
    deliver(tmp_path / "course")
    assert visible(tmp_path / "course") == VERSION_1


def test_a_changed_file_is_kept_and_named(course):
    (course / "03_algorithm.ipynb").write_bytes(b"my answers")
    for _ in range(2):
        assert deliver(course) == ["kept your 03_algorithm.ipynb"]
    assert visible(course) == {**VERSION_1, "03_algorithm.ipynb": b"my answers"}


def test_a_new_version_replaces_what_the_reader_left_alone(course, source):
    (course / "03_algorithm.ipynb").write_bytes(b"my answers")
    publish(
        source,
        {
            "00_start_here.ipynb": b"start 2",
            "03_algorithm.ipynb": b"steps 2",
            "figures/roc.png": b"new",
        },
    )
    assert deliver(course) == ["kept your 03_algorithm.ipynb"]
    assert visible(course) == {
        "00_start_here.ipynb": b"start 2",
        "03_algorithm.ipynb": b"my answers",
        "figures/roc.png": b"new",
    }


def test_a_kept_file_that_is_put_back_follows_the_versions_again(course, source):
    (course / "03_algorithm.ipynb").write_bytes(b"my answers")
    deliver(course)
    (course / "03_algorithm.ipynb").write_bytes(b"steps")
    publish(source, {"03_algorithm.ipynb": b"steps 2"})
    assert deliver(course) == []
    assert visible(course)["03_algorithm.ipynb"] == b"steps 2"


def test_a_file_that_was_there_before_the_course_is_kept(tmp_path, source):
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "00_start_here.ipynb").write_bytes(b"another course")
    assert deliver(tmp_path / "course") == ["kept your 00_start_here.ipynb"]
    assert visible(tmp_path / "course")["00_start_here.ipynb"] == b"another course"


@pytest.mark.parametrize("damage", [b"", b"\xff\xfe no list\n\n", b"{}"])
def test_without_a_readable_manifest_nothing_is_overwritten(course, source, damage):
    (course / command.MANIFEST).write_bytes(damage)
    publish(source, {"03_algorithm.ipynb": b"steps 2"})
    assert deliver(course) == ["kept your 03_algorithm.ipynb"]
    assert visible(course) == VERSION_1


@pytest.mark.parametrize("name", ["03", "03_algorithm", "03_algorithm.ipynb"])
def test_fresh_resets_one_notebook_and_keeps_every_old_one(course, name):
    for number in (1, 2):
        (course / "00_start_here.ipynb").write_bytes(b"my start")
        (course / "03_algorithm.ipynb").write_bytes(b"attempt %d" % number)
        assert deliver(course, fresh=name) == [
            "kept your 00_start_here.ipynb",
            f"reset 03_algorithm.ipynb; yours is now 03_algorithm.mine-{number}.ipynb",
        ]
    assert visible(course) == {
        **VERSION_1,
        "00_start_here.ipynb": b"my start",
        "03_algorithm.mine-1.ipynb": b"attempt 1",
        "03_algorithm.mine-2.ipynb": b"attempt 2",
    }


def test_fresh_leaves_an_untouched_notebook_alone(course):
    assert deliver(course, fresh="03") == []
    assert visible(course) == VERSION_1


@pytest.mark.parametrize("name", ["07", "3", "algorithm", "", "figures/roc.png", "../03_algorithm"])
def test_fresh_refuses_an_unknown_name_and_lists_the_known(course, name, capsys):
    with pytest.raises(SystemExit) as ending:
        main(["--dir", str(course), "--fresh", name])
    assert ending.value.code == 2
    said = capsys.readouterr().err
    assert (
        "--fresh must name one of the notebooks 00_start_here.ipynb, 03_algorithm.ipynb, got "
        f"{name}" in said
    )
    assert visible(course) == VERSION_1


def test_a_dir_that_is_a_file_is_refused_without_a_traceback(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for folder in ("notes.txt", "notes.txt/course"):
        ended = subprocess.run(
            [sys.executable, "-m", "miaedu", "--dir", folder],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ended.returncode == 2
        assert f"--dir must be a folder that can be written to, got {Path(folder)}" in ended.stderr
        assert "Traceback" not in ended.stderr
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_dir_that_cannot_be_written_to_is_refused(tmp_path, source, monkeypatch, capsys):
    # Permissions do not stop every user, so the refusal is played: what is tested is that it is
    # understood.
    def refuse(path, content):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(SystemExit) as ending:
        main(["--dir", str(tmp_path / "course")])
    assert ending.value.code == 2
    assert re.search(
        r"--dir must be a folder that can be written to, got .*Permission denied",
        capsys.readouterr().err,
    )


def test_options_reach_jupyterlab(tmp_path, source, monkeypatch):
    calls = []
    monkeypatch.setattr(
        miaedu.__main__, "open_lab", lambda folder, options: calls.append((folder, options))
    )
    monkeypatch.chdir(tmp_path)
    main([])
    main(["--no-browser", "--dir", "elsewhere", "--", "--port=9999", "--", "--debug"])
    assert calls == [
        (tmp_path / "miaedu-course", []),
        (tmp_path / "elsewhere", ["--no-browser", "--port=9999", "--", "--debug"]),
    ]


def test_copy_delivers_the_course_and_starts_nothing(tmp_path, source, monkeypatch, capsys):
    monkeypatch.setattr(miaedu.__main__, "open_lab", lambda *_: pytest.fail("a server"))
    monkeypatch.setattr(miaedu.__main__, "running_at", lambda _: pytest.fail("looked for one"))
    main(["--copy", str(tmp_path / "for the class")])
    assert visible(tmp_path / "for the class") == VERSION_1
    assert capsys.readouterr().out == f"The course is in {tmp_path / 'for the class'}\n"


def test_without_jupyterlab_the_course_is_there_and_what_to_install_is_said(
    tmp_path, source, monkeypatch, capsys
):
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    monkeypatch.setattr(miaedu.__main__, "running_at", lambda _: pytest.fail("looked for one"))
    monkeypatch.setattr(miaedu.__main__, "open_lab", lambda *_: pytest.fail("a server"))
    with pytest.raises(SystemExit) as ending:
        main(["--dir", str(tmp_path / "course")])
    said = capsys.readouterr()
    assert ending.value.code == 1 and said.out == ""
    assert said.err.startswith(f"The course is in {tmp_path / 'course'}\n")
    assert f'"{sys.executable}" -m pip install "miaedu[lab]"' in said.err
    assert "open the folder with any other Jupyter" in said.err
    assert visible(tmp_path / "course") == VERSION_1


def test_a_copy_into_a_file_is_refused(tmp_path, source, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SystemExit):
        main(["--copy", str(tmp_path / "notes.txt")])
    said = capsys.readouterr().err
    assert f"--copy must be a folder that can be written to, got {tmp_path / 'notes.txt'}" in said


def test_a_folder_that_is_open_already_gets_no_second_server(lab, monkeypatch, capsys):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(lab.folder.parent / "runtime"))
    monkeypatch.setattr(miaedu.__main__, "open_lab", lambda *_: pytest.fail("a second server"))
    main(["--dir", str(lab.folder), "--fresh", "03"])
    port = lab.url.rpartition(":")[2]
    assert f":{port}/lab?token={lab.token}" in capsys.readouterr().out


def test_version(capsys):
    with pytest.raises(SystemExit) as ending:
        main(["--version"])
    assert ending.value.code == 0 and capsys.readouterr().out == f"miaedu {__version__}\n"


def test_an_unknown_option_is_refused(capsys):
    with pytest.raises(SystemExit) as ending:
        main(["03"])
    assert ending.value.code == 2 and "unrecognized arguments: 03" in capsys.readouterr().err


def test_the_example_in_the_documentation_runs():
    # pytest leaves out files of this name when it collects the module's examples.
    results = doctest.testmod(command)
    assert results.attempted > 0 and results.failed == 0


def test_jupyterlab_runs_on_the_course_with_this_python(lab):
    def ask(path):
        return json.load(urlopen(f"{lab.url}/api/{path}?token={lab.token}", timeout=10))

    notebooks = {path.name for path in lab.folder.glob("*.ipynb")}
    assert notebooks and notebooks <= {entry["name"] for entry in ask("contents")["content"]}
    kernels = ask("kernelspecs")
    assert kernels["default"] == "python3"
    assert kernels["kernelspecs"]["python3"]["spec"]["argv"][0] == sys.executable


def test_jupyterlab_neither_reports_nor_fetches_news(lab):
    page = urlopen(f"{lab.url}/lab?token={lab.token}", timeout=10).read().decode()
    config = json.loads(
        re.search(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', page, re.S).group(1)
    )
    assert "@jupyterlab/apputils-extension:announcements" in config["disabledExtensions"]
    assert (
        config["news"] == {"disabled": True} and config["extensionManager"]["can_install"] is False
    )
    assert lab.offline.attempts() == []


@pytest.mark.slow
@pytest.mark.skipif(
    os.name == "nt", reason="a test cannot press Ctrl-C for one process of a Windows console alone"
)
@pytest.mark.parametrize("moment", ["The course is in", "Use Control-C"])
def test_ctrl_c_ends_it_quietly(tmp_path, offline, moment):
    import pty

    # at a terminal, JupyterLab handles Ctrl-C itself and would ask a question first
    _, terminal = pty.openpty()
    private = {
        f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "RUNTIME")
    }
    run = subprocess.Popen(
        [sys.executable, "-m", "miaedu", "--no-browser", "--", "--port=0"],
        cwd=tmp_path,
        env={**offline.env, **private, "TMPDIR": str(tmp_path)},
        text=True,
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # Where the tests run in the background of a script, Ctrl-C is ignored, and would be here
        # too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    said = ""
    for line in run.stdout:
        said += line
        if moment in line:
            run.send_signal(signal.SIGINT)
    assert run.wait(timeout=30) == 0, said
    assert moment in said and "Traceback" not in said
    assert not list(tmp_path.glob("miaedu-????????")), "the temporary settings were left behind"
