"""What the documents tell a reader to type exists: commands, options, parameters, make targets, files, variables."""

import importlib.util
import re
import subprocess
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from documents import ASSIGNED, PAGES, ROOT, blocks, commands, program, spans
from seaway.registry import PORTS
from typed_commands import command, options, type_in

TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
FOLDERS = "|".join(sorted({re.escape(path.split("/")[0]) for path in TRACKED if "/" in path}))
FILE = re.compile(rf"(?:\./)?((?:{FOLDERS})/[\w.*/-]*|(?:cli|kfp|model_server|platforms)/[\w/]+\.py)")
ROOTS = (ROOT, ROOT / "sdk" / "seaway")  # what a path in the text may be told from
PAST = {"CHANGELOG.md"}  # tells what things were called
MADE = ("manifests/endpoints", "components/data/count_positives")  # by what the pages tell to do
VARIABLE = re.compile(r"\bSEAWAY_[A-Z]\w*\b")
NAME = re.compile(r"(?<![\w./-])((?:seaway|seaway_\w+)(?:\.[a-zA-Z_]\w*)+)(?![\w/-])")
OPTION = re.compile(r"--[a-z][\w-]*")
FOREIGN = {"--check", "--existing-token", "--load", "--push", "--sbom", "--spec", "--webhook-inject-securitycontext"}
DRAWN = re.compile(r"\[OPTIONS\]|─|→")  # the usage in the commands' reference, and pictures


def problems(find: Callable[[Path], Iterable[str]]) -> dict[str, list[str]]:
    """What is wrong with each page, where something is."""
    found = {str(page.relative_to(ROOT)): sorted(set(find(page))) for page in PAGES if page.name not in PAST}
    return {page: wrong for page, wrong in found.items() if wrong}


@cache
def shown(page: Path) -> list[list[str]]:
    """The commands of a page: those of its scripts, and lines of blocks without a language that begin like one."""
    scripts = [block.text for block in blocks(page, "sh")]
    lines = [line for block in blocks(page, "") for line in block.text.splitlines() if not DRAWN.search(line)]
    scripts += [line for line in lines if re.match(r"(seaway|make|python -m) ", line)]
    return [one for script in scripts for one in commands(script)]


@cache
def refused(line: tuple[str, ...]) -> str:
    try:
        type_in(list(line))
    except Exception as error:  # noqa: BLE001  # a list of them tells more than the first
        return f"seaway {' '.join(line)}: {error}"
    return ""


def test_the_command_line_takes_every_command_of_a_script() -> None:
    def wrong(page: Path) -> Iterable[str]:
        typed = [program(one)[1:] for one in shown(page) if program(one)[:1] == ["seaway"]]
        own = [words for words in typed if words[-1] != "count_positives"]  # the component that the guide makes
        return filter(None, (refused(tuple(words)) for words in own))

    assert problems(wrong) == {}


def test_every_command_in_the_text_has_the_options_that_it_is_shown_with() -> None:
    def wrong(page: Path) -> Iterable[str]:
        for span in spans(page):
            if span.startswith("seaway "):
                yield from unknown(re.sub(r"[\[\]|]", " ", span).split()[1:])

    def unknown(words: list[str]) -> Iterable[str]:
        try:
            return {word for word in words if OPTION.fullmatch(word)} - options(words)
        except LookupError as error:
            return [str(error)]

    assert problems(wrong) == {}


def test_every_option_that_stands_alone_in_the_text_is_one_of_the_command_line() -> None:
    def below(found: object) -> Iterable[set[str]]:
        yield {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
        for child in getattr(found, "commands", {}).values():
            yield from below(child)

    known = set().union(*below(command([])[0])) | FOREIGN
    assert problems(lambda page: {OPTION.match(span)[0] for span in spans(page) if OPTION.match(span)} - known) == {}


def test_every_make_target_exists() -> None:
    def wrong(page: Path) -> Iterable[str]:
        lines = [program(one) for one in shown(page)] + [span.split() for span in spans(page)]
        named = {word for words in lines if words[:1] == ["make"] for word in words[1:] if not ASSIGNED.fullmatch(word)}
        return named - TARGETS

    assert problems(wrong) == {}


def test_every_file_of_a_script_or_in_the_text_exists() -> None:
    def wrong(page: Path) -> Iterable[str]:
        words = [word for one in shown(page) for word in one] + spans(page)
        named = {found[1].rstrip("/") for word in words if (found := FILE.fullmatch(word))}
        return [name for name in named if not name.startswith(MADE) and not any(any(root.glob(name)) for root in ROOTS)]

    assert problems(wrong) == {}


def test_every_variable_is_read_by_something() -> None:
    """The sources name them, but for those of ports, which are made of the ports' names."""
    read = {
        name for path in TRACKED if re.match(r"(sdk|components|kustomize|tests)/", path) for name in _variables(path)
    }
    known = read | {port.variable for port in PORTS.values()}
    assert problems(lambda page: set(VARIABLE.findall(page.read_text())) - known) == {}


def _variables(path: str) -> list[str]:
    file = ROOT / path
    return VARIABLE.findall(file.read_text(errors="ignore")) if file.is_file() and file.suffix != ".md" else []


NOT_MODULES = {"seaway.backends", "seaway_components.data.count_positives.component"}  # entry points; a guide's own
EARLIER = "upgrade.md"  # it names what there was


def test_every_dotted_name_leads_to_something() -> None:
    def astray(page: Path) -> set[str]:
        named = set() if page.name == EARLIER else set(NAME.findall(page.read_text())) - NOT_MODULES
        return {name for name in named if not leads(name)}

    assert problems(astray) == {}


@cache
def leads(name: str) -> bool:
    """Whether a module, or an attribute of one, has this name; modules are not imported for their name's sake."""
    try:
        return bool(importlib.util.find_spec(name)) or hasattr(*split(name))
    except ModuleNotFoundError:  # what is above it is no package
        return hasattr(*split(name))


def split(name: str) -> tuple[object, str]:
    """What an attribute's name stands behind, and the attribute."""
    above, _, attribute = name.rpartition(".")
    try:
        return importlib.import_module(above), attribute
    except ModuleNotFoundError:
        return getattr(*split(above), None), attribute
