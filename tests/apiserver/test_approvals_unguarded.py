"""Without manifests/approvals anybody could approve, so nobody is asked."""

import time

import pytest
from seaway.approvals import Question
from seaway.errors import NotApproved
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS
from seaway.platforms.kubernetes.jobs.approvals import GATE, ConfigMapApprovals

QUESTION = Question("run-1", "release", "May it be rolled out?")
SETTLED_S = 30  # the API server has forgotten another test's policy long before


def test_without_the_policy_nobody_s_word_is_taken(connection: Connection) -> None:
    deadline = time.monotonic() + SETTLED_S
    while guarded(connection):
        assert time.monotonic() < deadline, "a question that comes with its answer is refused, or nobody looks"
        time.sleep(0.2)
    with pytest.raises(NotApproved, match="manifests/approvals"):
        ConfigMapApprovals(connection).ask(QUESTION)
    assert Objects(connection).list(CONFIG_MAPS, {"labelSelector": GATE}).items == []


def guarded(connection: Connection) -> bool:
    try:
        ConfigMapApprovals(connection).ask(Question("another", "release", "?"))
    except NotApproved:
        return False
    found = Objects(connection).list(CONFIG_MAPS, {"labelSelector": GATE}).items
    for one in found:
        Objects(connection).delete(CONFIG_MAPS, one["metadata"]["name"])
    return True
