"""The command line's reference page is what the commands say."""

from places import PROJECT

from tools.cli_reference import reference


def test_the_reference_page_is_what_make_generate_writes() -> None:
    page = PROJECT / "docs" / "reference" / "cli.md"
    assert page.read_text() == reference(), "run `make generate` and commit"
