"""Packages that scripts import and that cannot be had any more: the part of them that scripts use, on what there is.

This folder goes to the end of the path of a script, so what is really installed wins.
"""

import sys
from pathlib import Path

FOLDER = str(Path(__file__).parent)


def offer() -> None:
    """Let the modules of this process import the stand-ins of what is not installed."""
    if FOLDER not in sys.path:
        sys.path.append(FOLDER)
