"""The table of permissions, and the files made from it."""

import pytest
import yaml
from places import PROJECT
from seaway.platforms.kubernetes.client.resources import POD_LOGS, PODS, Resource
from seaway.platforms.kubernetes.install import rbac

from tools import access_manifests

UNBOUNDED = {"*", "escalate", "bind", "impersonate", "deletecollection", "update"}


@pytest.mark.parametrize("name", access_manifests.manifests())
def test_what_is_committed_is_what_make_generate_writes(name: str) -> None:
    assert (PROJECT / name).read_text() == access_manifests.manifests()[name], "run `make generate` and commit"


def test_the_role_has_every_permission_of_the_table_and_no_other() -> None:
    role = yaml.safe_load(access_manifests.manifests()["manifests/access/role.yaml"])
    granted = {
        (group, plural, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for plural in rule["resources"]
        for verb in rule["verbs"]
    }
    assert granted == {(resource.group, resource.plural, verb) for resource, verb in rbac.permissions()}


def test_nothing_unbounded_is_granted_and_no_secret_can_be_read_but_the_endpoints_tokens() -> None:
    for resource, verb in rbac.permissions():
        assert verb not in UNBOUNDED
        assert resource.plural not in ("*", "pods/exec", "serviceaccounts/token")
    for rule in rbac.RULES:
        if rule.resource.plural == "secrets":
            assert rule.verbs == ("create",) or rule.names == ("seaway-endpoint-tokens",)
            assert not {"list", "watch"} & set(rule.verbs)


@pytest.mark.parametrize("resource, verb", rbac.permissions(), ids=lambda value: getattr(value, "plural", value))
def test_one_permission_fewer_is_exactly_that(resource: Resource, verb: str) -> None:
    before = set(rbac.permissions())
    left = {(rule.resource, kept) for rule in rbac.without(resource, verb) for kept in rule.verbs}
    assert before - left == {(resource, verb)}
    assert left < before


def test_a_rule_that_loses_its_last_verb_is_no_rule() -> None:
    assert all(rule.verbs for rule in rbac.without(PODS, "list"))
    assert POD_LOGS not in [rule.resource for rule in rbac.without(POD_LOGS, "get")]
