"""The course as a reader's own folder of notebooks, and JupyterLab open on it."""

import json
import os
import sys
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from ..places import course

# What was delivered, in the format of sha256sum: a file that still matches its line is not the
# reader's work.
MANIFEST = ".miaedu.sha256"
# double quotes hold in every shell
NO_LAB = f"""JupyterLab is not installed beside miaedu. To install it:
  "{sys.executable}" -m pip install "miaedu[lab]"
Or open the folder with any other Jupyter whose kernel is this Python."""


def deliver(folder, fresh=None):
    """Copy the course's notebooks into a folder and return a line about each file that was treated
    with care.

    >>> with TemporaryDirectory() as folder:
    ...     first = deliver(folder)
    ...     start = min(Path(folder).glob("*.ipynb"))
    ...     written = start.write_text("my notes")
    ...     [line.startswith("kept your") for line in deliver(folder)], start.read_text()
    ([True], 'my notes')

    A file that the reader has changed is never overwritten; an unchanged one gives way to a newer
    version. ``fresh`` is the name of one notebook ("03", "03_algorithm" or with .ipynb) to
    reset: the reader's own goes on beside it under another name. ValueError: no notebook is called
    that. OSError: the folder cannot be written to.
    """
    folder, source = Path(folder), course("notebooks")
    paths = [path.relative_to(source) for path in sorted(source.rglob("*")) if path.is_file()]
    names = [
        path.as_posix() for path in paths if not any(part.startswith(".") for part in path.parts)
    ]
    reset = (
        None if fresh is None else _find(fresh, [name for name in names if name.endswith(".ipynb")])
    )
    delivered, said = _read_manifest(folder), []
    for name in names:
        target, content = folder / name, (source / name).read_bytes()
        found = target.read_bytes() if target.exists() else None
        if found not in (None, content):
            if name == reset:
                said.append(f"reset {name}; yours is now {_put_aside(target).name}")
            elif _digest(found) != delivered.get(name):
                said.append(f"kept your {name}")
                continue
        if found != content:
            _write(target, content)
        delivered[name] = _digest(content)
    _write(
        folder / MANIFEST,
        "".join(f"{digest}  {name}\n" for name, digest in delivered.items()).encode(),
    )
    return said


def _find(wanted, notebooks):
    stem = wanted.removesuffix(".ipynb")
    for name in notebooks:
        if name == f"{stem}.ipynb" or name.startswith(f"{stem}_"):
            return name
    raise ValueError(f"--fresh must name one of the notebooks {', '.join(notebooks)}, got {wanted}")


def _put_aside(target):
    """Rename a file to the first free name of the form 03_algorithm.mine-1.ipynb, and return
    that."""
    number = 1
    while (aside := target.with_name(f"{target.stem}.mine-{number}{target.suffix}")).exists():
        number += 1
    return target.rename(aside)


def _read_manifest(folder):
    path = folder / MANIFEST
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _digest(content):
    return sha256(content).hexdigest()


def _write(path, content):
    # By way of a second file, so that a full disk or a pulled plug leaves no half notebook behind.
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)


def has_lab():
    """Whether JupyterLab, which is the extra ``lab``, is installed."""
    return find_spec("jupyterlab") is not None


def running_at(folder):
    """The address of a JupyterLab of this user that is open on the folder; None if there is
    none."""
    from jupyter_server.serverapp import list_running_servers

    for server in list_running_servers():
        if Path(server["root_dir"]).resolve() == Path(folder).resolve():
            return f"{server['url']}lab?token={server['token']}"
    return None


def open_lab(folder, options=()):
    """Run JupyterLab on a folder, in this process, until the reader ends it.

    It needs no network: announcements, the check for updates and the extension catalogue are off.
    Its kernel is this very Python, even where the reader has registered another one under the same
    name. All this is said in a temporary folder that is searched first, for this launch alone: the
    reader's own settings are read as ever and never written.
    """
    from ipykernel.kernelspec import write_kernel_spec
    from jupyterlab.labapp import LabApp

    first = min((path.name for path in folder.glob("*.ipynb")), default="")
    with TemporaryDirectory(prefix="miaedu-") as settings:
        config = Path(settings, "labconfig")
        config.mkdir()
        quiet = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
        (config / "page_config.json").write_text(json.dumps(quiet))
        # a narrow window
        wrapped = {"@jupyterlab/notebook-extension:tracker": {"codeCellConfig": {"lineWrap": True}}}
        (config / "default_setting_overrides.json").write_text(json.dumps(wrapped))
        Path(settings, "kernels").mkdir()
        write_kernel_spec(Path(settings, "kernels", "python3"))
        for variable in ("JUPYTER_CONFIG_PATH", "JUPYTER_PATH"):
            os.environ[variable] = os.pathsep.join(
                filter(None, [settings, os.environ.get(variable)])
            )
        LabApp.launch_instance(
            [
                f"--ServerApp.root_dir={folder}",
                f"--LabApp.default_url=/lab/tree/{quote(first)}",
                "--LabApp.extension_manager=readonly",
                "--LabApp.news_url=None",
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                "--ServerApp.answer_yes=True",  # Ctrl-C ends it without a question
                # in a container the reader is often root; it listens to this machine alone
                "--ServerApp.allow_root=True",
                *options,
            ]
        )
