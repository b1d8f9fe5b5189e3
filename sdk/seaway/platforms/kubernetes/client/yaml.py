"""The text of an object as people read it in git: long texts as blocks, nothing by reference, fields in their order."""

from collections.abc import Iterable, Mapping
from typing import Any

import yaml


class _Block(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]  # libyaml's, where PyYAML has it
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Block.add_representer(str, _string)


def manifest_text(manifest: Mapping[str, Any]) -> str:
    """One document of YAML."""
    return yaml.dump(manifest, Dumper=_Block, sort_keys=False, width=4096)


def manifests_text(manifests: Iterable[Mapping[str, Any]]) -> str:
    """A document for each."""
    return "---\n".join(manifest_text(manifest) for manifest in manifests)
