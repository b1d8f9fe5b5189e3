"""The seaway command."""

FAULT = "This is a fault of Seaway itself"


def main() -> None:
    """Run the command line: an error becomes one paragraph on stderr, `SEAWAY_DEBUG=1` shows the traceback.

    Beside Seaway's own errors those of the operating system are told so: a full disk, a folder that is read-only; that
    a package is missing which one of the extras brings; and what is a fault of Seaway.
    """
    import os
    import sys

    from seaway.cli.interrupts import ending_at_once
    from seaway.cli.streams import require_streams, require_utf8
    from seaway.cli.visible import visible

    require_utf8()
    require_streams()
    with ending_at_once():
        from seaway.cli.app import app
        from seaway.errors import InvalidSpec

    try:
        app(prog_name="seaway")
    except Exception as error:
        if os.environ.get("SEAWAY_DEBUG"):
            raise
        sys.stderr.write(_wrapped(visible(f"seaway: {_told(error)}{_more(error)}")) + "\n")
        sys.exit(2 if isinstance(error, InvalidSpec) else 1)


def _told(error: Exception) -> str:
    """The message; one of the operating system knows neither the state folder nor what to do, an import's no extra."""
    from seaway.errors import SeawayError

    if isinstance(error, ModuleNotFoundError):
        from seaway.extras import advice

        return advice(error.name) or _fault(error)
    if isinstance(error, SeawayError):
        return str(error)
    if not isinstance(error, OSError):
        return _fault(error)
    import os

    folder = os.environ.get("SEAWAY_HOME", ".seaway")
    return f"{error}. The state folder is {folder}; make room there, or set SEAWAY_HOME to another place."


def _fault(error: Exception) -> str:
    """What nobody thought of, so that nobody can say what to do."""
    text = " ".join(str(error).split())
    return f"{FAULT} ({type(error).__name__}: {text}). SEAWAY_DEBUG=1 shows where it happened; please report that."


def _more(error: Exception) -> str:
    """Where the error's page is: a failed run has that of its step's error, a backend's own error that of its kind."""
    kinds = [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "seaway.errors"]
    return f"\nMore: seaway explain {getattr(error, 'cause', '') or kinds[0]}" if kinds else ""


def _wrapped(text: str) -> str:
    """The text in lines of the terminal's width, paths unbroken; as it is where stderr is no terminal."""
    import shutil
    import sys
    import textwrap

    if not sys.stderr.isatty():
        return text
    width = shutil.get_terminal_size().columns
    lines = (
        textwrap.wrap(line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        for line in text.splitlines()
    )
    return "\n".join(part for parts in lines for part in parts or [""])
