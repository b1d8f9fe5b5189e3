"""What the documents show: their blocks of code, the commands in them, and what the text has between backticks."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from places import PROJECT

ROOT = PROJECT
FOLDERS = ("", "docs/**/", "images/", "components/*/*/", "pipelines/*/")
PAGES = sorted([*(page for folder in FOLDERS for page in ROOT.glob(f"{folder}*.md")), ROOT / "changes" / "README.md"])
ENDS = {";", "&", "&&", "|", "||", "(", ")", "<", ">", ">>", "<<"}
ASSIGNED = re.compile(r"([A-Za-z_]\w*)=(.*)")
COMMENT = re.compile(r"(?:^|\s)#.*")
NOT_RUN = "# Checked, not run:"  # the first line of Python code that needs a cluster or an endpoint
HEREDOC = re.compile(r"<<-?(\w+)\n.*?\n\s*\1$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int  # of its first line of code
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@cache
def _tokens(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))


def blocks(page: Path, *languages: str) -> list[Block]:
    """The fenced blocks of these languages; "" is one without a language."""
    fences = [token for token in _tokens(page) if token.type == "fence" and token.info.strip() in languages]
    return [Block(page, token.map[0] + 2, token.info.strip(), token.content) for token in fences if token.map]


def spans(page: Path) -> list[str]:
    """What the text of a page has between backticks."""
    inline = [child for token in _tokens(page) for child in token.children or ()]
    return [child.content for child in inline if child.type == "code_inline"]


def commands(script: str) -> Iterator[list[str]]:
    """The words of each command of a shell script, `NAME=value` before it included; heredocs are left out."""
    for line in HEREDOC.sub("", script.replace("\\\n", " ")).splitlines():
        lexer = shlex.shlex(COMMENT.sub("", line), posix=True, punctuation_chars=True)
        lexer.whitespace_split, lexer.commenters = True, ""
        yield from _split(list(lexer))


def _split(words: list[str]) -> Iterator[list[str]]:
    command: list[str] = []
    for word in [*words, ";"]:
        if word in ENDS:
            if command:
                yield command
            command = []
        else:
            command.append(word.removeprefix("$("))


def program(command: list[str]) -> list[str]:
    """A command without the variables that are set before it."""
    first = next((place for place, word in enumerate(command) if not ASSIGNED.fullmatch(word)), len(command))
    return command[first:]
