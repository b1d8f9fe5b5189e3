"""The shipped ServiceAccount, with rules that a test gives it."""

import time

from kubernetes import client
from seaway.platforms.kubernetes.client.connection import Connection, connection_of
from seaway.platforms.kubernetes.client.permissions import Permission
from seaway.platforms.kubernetes.install import rbac

TOKEN_S = 3600
SETTLED_S = 120  # an authorizer has seen a new role long before


def as_account(admin: Connection, rules: tuple[Permission, ...]) -> Connection:
    """The connection of the shipped ServiceAccount, whose role has these rules."""
    namespace, core = admin.namespace, client.CoreV1Api(admin.requests)
    roles = client.RbacAuthorizationV1Api(admin.requests)
    binding = rbac.role_binding()
    binding["subjects"][0]["namespace"] = namespace  # as kustomize does
    core.create_namespaced_service_account(namespace, rbac.service_account())
    roles.create_namespaced_role(namespace, rbac.role(rules))
    roles.create_namespaced_role_binding(namespace, binding)
    request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec([], expiration_seconds=TOKEN_S))
    token = core.create_namespaced_service_account_token(rbac.NAME, namespace, request).status.token
    limited = as_bearer(admin, token)
    await_authorizer(limited, rules)
    return limited


def as_bearer(connection: Connection, token: str) -> Connection:
    """The connection of whoever has this token."""
    given, settings = connection.requests.configuration, client.Configuration()
    settings.host, settings.ssl_ca_cert, settings.verify_ssl = given.host, given.ssl_ca_cert, given.verify_ssl
    settings.api_key = {"authorization": token}
    settings.api_key_prefix = {"authorization": "Bearer"}
    return connection_of(settings, connection.namespace)


def await_authorizer(limited: Connection, rules: tuple[Permission, ...]) -> None:
    """Wait until the API server knows the role."""
    reviews = client.AuthorizationV1Api(limited.requests)
    resource = rules[0].resource
    attributes = client.V1ResourceAttributes(
        namespace=limited.namespace, group=resource.group, resource=resource.plural, verb=rules[0].verbs[0]
    )
    review = client.V1SelfSubjectAccessReview(spec=client.V1SelfSubjectAccessReviewSpec(resource_attributes=attributes))
    deadline = time.monotonic() + SETTLED_S
    while not reviews.create_self_subject_access_review(review).status.allowed:
        assert time.monotonic() < deadline, "the role never came into force"
        time.sleep(0.05)
