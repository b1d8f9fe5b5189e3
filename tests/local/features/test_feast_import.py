"""Feast is imported light, and nothing of it that Seaway's users call is lost."""

import subprocess
import sys

import pytest

LIGHT = "from seaway.features.feast_import import import_feast; import_feast(); import sys, typeguard; "


def run(code: str) -> str:
    """What a fresh Python prints, as Feast can be imported once in a process."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_feast_comes_without_torch_and_torch_is_there_when_asked_for() -> None:
    code = LIGHT + (
        "print('torch' in sys.modules); from feast.torch_wrapper import get_torch; "
        "print(get_torch().tensor([1, 2]).sum().item())"
    )
    assert run(code).split() == ["False", "3"]


def test_typeguard_checks_again_once_feast_is_there() -> None:
    assert run(LIGHT + "print(typeguard.typechecked is sys.modules['typeguard._decorators'].typechecked)") == "True"


@pytest.mark.parametrize("first", ["import feast", "import torch"])
def test_what_was_imported_before_stays_as_it_is(first: str) -> None:
    code = f"{first}; " + LIGHT + "import torch; print(sys.modules['torch'] is torch, torch.tensor([2]).item())"
    assert run(code) == "True 2"
