"""YAML by libyaml, which PyYAML's wheels have: its own reader takes ten times as long, and pipelines are long."""

from typing import Any

import yaml

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def documents(text: str) -> list[Any]:
    """The documents of a text, plain values only. Raises: yaml.YAMLError: it is none."""
    try:
        return list(yaml.load_all(text, LOADER))  # a safe one
    except RecursionError as error:
        raise yaml.YAMLError("it is nested too deeply") from error
