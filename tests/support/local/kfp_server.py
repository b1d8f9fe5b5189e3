"""A server that speaks the part of Kubeflow Pipelines' v2beta1 REST API that kfp's client calls to submit a run.

It keeps what it is given, checks it as the API server does (a parsable pipeline, known ids, names that are free), and
refuses in the JSON of Google's RPC status, as grpc-gateway writes it.
"""

import email.policy
import json
import ssl
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import http_server
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

API, LOGS = "/apis/v2beta1", "/apis/v1alpha1/runs/"
CRON_FIELDS = 6
LOGIN_PAGE = b"<!doctype html><title>Log in to Dex</title>"
Document = dict[str, Any]


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.body = status, {"error": message, "code": code, "message": message, "details": []}


@dataclass
class Pipelines:
    """What the server knows, and whom it lets in."""

    multi_user: bool = False
    tag: str = "2.17.0"
    token: str = ""  # asked for where it is set
    cookie: str = ""  # without it there is a redirect to the login page, where it is set
    editors: tuple[str, ...] = ("", "team")  # namespaces that the one who asks may write in
    states: list[str] = field(default_factory=lambda: ["PENDING"])  # of a run, one a question; the last stays
    broken: list[int] = field(default_factory=list)  # statuses of the next answers about a run
    pipelines: list[Document] = field(default_factory=list)
    versions: list[Document] = field(default_factory=list)
    experiments: list[Document] = field(default_factory=list)
    runs: list[Document] = field(default_factory=list)
    recurring: list[Document] = field(default_factory=list)
    tasks: list[Document] = field(default_factory=list)  # of a run that has ended, as its workflow's nodes are told
    logs: dict[str, str] = field(default_factory=dict)  # of pods, by name
    asked: int = 0
    url: str = ""


@contextmanager
def serving(known: Pipelines, tls: ssl.SSLContext | None = None) -> Iterator[Pipelines]:
    """The server on a free port of loopback, until the end of the block."""
    handler = type("Bound", (_Handler,), {"known": known})
    with http_server.serving(handler, tls) as server:
        known.url = http_server.url(server)
        yield known


class _Handler(BaseHTTPRequestHandler):
    known: Pipelines

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def do_DELETE(self) -> None:
        self._answer(self._delete)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""

    def _answer(self, act: Callable[[str, dict[str, str]], Document]) -> None:
        self.known.asked += 1
        asked = urlsplit(self.path)
        if asked.path == "/dex/auth":
            self._send(200, LOGIN_PAGE, "text/html; charset=utf-8")
            return
        if self.known.cookie and self.headers["cookie"] != self.known.cookie:
            self.send_response(302)
            self.send_header("location", "/dex/auth")
            self.send_header("content-length", "0")
            self.end_headers()
            return
        try:
            if self.known.token and self.headers["authorization"] != f"Bearer {self.known.token}":
                raise Refused(401, 16, "Unauthenticated: there is no user identity header.")
            query = {key: values[0] for key, values in parse_qs(asked.query).items()}
            if asked.path.startswith(LOGS):
                self._send(200, self._log(asked.path).encode(), "text/plain")
                return
            self._send(200, json.dumps(act(asked.path.removeprefix(API), query)).encode(), "application/json")
        except Refused as refused:
            self._send(refused.status, json.dumps(refused.body).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _get(self, path: str, query: dict[str, str]) -> Document:
        known = self.known
        match path.strip("/").split("/"):
            case ["healthz"]:
                return {"multi_user": known.multi_user, "commit_sha": "0", "tag_name": known.tag}
            case ["pipelines"]:
                return _listed("pipelines", known.pipelines, query)
            case ["pipelines", pipeline, "versions"]:
                of_it = [version for version in known.versions if version["pipeline_id"] == pipeline]
                return _listed("pipeline_versions", of_it, query)
            case ["experiments"]:
                return _listed("experiments", known.experiments, query)
            case ["runs", run]:
                if known.broken:
                    raise Refused(known.broken.pop(0), 14, "upstream connect error")
                state = known.states.pop(0) if len(known.states) > 1 else known.states[0]
                details = {"run_details": {"task_details": known.tasks}} if known.tasks else {}
                return {**_with("run_id", run, known.runs), "state": state, **details}
            case ["recurringruns"]:
                of_it = [one for one in known.recurring if one["experiment_id"] == query["experiment_id"]]
                return _paged("recurringRuns", of_it, query)
        raise Refused(404, 5, "Not Found")

    def _log(self, path: str) -> str:
        pod = path.split("/")[-2]
        if pod not in self.known.logs:
            raise Refused(500, 13, f'pods "{pod}" not found')
        return self.known.logs[pod]

    def _delete(self, path: str, query: dict[str, str]) -> Document:
        kind, identity = path.strip("/").split("/")
        assert kind == "recurringruns"
        self.known.recurring.remove(_with("recurring_run_id", identity, self.known.recurring))
        return {}

    def _post(self, path: str, query: dict[str, str]) -> Document:
        raw = self.rfile.read(int(self.headers["content-length"]))
        match path.strip("/").split("/"):
            case ["pipelines", "upload_version"]:
                return self._upload(query, raw)
            case ["pipelines"]:
                return self._keep(self.known.pipelines, "pipeline_id", json.loads(raw))
            case ["experiments"]:
                return self._keep(self.known.experiments, "experiment_id", json.loads(raw))
            case ["runs"]:
                return self._run(json.loads(raw))
            case ["recurringruns"]:
                return self._recur(json.loads(raw))
        raise Refused(404, 5, "Not Found")

    def _upload(self, query: dict[str, str], raw: bytes) -> Document:
        _with("pipeline_id", query["pipelineid"], self.known.pipelines)
        head = f"content-type: {self.headers['content-type']}\r\n\r\n".encode()
        [part] = message_from_bytes(head + raw, policy=email.policy.HTTP).iter_parts()
        assert part.get_param("name", header="content-disposition") == "uploadfile"
        spec, *_ = yaml.safe_load_all(part.get_payload(decode=True))
        json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())
        words = {key: query[key] for key in ("display_name", "description") if key in query}
        version = {"display_name": query["name"], **words, "pipeline_id": query["pipelineid"], "pipeline_spec": spec}
        version["name"] = query["name"]
        return self._keep(self.known.versions, "pipeline_version_id", version)

    def _run(self, run: Document) -> Document:
        experiment = _with("experiment_id", run["experiment_id"], self.known.experiments)
        self._require_editor(experiment.get("namespace", ""))
        declared = self._spec(run)["root"].get("inputDefinitions", {}).get("parameters", {})
        if unknown := set(run["runtime_config"].get("parameters", {})) - set(declared):
            raise Refused(400, 3, f"InvalidInputError: unknown parameters {unknown}")
        now = datetime.now(UTC).isoformat()
        self.known.runs.append({**run, "run_id": str(uuid.uuid4()), "created_at": now})
        return self.known.runs[-1]

    def _recur(self, wanted: Document) -> Document:
        _with("experiment_id", wanted["experiment_id"], self.known.experiments)
        self._spec(wanted)
        if len(wanted["trigger"]["cron_schedule"]["cron"].split()) != CRON_FIELDS:
            raise Refused(400, 3, "InvalidInputError: Schedule cron is not a valid cron.")
        status = {"ENABLE": "ENABLED", "DISABLE": "DISABLED"}[wanted["mode"]]
        self.known.recurring.append({**wanted, "status": status, "recurring_run_id": str(uuid.uuid4())})
        return self.known.recurring[-1]

    def _spec(self, run: Document) -> Document:
        """What it brings itself, else that of the version that it names."""
        if brought := run.get("pipeline_spec"):
            spec = brought.get("pipeline_spec", brought)  # of two documents where it says something of its pods
            json_format.ParseDict(spec, pipeline_spec_pb2.PipelineSpec())
            return dict(spec)
        named = run["pipeline_version_reference"]["pipeline_version_id"]
        return dict(_with("pipeline_version_id", named, self.known.versions)["pipeline_spec"])

    def _keep(self, documents: list[Document], key: str, document: Document) -> Document:
        place = document.get("namespace") or ""
        self._require_editor(place)
        if [one for one in _listed("all", documents, {"namespace": place}).get("all", []) if _same_name(one, document)]:
            raise Refused(409, 6, "Already exist error: the name is taken.")
        documents.append({**document, key: str(uuid.uuid4())})
        return documents[-1]

    def _require_editor(self, namespace: str) -> None:
        if namespace not in self.known.editors:
            raise Refused(403, 7, f"User 'sailor' is not authorized with reason: no role in namespace {namespace}")


def _same_name(one: Document, other: Document) -> bool:
    return all(_name(one, key) == _name(other, key) for key in ("name", "pipeline_id"))


def _name(document: Document, key: str) -> Any:
    """Experiments have the shown name only."""
    return document.get(key, document["display_name"] if key == "name" else None)


def _listed(title: str, documents: list[Document], query: dict[str, str]) -> Document:
    predicates = json.loads(query.get("filter", "{}")).get("predicates", [])
    assert all(predicate["operation"] in (1, "EQUALS") for predicate in predicates)
    wanted = {predicate["key"]: predicate["stringValue"] for predicate in predicates}
    place = query.get("namespace", "")
    found = [one for one in documents if wanted.items() <= one.items() and (one.get("namespace") or "") == place]
    return {title: found, "total_size": len(found)} if found else {}


def _paged(title: str, documents: list[Document], query: dict[str, str]) -> Document:
    first, size = int(query.get("page_token", 0)), int(query.get("page_size", 10))
    more = {"next_page_token": str(first + size)} if first + size < len(documents) else {}
    return {title: documents[first : first + size], **more}


def _with(key: str, value: str, documents: list[Document]) -> Document:
    for document in documents:
        if document.get(key) == value:
            return document
    raise Refused(404, 5, f"ResourceNotFoundError: {key} {value} not found.")
