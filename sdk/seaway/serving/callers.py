"""Who else may ask an endpoint: each caller by a token of its own, within a number of its own.

As text, a line for each token: `NAME TOKEN`, or `NAME TOKEN REQUESTS_PER_S`. A caller on two lines is known by either
token, so that one can be replaced while the other is still in use; both take from the same number.
"""

import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from seaway.errors import InvalidSpec

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
TOKEN = re.compile(r"[!-~]{16,512}")  # printable ASCII, which a header takes as it is
TOKEN_BYTES = 32
MOST_PER_S = 2**31 - 1


@dataclass(frozen=True)
class Caller:
    """One caller.

    Args:
        name: As in a host's name.
        tokens: Each of which it is known by, the newest first.
        requests_per_s: Inference requests a second, at most; 0 for any.

    Raises:
        InvalidSpec: one of them cannot be; no message has a token.
    """

    name: str
    tokens: tuple[str, ...]
    requests_per_s: int = 0

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise InvalidSpec(f"Caller {self.name!r} is no name: use lower-case letters, digits and '-'.")
        if not self.tokens or not all(TOKEN.fullmatch(token) for token in self.tokens):
            raise InvalidSpec(f"A token of caller {self.name} is none: give 16 to 512 printable characters, no space.")
        if not 0 <= self.requests_per_s <= MOST_PER_S:
            raise InvalidSpec(
                f"Caller {self.name} has {self.requests_per_s} requests a second; give 0 (any) to {MOST_PER_S}."
            )


Callers = tuple[Caller, ...]


def parse(text: str) -> Callers:
    """Read lines; empty ones are left out. Raises: InvalidSpec: a line is none, by its number and not its content."""
    found: dict[str, Caller] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if words := line.split():
            one = _caller(words, number)
            before = found.get(one.name)
            if before and before.requests_per_s != one.requests_per_s:
                raise InvalidSpec(f"Caller {one.name} has two numbers of requests a second (line {number}); give one.")
            found[one.name] = replace(one, tokens=(*before.tokens, *one.tokens)) if before else one
    callers = tuple(found.values())
    _require_apart(callers)
    return callers


def text_of(callers: Callers) -> str:
    """What `parse` reads."""
    return "".join(f"{one.name} {token} {one.requests_per_s}\n" for one in callers for token in one.tokens)


def split(secret: str) -> tuple[str, str]:
    """The endpoint's own token, which is the first line of a Secret's value, and the lines of its callers."""
    token, _, lines = secret.strip().partition("\n")
    return token.strip(), lines


def known(callers: Callers, name: str) -> Caller:
    """The caller of that name. Raises: InvalidSpec: there is none."""
    for one in callers:
        if one.name == name:
            return one
    raise InvalidSpec(f"There is no caller {name!r}; there are: {', '.join(one.name for one in callers) or 'none'}.")


def allowed(callers: Callers, name: str, requests_per_s: int) -> Callers:
    """With that caller within that number; one that is new gets a token. Raises: InvalidSpec."""
    found = [one for one in callers if one.name == name] or [Caller(name, (new_token(),))]
    return (*without(callers, name), replace(found[0], requests_per_s=requests_per_s))


def without(callers: Callers, name: str) -> Callers:
    """Those of other names."""
    return tuple(one for one in callers if one.name != name)


def rotated(callers: Callers, name: str, *, both: bool) -> Callers:
    """With another token of that caller, or without any but its newest where not `both`. Raises: InvalidSpec."""
    one = known(callers, name)
    tokens = (new_token(), one.tokens[0]) if both else one.tokens[:1]
    return tuple(replace(each, tokens=tokens) if each == one else each for each in callers)


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def _caller(words: Sequence[str], number: int) -> Caller:
    name, token, per_s = (*words, "0")[:3] if len(words) in (2, 3) else ("", "", "")  # fmt: skip
    if not per_s.isdecimal():
        raise InvalidSpec(f"Line {number} of the callers is not NAME TOKEN or NAME TOKEN REQUESTS_PER_S.")
    return Caller(name, (token,), int(per_s))


def _require_apart(callers: Callers) -> None:
    """Raises: InvalidSpec: a token is two callers'."""
    owners: dict[str, str] = {}
    for name, token in _pairs(callers):
        if owners.setdefault(token, name) != name:
            raise InvalidSpec(f"Callers {owners[token]} and {name} have the same token; give each its own.")


def _pairs(callers: Callers) -> Iterator[tuple[str, str]]:
    return ((one.name, token) for one in callers for token in one.tokens)
