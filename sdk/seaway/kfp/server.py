"""Where Kubeflow Pipelines answers: kfp's own client, and its refusals as errors of ours."""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import kfp
import kfp_server_api
import urllib3
from kfp.client.set_volume_credentials import ServiceAccountTokenVolumeCredentials
from packaging.version import InvalidVersion, Version

from seaway.errors import Forbidden, InvalidSpec, PipelinesUnavailable

LEAST = Version("2.14")  # that takes all that Seaway compiles
ANSWER_S = 30.0
HEALTH = "/apis/v2beta1/healthz"
NOT_FOUND, SERVER_ERROR = 404, 500
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Server:
    """Where Kubeflow Pipelines answers, and as whom it is asked.

    Raises:
        InvalidSpec: the endpoint is no URL, both ways to say who asks are given, or a file cannot be read.
    """

    endpoint: str
    namespace: str = ""  # of a profile; of no account where Pipelines runs for one user
    token_file: Path | None = None  # sent as a bearer token: a ServiceAccount's or one of OIDC
    cookie_file: Path | None = None  # NAME=VALUE of a login, such as Dex's behind oauth2-proxy
    ca_file: Path | None = None  # of a private certificate authority, PEM

    def __post_init__(self) -> None:
        if not self.endpoint.startswith(("http://", "https://")):
            raise InvalidSpec(f"--endpoint is {self.endpoint!r}; it must begin with https:// or http://.")
        if self.token_file and self.cookie_file:
            raise InvalidSpec("--token-file and --cookies both say who asks; give one of them.")
        for file in filter(None, (self.token_file, self.cookie_file, self.ca_file)):
            _secret(file)

    @property
    def url(self) -> str:
        """The endpoint without a slash at its end."""
        return self.endpoint.rstrip("/")

    @property
    def token(self) -> str | None:
        """What stands behind `Bearer`."""
        return _secret(self.token_file) if self.token_file else None

    @property
    def cookie(self) -> str | None:
        """The Cookie header."""
        return _secret(self.cookie_file) if self.cookie_file else None


def connect(server: Server) -> kfp.Client:
    """kfp's client, once it is certain that its API answers there, is new enough, and knows who asks.

    Asked first because kfp's own first question repeats a refusal for 25 s and takes a login page for an answer. The
    token is read anew for each request: a kubelet renews it.

    Raises:
        InvalidSpec: the server serves several users, and no namespace was given.
        PipelinesUnavailable: it is older than `LEAST`.
    """
    health = json.loads(ask(server, HEALTH))
    _require_new(server, str(health.get("tag_name", "")))
    several = bool(health.get("multi_user", False))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        client = kfp.Client(
            host=server.url,
            namespace=(several and server.namespace) or "kubeflow",  # kfp's word for none
            credentials=ServiceAccountTokenVolumeCredentials(str(server.token_file)) if server.token_file else None,
            cookies=server.cookie,
            ssl_ca_cert=str(server.ca_file) if server.ca_file else None,
        )
    if several and not client.get_user_namespace():
        raise InvalidSpec(f"{server.url} serves several users; say in whose namespace to run: --namespace NAME.")
    return client


def ask(server: Server, path: str, kind: str = "json") -> str:
    """The answer to a GET. Raises: Forbidden: it is a page for people, not of that kind."""
    settings = kfp_server_api.Configuration(host=server.url)
    settings.ssl_ca_cert = str(server.ca_file) if server.ca_file else None
    headers = {"authorization": f"Bearer {server.token}"} if server.token else {}
    api = kfp_server_api.ApiClient(settings, cookie=server.cookie)
    raw = api.call_api(path, "GET", header_params=headers, _preload_content=False, _request_timeout=ANSWER_S)
    if kind not in raw.headers.get("content-type", ""):
        raise Forbidden(
            f"{server.url} answers with a page for people ({raw.headers.get('content-type', 'of no type')}), not with "
            f"the API of Kubeflow Pipelines: it wants a login, or the address is another. {_LOGIN}"
        )
    return str(raw.data, "utf-8", "replace")


def _require_new(server: Server, tag: str) -> None:
    try:
        version = Version(tag)
    except InvalidVersion:  # a build of somebody's own
        log.info("%s does not say its version (%r); Seaway needs Kubeflow Pipelines %s.", server.url, tag, LEAST)
        return
    if version < LEAST:
        raise PipelinesUnavailable(
            f"{server.url} is Kubeflow Pipelines {version}; what Seaway compiles needs {LEAST} at least, whose exit "
            "tasks are told how the run ended. Upgrade it; nothing was sent."
        )


_LOGIN = (
    "Give --token-file (a ServiceAccount's token: kubectl create token NAME --audience pipelines.kubeflow.org) or "
    "--cookies (a file with the cookie of a login in the browser, NAME=VALUE)."
)


@contextmanager
def told(server: Server) -> Iterator[None]:
    """kfp's print-outs go nowhere, its refusals become errors of ours."""
    try:
        with redirect_stdout(StringIO()):
            yield
    except kfp_server_api.ApiException as error:
        raise _refusal(server, error) from error
    except urllib3.exceptions.HTTPError as error:
        raise _unreachable(server, getattr(error, "reason", None) or error) from error


def _unreachable(server: Server, reason: Exception) -> PipelinesUnavailable:
    if isinstance(reason, urllib3.exceptions.SSLError):
        return PipelinesUnavailable(
            f"{server.url} is not the server that it says it is, or no known authority vouches for it: {reason}. "
            "--ca-file (or SSL_CERT_FILE) names a private authority. Nothing was sent."
        )
    return PipelinesUnavailable(
        f"{server.url} does not answer: {reason}. Is the address right, and the port forwarded "
        "(kubectl -n kubeflow port-forward service/ml-pipeline-ui 8080:80)?"
    )


def _refusal(server: Server, error: kfp_server_api.ApiException) -> Exception:
    said = _message(error)
    if error.status == 401:  # noqa: PLR2004  # Unauthorized
        return Forbidden(f"{server.url} does not know who asks (401): {said}. The login is missing or over. {_LOGIN}")
    if error.status == 403:  # noqa: PLR2004  # Forbidden
        place = f" in namespace {server.namespace}" if server.namespace else ""
        return Forbidden(f"{server.url} knows who asks, who may not do that{place} (403): {said}.")
    if error.status == NOT_FOUND:
        return PipelinesUnavailable(f"{server.url} has no API of Kubeflow Pipelines 2 (404): {said}.")
    if error.status and error.status < SERVER_ERROR:
        return InvalidSpec(f"{server.url} refuses the run ({error.status}): {said}.")
    return PipelinesUnavailable(f"{server.url} fails ({error.status or 'TLS'}): {said}.")


def _message(error: kfp_server_api.ApiException) -> str:
    """What the server said, of its JSON; never a page of HTML."""
    try:
        said = json.loads(error.body or "")["message"]
    except (ValueError, KeyError, TypeError):
        said = error.reason
    return " ".join(str(said).split()).rstrip(".")


def required(run: str | None, server: Server) -> str:
    if not run:
        raise PipelinesUnavailable(f"{server.url} answered without a run: it is not, or no more, Kubeflow Pipelines.")
    return run


def _secret(file: Path) -> str:
    """The file's text, which may end with a newline."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSpec(f"{file} cannot be read: {error}.") from error
    if not text:
        raise InvalidSpec(f"{file} is empty.")
    return text
