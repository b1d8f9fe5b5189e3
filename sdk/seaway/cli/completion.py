"""What a shell completes: the parameters of the pipeline on the line.

Nothing is compiled for it, which takes seconds. The line comes in a variable: a line that ends with `-p` is none that
typer could parse.
"""

import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from seaway.errors import SeawayError
from seaway.storage.yaml_text import documents

YAML = {".yaml", ".yml"}
UNTOLD = (SeawayError, OSError, yaml.YAMLError, ValueError, LookupError, TypeError)  # a shell shows no error


LINES = ("_TYPER_COMPLETE_ARGS", "COMP_WORDS")  # where a shell's script puts what is typed
FLAGS = ("--cache", "--no-cache", "--explain", "--fuse", "--no-fuse")  # options without a value


def parameters(incomplete: str) -> list[str]:
    """`NAME=` of each parameter that begins so; none where the pipeline is not known, or has not run here yet."""
    line = next(filter(None, map(os.environ.get, LINES)), "")
    try:
        pipeline = next(_arguments(shlex.split(line)[2:]), "")
        return [f"{name}=" for name in _names(pipeline) if f"{name}=".startswith(incomplete)]
    except UNTOLD:
        return []


def _arguments(words: list[str]) -> Iterator[str]:
    """Words that are neither options nor values of such."""
    before = ""
    for word in words:
        if not word.startswith("-") and (not before.startswith("-") or before in FLAGS or "=" in before):
            yield word
        before = word


def _names(pipeline: str) -> Iterator[str]:
    from seaway.kfp import catalog, pipeline_file

    if Path(pipeline).suffix in YAML:
        yield from _of(documents(Path(pipeline).read_text(encoding="utf-8"))[0])
    elif pipeline_file.is_python(pipeline):
        yield from _of(_latest(pipeline_file.absolute(pipeline)))
    else:
        yield from _of(documents(catalog.pipeline(pipeline).compiled.read_text(encoding="utf-8"))[0])


def _of(compiled: Mapping[str, Any]) -> Iterator[str]:
    yield from compiled.get("root", {}).get("inputDefinitions", {}).get("parameters", {})


def _latest(source: str) -> Mapping[str, Any]:
    """What the latest run of a file ran."""
    from seaway.kfp.local.records import pipeline_of, records

    return next((pipeline_of(run["run"]) for run in records() if run.get("source") == source), {})
