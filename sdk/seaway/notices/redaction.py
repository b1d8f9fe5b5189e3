"""Striking secrets out of a text: those that are known by their values, and what looks like one."""

import re
from collections.abc import Iterable, Mapping

STRUCK = "[struck out]"
SHORTEST = 6  # characters of a value that is struck out wherever it stands; shorter ones are words
SECRET_NAME = re.compile(r"(?i)pass(word|wd|phrase)?|secret|token|api_?key|access_?key|private_?key|credential")
LOOKS_SECRET = (  # what stays, and what is struck out behind it
    re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)(.+?)(?=-----END|\Z)", re.DOTALL),
    re.compile(r"(?i)(\bauthorization\W{1,4}(?:bearer|basic|token)?\s*)([^\s\"',]+)"),
    re.compile(r"(?i)(\bbearer\s+)([\w.~+/=-]{8,})"),
    re.compile(r"(\b[a-zA-Z][\w+.-]*://)([^\s/@]+)(?=@)"),
    re.compile(
        r"(?i)([\w-]*(?:pass(?:word|wd|phrase)|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)[\w-]*"
        r"[\"']?\s*[=:]\s*[\"']?)([^\s\"',;&]+)"
    ),
)


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with each of these values, and whatever looks like a key, struck out."""
    for secret in sorted({one for one in secrets if len(one) >= SHORTEST}, key=len, reverse=True):
        text = text.replace(secret, STRUCK)
    for pattern in LOOKS_SECRET:
        text = pattern.sub(rf"\1{STRUCK}", text)
    return text


def values_of_secrets(environment: Mapping[str, str]) -> list[str]:
    """Values of the variables whose names say that they are secret."""
    return [value for name, value in environment.items() if SECRET_NAME.search(name)]
