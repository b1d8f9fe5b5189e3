"""Runs a pipeline as `seaway run` does, for the page: `python -m seaway.dev.run_process SOURCE < ARGUMENTS`."""

import json
import sys

from seaway.errors import InvalidSpec, SeawayError
from seaway.kfp import pipeline_file
from seaway.kfp.local.runner import Interrupted, local_run

WRONG, FAILED, ENDED = 2, 1, 130


def main(source: str) -> int:
    """The exit code; a mistake in what was asked for is told on stderr, all else is in the run's record."""
    pipeline_file.let_steps_import(source)
    try:
        local_run(source, json.load(sys.stdin))
    except InvalidSpec as error:
        print(error, file=sys.stderr)  # noqa: T201  # read by who started it
        return WRONG
    except SeawayError:
        return FAILED
    except Interrupted:
        return ENDED
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
