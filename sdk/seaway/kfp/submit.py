"""Submitting a pipeline to Kubeflow Pipelines, through kfp's own client.

A version has the name that `seaway manifests` gives it, so what GitOps put there is found and run, not put there again,
whatever it says of itself.
"""

import json
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import kfp
import kfp_server_api
import urllib3

from seaway.errors import Forbidden, InvalidSpec, JobFailed, PipelinesUnavailable
from seaway.kfp import compile as compiler
from seaway.kfp import parameters
from seaway.kfp.versions import version_name
from seaway.platforms.kubernetes.client.backoff import Backoff

ANSWER_S = 30.0
OUTAGE_S = 120.0  # that a wait endures
POLL_S = 5.0
HEALTH = "/apis/v2beta1/healthz"
GOOD, BAD = {"SUCCEEDED", "SKIPPED"}, {"FAILED", "CANCELED"}
NOT_FOUND, SERVER_ERROR = 404, 500


@dataclass(frozen=True)
class Server:
    """Where Kubeflow Pipelines answers, and as whom it is asked.

    Raises:
        InvalidSpec: the endpoint is no URL, both ways to say who asks are given, or a file cannot be read.
    """

    endpoint: str
    namespace: str = ""  # of a profile; empty where Pipelines runs for one user
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


@dataclass(frozen=True)
class Submitted:
    """A run that was created."""

    run: str  # its id
    url: str  # in the dashboard
    version: str
    state: str


def submit(reference: str, given: Mapping[str, object], server: Server, experiment: str = "Default") -> Submitted:
    """Put the pipeline there unless it is there, and create a run of it in the experiment, which is made where missing.

    Raises:
        InvalidSpec: no such pipeline, a wrong parameter, or the server refuses a value.
        Forbidden: the server asks for another login, or this one may not do that here.
        PipelinesUnavailable: nothing answers there, or something else than Kubeflow Pipelines.
    """
    pipeline = compiler.load(reference)
    values = parameters.bind(pipeline.spec, given)
    name = version_name(pipeline)
    with _told(server):
        client = connect(server)
        folder = _pipeline_id(client, pipeline.name)
        version = _version_id(client, folder, name, pipeline.text)
        group = client.create_experiment(experiment).experiment_id
        created = client.run_pipeline(group, name, pipeline_id=folder, version_id=version, params=values)
        run = client.get_run(_given(created.run_id, server))
    return Submitted(run.run_id, f"{server.url}/#/runs/details/{run.run_id}", name, str(run.state))


def wait(run: str, server: Server) -> None:
    """Wait until the run has ended well; an outage of up to `OUTAGE_S` is endured.

    Raises:
        JobFailed: it failed or was cancelled.
    """
    with _told(server):
        client = connect(server)
        backoff = Backoff(OUTAGE_S)
        while (state := _state(client, run, backoff)) not in GOOD:
            if state in BAD:
                raise JobFailed(f"Run {run} is {state}; its steps and logs: {server.url}/#/runs/details/{run}.")
            time.sleep(POLL_S)


def connect(server: Server) -> kfp.Client:
    """kfp's client, once it is certain that its API answers there and knows who asks.

    Asked first because kfp's own first question repeats a refusal for 25 s and takes a login page for an answer.
    """
    several = json.loads(_health(server)).get("multi_user", False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        client = kfp.Client(
            host=server.url,
            namespace=server.namespace or "kubeflow",  # kfp's word for none
            existing_token=server.token,
            cookies=server.cookie,
            ssl_ca_cert=str(server.ca_file) if server.ca_file else None,
        )
    if several and not client.get_user_namespace():
        raise InvalidSpec(f"{server.url} serves several users; say in whose namespace to run: --namespace NAME.")
    return client


def _health(server: Server) -> str:
    settings = kfp_server_api.Configuration(host=server.url)
    settings.ssl_ca_cert = str(server.ca_file) if server.ca_file else None
    headers = {"authorization": f"Bearer {server.token}"} if server.token else {}
    api = kfp_server_api.ApiClient(settings, cookie=server.cookie)
    raw = api.call_api(HEALTH, "GET", header_params=headers, _preload_content=False, _request_timeout=ANSWER_S)
    if "json" not in raw.headers.get("content-type", ""):
        raise Forbidden(
            f"{server.url} answers with a page for people ({raw.headers.get('content-type', 'of no type')}), not with "
            f"the API of Kubeflow Pipelines: it wants a login, or the address is another. {_LOGIN}"
        )
    return str(raw.data, "utf-8")


def _pipeline_id(client: kfp.Client, name: str) -> str:
    place = client.get_user_namespace() or None
    found = client.list_pipelines(filter=_called(name), namespace=place).pipelines
    if found:
        return str(found[0].pipeline_id)
    wanted = kfp_server_api.V2beta1Pipeline(display_name=name, namespace=place)
    return str(client.pipelines.pipeline_service_create_pipeline(pipeline=wanted).pipeline_id)


def _version_id(client: kfp.Client, pipeline: str, name: str, text: str) -> str:
    found = client.list_pipeline_versions(pipeline, filter=_called(name)).pipeline_versions
    if found:
        return str(found[0].pipeline_version_id)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pipeline.yaml"
        file.write_text(text, encoding="utf-8")
        return str(client.upload_pipeline_version(str(file), name, pipeline_id=pipeline).pipeline_version_id)


def _called(name: str) -> str:
    """kfp's filter: those whose name in the dashboard is this."""
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": name}]})


def _state(client: kfp.Client, run: str, backoff: Backoff) -> str:
    while True:
        try:
            state = str(client.get_run(run).state)
        except (kfp_server_api.ApiException, urllib3.exceptions.HTTPError) as error:
            if getattr(error, "status", SERVER_ERROR) < SERVER_ERROR or not backoff.failed():
                raise
            time.sleep(backoff.pause_s())
        else:
            backoff.succeeded()
            return state


_LOGIN = (
    "Give --token-file (a ServiceAccount's token: kubectl create token NAME --audience pipelines.kubeflow.org) or "
    "--cookies (a file with the cookie of a login in the browser, NAME=VALUE)."
)


@contextmanager
def _told(server: Server) -> Iterator[None]:
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
        "(kubectl -n kubeflow port-forward service/ml-pipeline 8888)?"
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


def _given(run: str | None, server: Server) -> str:
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
