"""What a reader would type, taken by the command line's own parser; nothing is carried out."""

import os
from functools import cache
from typing import Any
from unittest import mock

import typer.main
from seaway.cli import explain
from seaway.cli.app import app
from seaway.cli.run import arguments, choose_backends
from seaway.kfp import catalog, compile, parameters

SHOWN = {"show_component": catalog.component, "show_pipeline": catalog.pipeline, "explain": explain.find}


@cache
def root() -> Any:
    """The command `seaway`."""
    return typer.main.get_command(app)


def command(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words name, and the words behind its name.

    Raises:
        LookupError: there is no such command.
    """
    found, rest = root(), list(words)
    while (children := getattr(found, "commands", {})) and rest and not rest[0].startswith("-"):
        if rest[0] not in children:
            raise LookupError(f"there is no command `seaway {' '.join(words)}`")
        found = children[rest.pop(0)]
    return found, rest


@cache
def _compiled(pipeline: str) -> Any:
    return compile.load_file(catalog.pipeline(pipeline).compiled).spec


def options(words: list[str]) -> set[str]:
    """The options of the command that the words name."""
    found, _ = command(words)
    named = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return {option for option in named if option.startswith("-")} | {"--help"}


def type_in(words: list[str]) -> None:
    """Take words as a terminal would; backends, our pipelines' parameters and what is shown by name have to exist.

    Raises:
        TyperException: the parser refuses them.
        InvalidSpec: a backend, a parameter or a name does not exist.
    """
    found, rest = command(words)
    try:
        given = found.make_context("seaway", rest).params
    except typer.Exit:  # --help
        return
    if given.get("pipeline") in {entry.name for entry in catalog.pipelines()}:
        parameters.bind(_compiled(given["pipeline"]), arguments(given.get("param") or []))
    if found.name == "run":
        with mock.patch.dict(os.environ):
            choose_backends(given["backend"] or [])
    name = given.get("name") or given.get("error")
    if found.callback.__name__ in SHOWN and name and not name.isupper():
        SHOWN[found.callback.__name__](name)
