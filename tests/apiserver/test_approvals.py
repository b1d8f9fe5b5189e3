"""manifests/approvals on a real API server: a decision is made once, by who may, under their own name."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from accounts import as_account
from kubernetes import dynamic
from seaway.approvals import Question, await_decision
from seaway.errors import AdmissionRefused, NameTaken, NotApproved
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS
from seaway.platforms.kubernetes.install import approval_policy, rbac
from seaway.platforms.kubernetes.jobs.approvals import APPROVES, BY, DECISION, GATE, RUN, ConfigMapApprovals

QUESTION = Question("run-1", "release", "May it be rolled out?", ("report: AUC 0.81",), "2026-01-01T00:00:00+00:00")
SETTLED_S = 30  # the API server has seen a policy long before
POLL_S = 0.05


@pytest.fixture(scope="module")
def policy(cluster: dynamic.DynamicClient) -> Iterator[None]:
    """The shipped one."""
    made = []
    for manifest in approval_policy.objects():
        kind = cluster.resources.get(api_version=manifest["apiVersion"], kind=manifest["kind"])
        kind.create(body=manifest)
        made.append((kind, manifest["metadata"]["name"]))
    yield
    for kind, name in made:
        kind.delete(name=name)


@pytest.fixture
def asking(connection: Connection, policy: None) -> ConfigMapApprovals:
    """A step's approvals, by nothing more than the role that steps have; the question stands."""
    approvals = ConfigMapApprovals(as_account(connection, rbac.RULES))
    deadline = time.monotonic() + SETTLED_S
    while True:
        try:
            approvals.ask(QUESTION)
        except NotApproved:
            assert time.monotonic() < deadline, "the policy never came into force"
            time.sleep(0.2)
        else:
            return approvals


def asked(connection: Connection) -> dict[str, Any]:
    (found,) = Objects(connection).list(CONFIG_MAPS, {"labelSelector": GATE}).items
    return found


def write(connection: Connection, path: str, value: object) -> None:
    Objects(connection).patch(CONFIG_MAPS, asked(connection), [{"op": "add", "path": path, "value": value}])


def annotate(connection: Connection, **said: str) -> None:
    """As `kubectl annotate` does."""
    kept = asked(connection)["metadata"].get("annotations", {})
    write(
        connection,
        "/metadata/annotations",
        {**kept, **{f"seaway.dev/{key.replace('_', '-')}": said[key] for key in said}},
    )


def test_a_step_hears_who_the_api_server_says_approved(asking: ConfigMapApprovals, connection: Connection) -> None:
    (question,) = ConfigMapApprovals(connection).pending()
    assert question == QUESTION
    given = ConfigMapApprovals(connection).decide(question, approved=True, why="tested by hand")
    assert await_decision(asking, QUESTION, 0.0, POLL_S) == given
    assert given.who
    assert (asking.pending(), given.why) == ([], "tested by hand")


def test_who_lacks_the_verb_cannot_approve_least_of_all_the_step(
    asking: ConfigMapApprovals, connection: Connection
) -> None:
    with pytest.raises(AdmissionRefused, match=r"approve on approvals\.seaway\.dev.*seaway-approver"):
        asking.decide(QUESTION, approved=True, why="")
    assert asking.heard("run-1", "release") is None
    assert APPROVES.resource not in {rule.resource for rule in rbac.RULES}
    with pytest.raises(NotApproved, match="Nobody decided"):
        await_decision(asking, QUESTION, 0.0, POLL_S)


@pytest.mark.parametrize(
    "said",
    [
        {"decision": "approved", "decided_by": "ada"},
        {"decision": "approved"},
        {"decision": "perhaps"},
        {"decided_by": "ada"},
    ],
    ids=["another's name", "no name", "another word", "a name alone"],
)
def test_a_decision_has_its_maker_s_own_name_and_one_of_two_words(
    asking: ConfigMapApprovals, connection: Connection, said: dict[str, str]
) -> None:
    with pytest.raises(AdmissionRefused, match="who makes it"):
        annotate(connection, **said)
    assert asking.heard("run-1", "release") is None


def test_kubectl_annotate_approves_as_well_and_other_annotations_are_anybody_s(
    asking: ConfigMapApprovals, connection: Connection
) -> None:
    annotate(connection, note="look at slice 3")
    annotate(connection, decision="approved", decided_by=ConfigMapApprovals(connection)._me())
    heard = asking.heard("run-1", "release")
    assert heard is not None
    assert heard.approved


def test_a_decision_stays_and_what_was_asked_too(asking: ConfigMapApprovals, connection: Connection) -> None:
    with pytest.raises(AdmissionRefused, match="stays as it was asked"):
        write(connection, "/data/question.json", "{}")
    for label in (GATE, RUN):
        with pytest.raises(AdmissionRefused, match="stays as it was asked"):
            write(connection, f"/metadata/labels/{label.replace('/', '~1')}", "other")
    approver = ConfigMapApprovals(connection)
    refused = approver.decide(QUESTION, approved=False, why="no")
    with pytest.raises(NameTaken, match="decided before"):
        approver.decide(QUESTION, approved=True, why="yes")
    with pytest.raises(AdmissionRefused, match="a decision stays"):
        annotate(connection, decision="approved")
    assert asking.heard("run-1", "release") == refused
    with pytest.raises(NotApproved, match="was refused by"):
        await_decision(asking, QUESTION, 60.0, POLL_S)


def test_a_question_cannot_be_made_with_its_answer(asking: ConfigMapApprovals, connection: Connection) -> None:
    """Not by a delete and a create either."""
    found = asked(connection)
    step = Objects(asking._connection)
    step.delete(CONFIG_MAPS, found["metadata"]["name"])
    said = {DECISION: "approved", BY: f"system:serviceaccount:{connection.namespace}:{rbac.NAME}"}
    forged = {"name": found["metadata"]["name"], "labels": found["metadata"]["labels"], "annotations": said}
    with pytest.raises(AdmissionRefused, match="comes without an answer"):
        step.create(CONFIG_MAPS, {**found, "metadata": forged})


def test_a_step_that_is_tried_again_finds_its_question_and_the_answer(
    asking: ConfigMapApprovals, connection: Connection
) -> None:
    given = ConfigMapApprovals(connection).decide(QUESTION, approved=True, why="")
    again = ConfigMapApprovals(asking._connection)
    assert await_decision(again, Question("run-1", "release", "In other words"), 0.0, POLL_S) == given
    assert len(Objects(connection).list(CONFIG_MAPS, {"labelSelector": GATE}).items) == 1
