"""A tracked run in the form of another tracker, in a folder and without its service; who sends it on is the user."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from seaway.errors import InvalidSpec
from seaway.extras import advice
from seaway.tracking.tracked import TrackedRun

MIRRORS = ("comet", "tensorboard", "wandb")  # each a module beside this one, `to_NAME`


@dataclass(frozen=True)
class Mirrored:
    """Where a mirror lies, the program that sends it or shows it, and what the other tracker cannot say."""

    path: Path
    program: str  # to be followed by the path
    left: tuple[str, ...] = ()

    def command(self, below: Path | None = None) -> str:
        """What is typed to send or show it; with a path below a folder where one is given, to be typed in there."""
        return f"{self.program} {quote(str(self.path.relative_to(below) if below else self.path))}"


def mirror(run: TrackedRun, to: str, folder: Path) -> Mirrored:
    """Write the run into the folder as the tracker `to` keeps it; nothing leaves this machine.

    Raises:
        InvalidSpec: there is no such tracker, its package is not installed, or the folder has this run already.
    """
    if to not in MIRRORS:
        raise InvalidSpec(f"There are no mirrors to {to!r}; there are those to {', '.join(MIRRORS)}.")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        written: Mirrored = importlib.import_module(f"seaway.tracking.to_{to}").write(run, folder.absolute())
    except ModuleNotFoundError as error:
        raise InvalidSpec(f"A mirror to {to} cannot be written: {error}. {advice(error.name)}") from error
    return written


def refuse_second(found: Path) -> None:
    """Raises: InvalidSpec: the mirror is there; a second one would be the same run twice."""
    if found.exists():
        raise InvalidSpec(f"{found} is there already, with this run. Move it away, or name another folder.")
