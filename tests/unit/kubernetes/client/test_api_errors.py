"""Answers that the cluster tests do not cause: what stands between a client and the server, and odd ones."""

import json
from typing import Any

import pytest
from kubernetes.client import ApiException
from seaway.errors import (
    AdmissionRefused,
    Forbidden,
    InvalidSpec,
    KindMissing,
    ObjectDeleted,
    SeawayError,
    ServerGone,
)
from seaway.platforms.kubernetes.client.api_errors import ApiCall, Status, error_for
from seaway.platforms.kubernetes.client.resources import Resource
from urllib3.exceptions import ProtocolError

JOBS = Resource("kubeflow.org", "v1", "pytorchjobs", "PyTorchJob")
CALL = ApiCall("create", JOBS, "team", "train-1")


def answer(code: int, body: Any) -> Status:
    error = ApiException(status=code, reason="said so")
    error.body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Status.of(error)


@pytest.mark.parametrize(
    ("code", "body", "expected"),
    [
        (401, {"message": "Unauthorized", "reason": "Unauthorized"}, Forbidden),
        (403, {"message": "nope", "reason": "Forbidden"}, Forbidden),
        (404, {"message": "the server could not find the requested resource", "details": {}}, KindMissing),
        (404, b"404 page not found\n", KindMissing),
        (404, {"message": "x", "details": {"name": "train-1", "kind": "pytorchjobs"}}, ObjectDeleted),
        (400, {"message": 'strict decoding error: unknown field "spec.nProc"'}, InvalidSpec),
        (413, b"<html>request entity too large</html>", InvalidSpec),
        (422, {"message": "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"}, AdmissionRefused),
        (502, b"<html>bad gateway</html>", ServerGone),
        (599, b"", ServerGone),
    ],
)
def test_an_answer_becomes_an_error_that_names_the_object_or_the_kind(
    code: int, body: Any, expected: type[SeawayError]
) -> None:
    error = error_for(answer(code, body), CALL)
    assert type(error) is expected
    assert "kubectl" in str(error)


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
def test_overloads_and_gateways_pass(code: int) -> None:
    assert answer(code, b"").passing


@pytest.mark.parametrize("code", [400, 401, 403, 404, 409, 410, 422])
def test_what_will_be_answered_again_is_not_asked_again(code: int) -> None:
    assert not answer(code, {"message": "no", "reason": "No"}).passing


def test_what_another_manager_or_another_object_has_is_no_race() -> None:
    """It would be refused as long as the step asks."""
    causes = [{"reason": "FieldManagerConflict", "field": ".data.mode", "message": 'conflict with "them"'}]
    conflict = answer(409, {"message": "1 conflict", "reason": "Conflict", "details": {"causes": causes}})
    assert not conflict.passing
    said = "the UID in the precondition (a) does not match the UID in record (b)"
    assert not answer(409, {"message": said, "reason": "Conflict"}).passing
    assert answer(409, {"message": "object was modified", "reason": "Conflict"}).passing


def test_a_broken_connection_passes_and_a_wrong_certificate_does_not() -> None:
    assert Status.of(ProtocolError("Connection aborted.")).passing
    assert not Status.of(ApiException(status=0, reason="SSLError\n[SSL: CERTIFICATE_VERIFY_FAILED]")).passing


def test_fields_that_are_wrong_are_named_with_the_servers_words() -> None:
    causes = [
        {"field": "spec.parallelism", "message": "must be greater than or equal to 0", "reason": "FieldValueInvalid"}
    ]
    error = error_for(answer(422, {"message": "long", "details": {"causes": causes}}), CALL)
    assert "spec.parallelism: must be greater than or equal to 0" in str(error)


def test_an_apply_that_may_not_create_names_the_verb_that_is_missing() -> None:
    """A patch that makes a new object is asked for as `patch` and refused for want of `create`."""
    said = 'is forbidden: User "step" cannot create resource "pytorchjobs" in API group "kubeflow.org"'
    error = error_for(answer(403, {"message": f'pytorchjobs "x" {said}'}), ApiCall("patch", JOBS, "team", "train-1"))
    assert "Not allowed to create pytorchjobs.kubeflow.org" in str(error)
    assert "kubectl auth can-i create pytorchjobs.kubeflow.org -n team" in str(error)
