"""How each process of a training is started: `python -m ENTRYPOINT --spec spec.json`."""

import argparse
from collections.abc import Callable
from pathlib import Path

from seaway.entrypoint import run
from seaway.training.spec import TrainSpec


def start(main: Callable[[TrainSpec, str], None], description: str | None) -> None:
    """Carry out `main` with the spec and the fingerprint that the command line names."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--spec", type=Path, required=True, help="file that seaway.training.TrainSpec.write wrote")
    run(lambda: main(*TrainSpec.read(parser.parse_args().spec)))
