"""Compiles a pipeline for the page, which imports none itself: `python -m seaway.dev.describe_process SOURCE`."""

import contextlib
import json
import sys

from seaway.errors import InvalidSpec
from seaway.kfp import compile as compiler

WRONG = 2


def main(source: str) -> int:
    """The exit code; what was compiled is on stdout as JSON, whatever the pipeline's file prints."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            spec = compiler.plain(compiler.load(source).spec)
    except InvalidSpec as error:
        sys.stderr.write(f"{error}\n")
        return WRONG
    json.dump(spec, sys.stdout)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
