"""The port of a flavour, and the flavours that there are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from seaway import registry
from seaway.errors import InvalidSpec
from seaway.models.signature import HASHED, Array, Signature, TensorSpec

PORT = "Flavour"


@dataclass(frozen=True)
class Options:
    """What is said about a file that is adopted.

    `sample` is a few rows of every input, empty for none. `constants` are values of inputs that are no rows of data,
    such as a sampling rate, and become part of the model.
    """

    sample: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Adopted:
    """What a format says of a model: empty where it does not.

    Attributes:
        flavour: of the files that were written.
        inputs: in the model's order; empty where only a signature or a sample can tell.
        outputs: names, in the model's order.
        strings: how they reach the model.
        classes: of the label, where the model names them.
    """

    flavour: str
    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[str, ...] = ()
    strings: str = HASHED
    classes: tuple[str, ...] = ()


class Flavour(Protocol):
    """What one kind of model file is. Importing the module that has it imports no framework.

    Attributes:
        name: as in `signature.json`.
        title: for people.
        files: what a package of it holds beside signature and lineage; the first one names the model by its hash.
        optional: what it may hold.
        sources: endings of the files that `adopt` takes, `/` for folders.
        extra: of Seaway's wheel, that brings what loads it; empty where none is needed beyond `local`.
        platform: what the Open Inference Protocol's metadata call it.
        safety: in a sentence, why its files can be loaded.
    """

    name: str
    title: str
    files: tuple[str, ...]
    optional: tuple[str, ...]
    sources: tuple[str, ...]
    extra: str
    platform: str
    safety: str

    def check(self, folder: Path) -> None:
        """Read the files without running anything. Raises: PackageRefused: loading them could run code."""
        ...

    def load(
        self, folder: Path, signature: Signature, threads: int | None
    ) -> Callable[[Sequence[Array]], Sequence[Array]]:
        """What answers encoded inputs, in the signature's order, by outputs in its order; files were checked.

        Raises:
            PackageRefused: the files are no such model, or not of this signature.
            InvalidSpec: what loads them is not installed.
        """
        ...

    def prove(self, folder: Path) -> None:
        """What is to hold beyond a sample's answers. Raises: PackageRefused."""
        ...

    def adopt(self, source: Path, folder: Path, options: Options) -> Adopted:
        """Write the flavour's files into `folder` from a file or folder of its format, and tell what that says.

        Raises:
            PackageRefused: it is none of this format, or loading it could run code.
            InvalidSpec: something has to be said, or what reads it is not installed.
        """
        ...


@cache
def named(name: str) -> Flavour:
    """The flavour of that name. Raises: InvalidSpec: there is none; the message lists those that there are."""
    flavour: Flavour = registry.find(PORT, name).load()()
    return flavour


def of(signature: Signature) -> Flavour:
    """The flavour that a signature names. Raises: InvalidSpec: there is none."""
    return named(signature.flavour)


@cache
def every() -> tuple[Flavour, ...]:
    """All flavours, those of other wheels last."""
    return tuple(named(name) for name in registry.backends(PORT))


def recognized(source: Path) -> Flavour:
    """The flavour that takes a file or folder, by its ending. Raises: InvalidSpec."""
    ending = "/" if source.is_dir() else source.suffix.lower()
    found = [flavour for flavour in every() if ending in flavour.sources]
    if len(found) != 1:
        known = ", ".join(sorted({ending for flavour in every() for ending in flavour.sources}))
        which = f" ({' or '.join(flavour.name for flavour in found)})" if found else ""
        raise InvalidSpec(f"{source} is of no known kind{which}; say it by --flavour, or give one of {known}.")
    return found[0]
