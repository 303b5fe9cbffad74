"""How every figure looks: the palette, the plotnine theme, the shape `Figure` and its files.

The palette is that of the Government Analysis Function: at least 3 to 1 on white. Keep its order, because
neighbours contrast with each other and alternate colours do not. Direction is carried by shape and words.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from plotnine import theme

DARK_BLUE, TURQUOISE, PLUM, ORANGE, DARK_GREY, LILAC = (
    "#12436D", "#28A197", "#801650", "#F46A25", "#3D3D3D", "#A285D1",
)  # fmt: skip
FOCUS_GREY = "#BFBFBF"  # background context only: too faint to carry meaning
INK = "#0B0C0C"
PALETTE = (DARK_BLUE, TURQUOISE, PLUM, ORANGE, DARK_GREY, LILAC)
DUO = (DARK_BLUE, ORANGE)  # treated, control
FONT = "Open Sans"
TEXT = 11  # points, at the width figures are shown: no smaller than the text around them
DOTS_PER_INCH = 200


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A drawing with its text alternative and the numbers behind it.

    `plot` is a plotnine object without titles: titles are text in the report. `alt` comes from `data`, in at
    most three sentences. `caption` states measure, place and dates. `width` and `height` are in inches.
    """

    plot: Any
    alt: str
    data: pd.DataFrame
    caption: str = ""
    width: float = 7.0
    height: float = 3.5


def templates_dir() -> Path:
    """The folder of the shipped templates: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    shipped = package / "templates" / "report"
    return shipped if shipped.is_dir() else package.parent / "templates" / "report"


def template_names() -> list[str]:
    """The templates that there are, by name."""
    return sorted(path.stem for path in templates_dir().glob("*.qmd"))


@cache
def use_font() -> None:
    """Make the shipped font known to matplotlib, so that figures do not depend on what a machine has."""
    from matplotlib import font_manager

    for path in sorted((templates_dir() / "fonts").glob("*.ttf")):
        font_manager.fontManager.addfont(path)


def plain_theme(*, grid: str = "x") -> theme:
    """White ground, horizontal text, key above, and grid lines only along `grid` (x, y, or none)."""
    from plotnine import element_blank, element_line, element_text, theme, theme_minimal

    use_font()
    line = element_line(color="#D9DADB", size=0.6)
    return theme_minimal(base_size=TEXT, base_family=FONT) + theme(
        text=element_text(color=INK),
        axis_text=element_text(color=INK, size=TEXT),
        axis_title=element_text(color=INK, size=TEXT),
        axis_title_y=element_text(rotation=0, ha="left"),
        strip_text=element_text(color=INK, size=TEXT, weight="bold", ha="left"),
        panel_grid_minor=element_blank(),
        panel_grid_major_x=line if grid == "x" else element_blank(),
        panel_grid_major_y=line if grid == "y" else element_blank(),
        legend_position="top",
        legend_title=element_blank(),
        legend_text=element_text(size=TEXT),
        legend_justification="left",
        plot_margin=0.02,
    )


def draw(figure: Figure, *, name: str) -> dict[str, bytes]:
    """The same drawing as `svg` and as `png`, to the byte on every run: salted ids, no date."""
    import matplotlib
    from matplotlib import pyplot
    from plotnine import theme

    use_font()
    settings = {"svg.hashsalt": f"evalkit {name}", "svg.fonttype": "path", "path.simplify": True}
    with matplotlib.rc_context(settings):
        drawn = (figure.plot + theme(figure_size=(figure.width, figure.height))).draw()
        try:
            return {
                "svg": _bytes(drawn, "svg", {"Date": None, "Creator": "evalkit"}),
                "png": _bytes(drawn, "png", {"Software": None}),
            }
        finally:
            pyplot.close(drawn)


def save(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write `name.svg` and `name.png` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind, content in draw(figure, name=name).items():
        path = folder / f"{name}.{kind}"
        path.write_bytes(content)
        written.append(path)
    return written


def _bytes(drawn: Any, kind: str, metadata: dict[str, str | None]) -> bytes:
    target = BytesIO()
    drawn.savefig(target, format=kind, dpi=DOTS_PER_INCH, metadata=metadata)
    return target.getvalue()
