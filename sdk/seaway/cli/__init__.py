"""The seaway command."""


def main() -> None:
    """Run the command line: a Seaway error becomes one paragraph on stderr, `SEAWAY_DEBUG=1` shows the traceback."""
    import os
    import sys

    from seaway.cli.commands import app
    from seaway.errors import InvalidSpec, SeawayError

    try:
        app(prog_name="seaway")
    except SeawayError as error:
        if os.environ.get("SEAWAY_DEBUG"):
            raise
        sys.stderr.write(f"seaway: {error}\n")
        sys.exit(2 if isinstance(error, InvalidSpec) else 1)
