"""The documents' links lead in the built site to what they lead to on a git host."""

from documents import ROOT

from tools.api_reference import packages
from tools.docs_links import address, for_site, links, page


def test_a_link_out_of_the_documents_leads_to_a_page_of_that_file() -> None:
    shown = for_site("docs/how-to/serve.md", "[role](../../manifests/access/role.yaml#rules), [here](../clusters.md)")
    assert shown == "[role](../repository/manifests/access/role.yaml.md#rules), [here](../clusters.md)"
    assert (ROOT / "manifests" / "access" / "role.yaml").read_text() in page("manifests/access/role.yaml")


def test_a_page_outside_leads_back_to_the_documents_and_to_pictures() -> None:
    shown = for_site("README.md", "[judge](docs/explanation/judge.md) ![steps](pipelines/flights/pipeline.svg)")
    assert shown == "[judge](../explanation/judge.md) ![steps](pipelines/flights/pipeline.svg)"
    assert address("pipelines/flights/pipeline.svg") == "repository/pipelines/flights/pipeline.svg"


def test_a_public_package_is_shown_by_its_api() -> None:
    shown = for_site("docs/how-to/write.md", "[errors](../../sdk/seaway/errors.py)")
    assert shown == "[errors](../reference/api/seaway.errors.md)"
    assert "::: seaway.errors" in page("sdk/seaway/errors.py")


def test_a_folder_is_its_readme_or_its_files() -> None:
    assert address("images") == address("images/README.md")
    listed = links("manifests/access")
    assert "manifests/access/role.yaml" in listed
    assert for_site("manifests/access", "[role](role.yaml)") == "[role](role.yaml.md)"


def test_what_leads_nowhere_stays_so_that_the_build_fails() -> None:
    assert (
        for_site("docs/README.md", "[gone](gone.md) [out](../../other/file.md)")
        == "[gone](gone.md) [out](../../other/file.md)"
    )


def test_a_list_behind_a_paragraph_is_a_list_but_not_in_code() -> None:
    assert (
        for_site("docs/x.md", "Tutorials\n- one\n- two\n  more\n- three")
        == "Tutorials\n\n- one\n- two\n  more\n- three"
    )
    code = "````\n```\ntext\n- no item\n```\n- nor this\n````"
    assert for_site("docs/x.md", code) == code


def test_every_package_that_says_what_it_exports_has_a_page() -> None:
    named = {one.name for one in packages()}
    assert {"seaway.training", "seaway.rollout.judge", "seaway.errors"} <= named
    assert "seaway.training.tabular" not in named
