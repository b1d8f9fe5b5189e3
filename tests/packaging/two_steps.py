"""A user's pipeline of two steps, which needs nothing but the library."""

from kfp import dsl
from seaway.kfp import component


@component
def write(words: str, text: dsl.Output[dsl.Artifact]):
    """Write words to a file."""
    from pathlib import Path

    Path(text.path).write_text(words)


@component
def count(text: dsl.Input[dsl.Artifact]) -> int:
    """Count the words of a file."""
    from pathlib import Path

    return len(Path(text.path).read_text().split())


@dsl.pipeline(name="two-steps")
def two_steps(words: str = "one two three") -> int:
    """Write words and count them."""
    return count(text=write(words=words).output).output
