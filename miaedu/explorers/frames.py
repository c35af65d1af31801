"""Frames: what a page shows at each setting of an explorer, computed before anyone reads it. What
was tried before is no part of a frame: the page adds it as its reader moves."""

import re

from tqdm.auto import tqdm

# a marker on a line of Matplotlib's, in SVG
MARKER = re.compile(r'<use [^>]*?x="([-\d.]+)" y="([-\d.]+)"')


def frames_of(explorer, presets, progress=True):
    """The frames of an explorer, and what a page needs to draw lines that grow.

    `presets`, lists of equal length of the controls' values, one setting after another; `progress`,
    whether to show a bar meanwhile. Each frame, a dict, is what an explorer shows there that was
    never elsewhere: ``parts``, ``words``, ``code`` and ``numbers``. Where the figure remembers what
    was tried, ``points`` has the frame's own markers on the lines that grow, by their ids, and
    ``left`` for each preset those that it leaves behind on that preset's pictures. Returns the
    frames, preset by preset, and by the id of each line that grows some markup of it.
    """
    figure, settings = explorer.figure, [values for preset in presets for values in preset]
    forget(figure)
    runs = list(zip(_results(explorer, settings, progress), settings, strict=True))
    frames = []
    for results, values in runs:
        forget(figure)
        frame = explorer.frame_of(results, values)
        frames.append(frame | {"numbers": explorer.numbers_of(results)})
    lines = {}
    if figure.tried:
        _leave_behind(figure, runs, frames, len(presets[0]), lines)
    for frame in frames:
        frame["points"] = {gid: _points(frame["parts"][gid]) for gid in lines}
    return frames, lines


def forget(figure):
    """Make a LiveFigure one that has shown nothing yet."""
    figure.tried = type(figure.tried)()


def _results(explorer, settings, progress):
    found = []
    how = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}"
    with tqdm(total=len(settings), desc="pictures", bar_format=how, disable=not progress) as bar:
        for values in settings:
            tell = lambda share: bar.update(len(found) + share - bar.n)  # noqa: E731
            found.append(explorer.results_at(values, tell))
            bar.update(len(found) - bar.n)
    return found


def _leave_behind(figure, runs, frames, length, lines):
    """Set what each frame leaves behind on the pictures of each preset, and fill in `lines`."""
    for number, frame in enumerate(frames):
        frame["left"] = []
        for first in range(0, len(frames), length):
            # any other position will do: it gains the same markers
            later = first + (number % length == 0)
            alone = frames[later]["parts"]
            forget(figure)
            for results, values in (runs[number], runs[later]):
                figure.update(results, values)
            left = {}
            for gid, markup in figure.parts().items():
                own = _points(alone[gid])
                left[gid] = [point for point in _points(markup) if point not in own]
                if left[gid]:
                    lines[gid] = max(lines.get(gid, ""), markup, key=len)
            frame["left"].append({gid: points for gid, points in left.items() if points})


def _points(markup):
    """The places of the markers in some SVG, as texts."""
    return [f"{float(x):.2f} {float(y):.2f}" for x, y in MARKER.findall(markup)]
