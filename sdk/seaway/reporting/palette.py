"""The colours of every page and chart: one name, a light and a dark value.

Each text colour has a contrast of at least 4.5:1 and each mark of at least 3:1 on its page's background
(WCAG 2.2, success criteria 1.4.3 and 1.4.11). Blue, amber and teal stay apart under the common colour-vision
deficiencies; no chart tells two things apart by colour alone.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Colour:
    """A named colour: `light` and `dark` are its hexadecimal values in the two colour schemes."""

    name: str
    light: str
    dark: str

    def __str__(self) -> str:
        return self.light


PAPER = Colour("paper", "#fdfdfe", "#0e1420")
CARD = Colour("card", "#ffffff", "#151d2c")
INK = Colour("ink", "#172033", "#e6ebf4")
MUTED = Colour("muted", "#5a667c", "#9aa7bd")
LINE = Colour("line", "#e1e6ee", "#2a3548")
BLUE = Colour("blue", "#2460d8", "#6ea4ff")
AMBER = Colour("amber", "#b45f06", "#f5b14c")
TEAL = Colour("teal", "#0b7d70", "#3fd0bd")
VIOLET = Colour("violet", "#7440c4", "#b596f5")
GREY = Colour("grey", "#677389", "#8b98af")
GOOD = Colour("good", "#147a3d", "#4fd083")
BAD = Colour("bad", "#bb2124", "#ff8078")

SERIES = (BLUE, AMBER, TEAL, VIOLET, GREY)
ALL = (PAPER, CARD, INK, MUTED, LINE, *SERIES, GOOD, BAD)
