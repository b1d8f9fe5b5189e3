"""kfp's launcher of a lightweight component: a shell line that writes the source to a file and runs it there."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

LINE = (
    'program_path=$(mktemp -d) printf "%s" "$0" > "$program_path/ephemeral_component.py" '
    f"_KFP_RUNTIME=true {sys.executable} -m kfp.dsl.executor_main "
    '--component_module_path "$program_path/ephemeral_component.py" "$@"'
)
SHELL = 3  # `sh -ec LINE` come before the source and the arguments


@dataclass(frozen=True)
class Program:
    """A component's source text, and kfp's arguments for it."""

    source: str
    arguments: tuple[str, ...]


def program(command: Sequence[str]) -> Program | None:
    """What a step's command runs; None where the line is another one, as where packages are installed first."""
    shell, rest = list(command[:SHELL]), command[SHELL:]
    if not rest or shell[:-1] != ["sh", "-ec"] or " ".join(shell[-1].split()) != LINE:
        return None
    return Program(rest[0], tuple(rest[1:]))
