"""The life of a job as a picture: TRANSITIONS drawn as SVG, without any tool but this."""

from __future__ import annotations

import math
from html import escape

from ionbox.jobs.job import JobStatus
from ionbox.jobs.lifecycle import TERMINAL, TRANSITIONS

_Point = tuple[float, float]

_WIDTH, _HEIGHT = 100, 34
_HALO = "paint-order:stroke;stroke:var(--color-background-primary,white);stroke-width:6px"
# Where each status stands: left to right as jobs go, ends above and below.
_PLACES: dict[JobStatus, _Point] = {
    JobStatus.SUBMITTED: (70, 150),
    JobStatus.READY: (290, 150),
    JobStatus.STARTED: (510, 150),
    JobStatus.COMPLETED: (730, 150),
    JobStatus.FAILED: (400, 40),
    JobStatus.CANCELED: (400, 260),
}
_HEAD = (
    '<svg viewBox="0 0 800 300" role="img" aria-label="The life of a job" '
    'style="max-width:100%;font:13px sans-serif" stroke="currentColor" fill="none">'
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
    'orient="auto"><path d="M0 0L8 4L0 8z" fill="currentColor"/></marker></defs>'
)


def svg() -> str:
    """Return the picture."""
    edges = [_edge(a, t.to, event) for (a, event), t in TRANSITIONS.items() if a not in TERMINAL]
    return "".join([_HEAD, *edges, *map(_box, JobStatus), "</svg>"])


def _box(status: JobStatus) -> str:
    x, y = _PLACES[status]
    line = 2.5 if status in TERMINAL else 1
    return (
        f'<rect x="{x - _WIDTH / 2:g}" y="{y - _HEIGHT / 2:g}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'rx="8" stroke-width="{line}"/>{_text((x, y + 4), status)}'
    )


def _edge(start: JobStatus, end: JobStatus, event: str) -> str:
    a, b = _PLACES[start], _PLACES[end]
    if start is end:
        (x, y), bottom = a, a[1] + _HEIGHT / 2
        curve = f"M{x - 30:g} {bottom:g}C{x - 30:g} {y + 70:g} {x:g} {y + 70:g} {x:g} {bottom:g}"
        return _path(curve) + _text((x - 15, y + 72), event)
    if b[0] < a[0] and a[1] == b[1]:  # back: an arc below
        middle = (a[0] + b[0]) / 2
        low = a[1] + _HEIGHT / 2
        curve = f"M{a[0] - 40:g} {low:g}Q{middle:g} {low + 40:g} {b[0] + 40:g} {low:g}"
        return _path(curve) + _text((middle, low + 14), event)
    tail, tip = _border(a, b), _border(b, a)
    label = ((tail[0] + tip[0]) / 2, (tail[1] + tip[1]) / 2)
    rise = -6 if a[1] == b[1] else 4
    line = f"M{tail[0]:.1f} {tail[1]:.1f}L{tip[0]:.1f} {tip[1]:.1f}"
    return _path(line) + _text((label[0], label[1] + rise), event)


def _border(box: _Point, other: _Point) -> _Point:
    """Return where the line from the middle of a box to another leaves the box."""
    dx, dy = other[0] - box[0], other[1] - box[1]
    across = _WIDTH / 2 / abs(dx) if dx else math.inf
    down = _HEIGHT / 2 / abs(dy) if dy else math.inf
    share = min(across, down)
    return box[0] + dx * share, box[1] + dy * share


def _path(curve: str) -> str:
    return f'<path d="{curve}" marker-end="url(#tip)"/>'


def _text(place: _Point, words: str) -> str:
    return (
        f'<text x="{place[0]:g}" y="{place[1]:g}" text-anchor="middle" fill="currentColor" '
        f'style="{_HALO}">{escape(words)}</text>'
    )
