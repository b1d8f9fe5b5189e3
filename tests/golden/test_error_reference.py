"""The errors' reference page is what errors.py says."""

from documents import ROOT

from tools.error_reference import PAGE, reference


def test_the_reference_page_is_what_make_generate_writes() -> None:
    assert (ROOT / PAGE).read_text() == reference(), "run `make generate` and commit"
