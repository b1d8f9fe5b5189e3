"""kfp's launcher of a lightweight component: a shell installs packages, writes the source to a file and runs it."""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LINE = re.compile(
    r'program_path=\$\(mktemp -d\) printf "%s" "\$0" > "\$program_path/ephemeral_component\.py" '
    r"(?:_KFP_RUNTIME=true )?python3 -m kfp\.\w+\.executor_main "
    r'--component_module_path "\$program_path/ephemeral_component\.py" "\$@"'
)
SHELL = 3  # `sh -ec LINE` come before the source and the arguments
INSTALLS = ["-m", "pip", "install"]
OF_PIP = {"--quiet", "-q", "--no-warn-script-location", "--user"}  # that say nothing of what is installed


@dataclass(frozen=True)
class Program:
    """A component's source text, and kfp's arguments for it."""

    source: str
    arguments: tuple[str, ...]
    packages: tuple[tuple[str, ...], ...] = ()  # the words of each `pip install` that comes before


def program(command: Sequence[str]) -> Program | None:
    """What a step's command runs; None where it is no lightweight component, but a container's own."""
    packages: tuple[tuple[str, ...], ...] = ()
    words = list(command)
    if words[:2] == ["sh", "-c"] and len(words) > SHELL and "pip install" in words[2]:
        packages, words = tuple(_installed(words[2])), words[SHELL:]
    line = LINE.fullmatch(" ".join(words[SHELL - 1].split())) if len(words) > SHELL else None
    if line is None or words[:2] not in (["sh", "-ec"], ["sh", "-c"]):
        return None
    return Program(words[SHELL], tuple(words[SHELL + 1 :]), packages)


def _installed(script: str) -> Iterator[tuple[str, ...]]:
    """The words of each `pip install` of a shell script, but for those that say how it tells of its work."""
    lexer = shlex.shlex(script, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    words = list(lexer)
    for place in range(len(words)):
        if words[place : place + len(INSTALLS)] == INSTALLS:
            yield tuple(word for word in _until_sign(words[place + len(INSTALLS) :]) if word not in OF_PIP)


def _until_sign(words: Sequence[str]) -> Iterator[str]:
    for word in words:
        if not set(word) - set("&|;()"):
            return
        yield word
