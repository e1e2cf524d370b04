"""Figures of `twin.plot` as SVG inside the page: text stays text, colours become the page's variables."""

from __future__ import annotations

import io
import re
import warnings

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from twin.plot import style
from twin.report.markup import esc

_VARIABLES = {
    style.GROUND: "ground", style.INK: "ink", style.DIM: "dim", style.RULE: "rule", style.MUTE: "mute",
    style.LOAD: "load", style.GRID: "grid", style.PV: "pv", style.STORAGE: "storage", style.GENSET: "genset",
    style.OUTAGE: "outage", **{colour: f"d{place}" for place, colour in enumerate(style.DESIGNS)},
}  # fmt: skip
"""Which CSS variable stands for which colour of `twin.plot.style`."""
_LEFT_OUT = {"Date": None, "Creator": None, "Format": None, "Type": None}
_NAMESPACE = "http://www.w3.org/2000/svg"


def svg(axes: Axes, finding: str, key: str) -> str:
    """The figure of some axes as an SVG element with a title, its ids unlike those of any other key.

    Args:
        axes: drawn by `twin.plot`.
        finding: what the figure shows, read aloud to those who do not see it.
        key: short, unique on the page.
    """
    figure = axes.figure
    assert isinstance(figure, Figure)
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": key}), warnings.catch_warnings():
        # the reader's fonts draw the text, not ours: here it is only measured; numbers too long for a figure stay so
        warnings.filterwarnings("ignore", message="Glyph|constrained_layout not applied")
        figure.savefig(buffer, format="svg", metadata=_LEFT_OUT, transparent=True)
    head, _, body = buffer.getvalue().decode("utf-8").partition("<svg")[2].partition(">")
    box = re.search(r'viewBox="[^"]*"', head)
    assert box is not None
    for colour, name in _VARIABLES.items():
        body = body.replace(colour, f"var(--{name})")
    body = re.sub(r"<!--.*?-->\s*|<style.*?</style>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r"font: ([^;\"]*)", _font, body)
    body = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", body)
    # a hundredth of a point is nothing to an eye; numbers that are read stay whole
    body = re.sub(r"<[^>]*>", lambda mark: re.sub(r"(\d\.\d\d)\d+", r"\1", mark[0]), body)
    body = re.sub(r'(id="|xlink:href="#|url\(#)', rf"\g<1>{key}-", body).replace("xlink:href", "href")
    title = f'<title id="{key}-finding">{esc(finding)}</title>'
    return f'<svg xmlns="{_NAMESPACE}" {box[0]} role="img" aria-labelledby="{key}-finding">{title}{body.strip()}'


def _font(found: re.Match[str]) -> str:
    """The page's own family; size and weight stay."""
    size = re.search(r"[\d.]+px", found[1])
    weight = "; font-weight: 600" if re.search(r"bold|[67]00", found[1]) else ""
    return f"font-size: {size[0] if size else '9px'}{weight}"
