"""Where things are that tests of several rooms name."""

from pathlib import Path

PROJECT = Path(__file__).parents[2]
SUPPORT = Path(__file__).parent
LOCAL_PROGRAMS = Path(__file__).parent / "local"  # entrypoints and pipelines that tests start
