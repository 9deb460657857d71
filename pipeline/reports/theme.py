"""The look of the figures, in the light and in the dark."""

from typing import Any

# Okabe and Ito's palette, which the colour-blind can distinguish; in the dark, its lighter half
# first. https://jfly.uni-koeln.de/color/
_LIGHT = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"]
_DARK = ["#56b4e9", "#e69f00", "#2fcf9f", "#e79ac4", "#f0e442", "#ff8a47"]

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


def _config(ink: str, faint: str, paper: str, colours: list[str], shares: list[str]) -> Any:
    return {
        "background": paper,
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            "labelColor": ink,
            "titleColor": ink,
            "gridColor": faint,
            "domainColor": faint,
            "tickColor": faint,
            "labelFontSize": 11,
            "titleFontSize": 12,
            "titleFontWeight": 500,
            "labelOverlap": "greedy",
            "labelSeparation": 8,
        },
        # Every second label or fourth, as far apart as each other.
        "axisX": {"labelFlush": False, "labelOverlap": "parity"},
        "axisY": {"labelFlush": False},
        "mark": {"color": colours[0]},
        "legend": {
            "labelColor": ink,
            "titleColor": ink,
            "orient": "bottom",
            "titleFontWeight": 500,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "gradientLength": 160,
            "symbolStrokeWidth": 3,
            "titleOrient": "top",
            "columns": 3,
        },
        "title": {"color": ink, "anchor": "start", "fontSize": 14, "subtitleColor": ink},
        "text": {"color": ink},
        "rule": {"color": ink},
        "line": {"strokeWidth": 2},
        "range": {
            "category": colours,
            "ordinal": colours,
            "diverging": shares,
            "heatmap": {"scheme": "viridis"},
            "ramp": {"scheme": "viridis"},
        },
    }


LIGHT = _config(
    "#24292f",
    "#d8dee4",
    "#ffffff",
    _LIGHT,
    ["#5c1c00", "#9c3a00", "#c65102", "#e8852f", "#dcecf5"],
)
DARK = _config(
    "#e6e6e6",
    "#3d444d",
    "#15191f",
    _DARK,
    ["#fff0d8", "#ffc68a", "#ff9d5c", "#e8762f", "#1d3c50"],
)
