"""Text of other people's steps as a terminal may be given it."""

import re

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # but for tabs and new lines


def visible(text: str) -> str:
    """The text with what would move a terminal's cursor, colour it or turn its words around shown as `\\x1b`."""
    return CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)
