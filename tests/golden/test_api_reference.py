"""The list of the API is what the packages export, and all of it can be imported."""

import importlib

import pytest
from documents import ROOT

from tools.api_reference import PAGE, Package, packages, reference


def test_the_reference_page_is_what_make_generate_writes() -> None:
    assert (ROOT / PAGE).read_text() == reference(), "run `make generate` and commit"


@pytest.mark.parametrize("package", packages(), ids=lambda package: package.name)
def test_every_name_of_the_api_can_be_imported(package: Package) -> None:
    module = importlib.import_module(package.name)
    assert [name for name in package.exported if not hasattr(module, name)] == []
