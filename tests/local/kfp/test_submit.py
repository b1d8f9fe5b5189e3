"""Submitting to Kubeflow Pipelines by kfp's own client, to a server that speaks its REST API."""

import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import kfp_server
import pytest
import trustme
from places import PROJECT
from seaway.errors import Forbidden, InvalidSpec, JobFailed, PipelinesUnavailable
from seaway.kfp import compile as compiler
from seaway.kfp import submit as submission
from seaway.kfp import versions
from seaway.kfp.server import Server
from seaway.kfp.submit import submit

SECRET = "session=abc"  # noqa: S105  # of this test
FLIGHTS = str(PROJECT / "pipelines" / "flights" / "pipeline.yaml")


@pytest.fixture(autouse=True)
def away_from_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """kfp reads a namespace and a cookie from the home folder."""
    monkeypatch.setattr("kfp.Client._LOCAL_KFP_CONTEXT", str(tmp_path / "context.json"))
    monkeypatch.setattr(submission, "POLL_S", 0.01)


@pytest.fixture
def pipelines() -> Iterator[kfp_server.Pipelines]:
    with kfp_server.serving(kfp_server.Pipelines()) as known:
        yield known


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    return file


def test_a_first_run_brings_pipeline_version_and_experiment(pipelines: kfp_server.Pipelines) -> None:
    done = submit(FLIGHTS, {"months": "1,2", "epochs": "2"}, Server(pipelines.url), "Nightly")
    [run], [version], [experiment] = pipelines.runs, pipelines.versions, pipelines.experiments
    assert run["runtime_config"]["parameters"] == {"months": "1,2", "epochs": 2}
    assert run["experiment_id"] == experiment["experiment_id"]
    assert experiment["display_name"] == "Nightly"
    assert run["pipeline_version_reference"]["pipeline_version_id"] == version["pipeline_version_id"]
    assert version["pipeline_spec"]["pipelineInfo"]["name"] == "flights"
    assert (done.run, done.state, done.version) == (run["run_id"], "PENDING", version["name"])
    assert done.url == f"{pipelines.url}/#/runs/details/{run['run_id']}"


def test_a_fused_pipeline_is_a_version_of_its_own(pipelines: kfp_server.Pipelines) -> None:
    alone, shared = (submit(FLIGHTS, {}, Server(pipelines.url), fuse=fuse).version for fuse in (False, True))
    again = submit(FLIGHTS, {}, Server(pipelines.url), fuse=True).version
    assert shared == again != alone
    [tasks] = [one["pipeline_spec"]["components"] for one in pipelines.versions if one["name"] == shared]
    assert "comp-training" in tasks


def test_the_dashboard_reads_what_pipeline_and_version_are(pipelines: kfp_server.Pipelines) -> None:
    submit("flights", {}, Server(pipelines.url), change="Look at the wind\n\nIt was left out.")
    [pipeline], [version] = pipelines.pipelines, pipelines.versions
    assert (pipeline["name"], pipeline["display_name"]) == ("flights", "flights")
    assert pipeline["description"].startswith("The whole way on real data")
    digest = version["name"].removeprefix("flights-")
    assert re.fullmatch(rf"Look at the wind, \d{{4}}-\d\d-\d\d, {digest}", version["display_name"])
    assert version["description"] == "Look at the wind\n\nIt was left out."


def test_a_version_is_found_by_its_name_whatever_is_shown_for_it(pipelines: kfp_server.Pipelines) -> None:
    """Else a title of another day would bring the same version again."""
    for change in ("Look at the wind", "Look at the rain"):
        submit(FLIGHTS, {}, Server(pipelines.url), change=change)
    [version] = pipelines.versions
    assert version["display_name"].startswith("Look at the wind")


def test_the_name_of_a_version_is_the_one_that_gitops_gives_it(pipelines: kfp_server.Pipelines, tmp_path: Path) -> None:
    pipeline = compiler.load("flights")
    (tmp_path / "compiled.yaml").write_text(pipeline.text)
    _, version = versions.objects(pipeline, "")
    for reference in ("flights", str(tmp_path / "compiled.yaml")):
        assert submit(reference, {}, Server(pipelines.url)).version == version["metadata"]["name"]
    assert len(pipelines.versions) == 1


def test_a_version_that_says_other_words_of_the_same_is_found_and_run(
    pipelines: kfp_server.Pipelines, tmp_path: Path
) -> None:
    reworded = tmp_path / "reworded.yaml"
    reworded.write_text(Path(FLIGHTS).read_text().replace("name: Train network", "name: Train the network"))
    first, second = (submit(reference, {}, Server(pipelines.url)) for reference in (FLIGHTS, str(reworded)))
    assert first.version == second.version
    [version] = pipelines.versions
    assert [run["pipeline_version_reference"]["pipeline_version_id"] for run in pipelines.runs] == [
        version["pipeline_version_id"]
    ] * 2


def test_a_second_run_puts_nothing_there_again(pipelines: kfp_server.Pipelines) -> None:
    for _ in range(2):
        submit(FLIGHTS, {}, Server(pipelines.url))
    counts = [len(kept) for kept in (pipelines.pipelines, pipelines.versions, pipelines.experiments, pipelines.runs)]
    assert counts == [1, 1, 1, 2]


def test_a_token_is_sent_as_bearer(pipelines: kfp_server.Pipelines, secret: Path) -> None:
    pipelines.token = SECRET
    submit(FLIGHTS, {}, Server(pipelines.url, token_file=secret))
    assert len(pipelines.runs) == 1


def test_a_cookie_passes_the_login_and_a_profile_gets_its_own_pipeline(
    pipelines: kfp_server.Pipelines, secret: Path
) -> None:
    pipelines.cookie, pipelines.multi_user = SECRET, True
    submit(FLIGHTS, {}, Server(pipelines.url, "team", cookie_file=secret))
    assert [kept["namespace"] for kept in (*pipelines.pipelines, *pipelines.experiments)] == ["team", "team"]


class TestRefusals:
    def test_no_login(self, pipelines: kfp_server.Pipelines) -> None:
        pipelines.token = SECRET
        with pytest.raises(Forbidden, match=r"does not know who asks \(401\).*no user identity.*--token-file"):
            submit(FLIGHTS, {}, Server(pipelines.url))

    def test_a_login_page_instead_of_an_answer(self, pipelines: kfp_server.Pipelines, secret: Path) -> None:
        pipelines.cookie = "session=new"
        with pytest.raises(Forbidden, match=r"a page for people \(text/html.*wants a login.*--cookies") as told:
            submit(FLIGHTS, {}, Server(pipelines.url, cookie_file=secret))
        assert "abc" not in str(told.value)

    def test_a_namespace_of_somebody_else(self, pipelines: kfp_server.Pipelines) -> None:
        pipelines.multi_user = True
        with pytest.raises(Forbidden, match=r"in namespace rivals \(403\): User 'sailor' is not authorized"):
            submit(FLIGHTS, {}, Server(pipelines.url, "rivals"))
        assert pipelines.runs == []

    def test_several_users_and_no_namespace(self, pipelines: kfp_server.Pipelines) -> None:
        pipelines.multi_user = True
        with pytest.raises(InvalidSpec, match="--namespace NAME"):
            submit(FLIGHTS, {}, Server(pipelines.url))

    def test_nobody_there(self) -> None:
        with pytest.raises(PipelinesUnavailable, match=r"does not answer.*refused.*port-forward"):
            submit(FLIGHTS, {}, Server("http://127.0.0.1:9"))

    def test_another_server(self, pipelines: kfp_server.Pipelines) -> None:
        with pytest.raises(PipelinesUnavailable, match="no API of Kubeflow Pipelines 2"):
            submit(FLIGHTS, {}, Server(f"{pipelines.url}/elsewhere"))

    def test_an_argument_is_checked_before_anything_is_asked(self, pipelines: kfp_server.Pipelines) -> None:
        with pytest.raises(InvalidSpec, match="Unknown parameter month"):
            submit(FLIGHTS, {"month": "1"}, Server(pipelines.url))
        assert pipelines.pipelines == []

    def test_a_secret_that_cannot_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidSpec, match="cannot be read"):
            Server("http://127.0.0.1:9", token_file=tmp_path / "nowhere")


class TestWaiting:
    def test_an_outage_is_endured(self, pipelines: kfp_server.Pipelines) -> None:
        done = submit(FLIGHTS, {}, Server(pipelines.url))
        pipelines.states = ["RUNNING", "RUNNING", "SUCCEEDED"]
        pipelines.broken = [503, 502]
        submission.wait(done.run, Server(pipelines.url))
        assert (pipelines.broken, pipelines.states) == ([], ["SUCCEEDED"])

    def test_a_token_may_be_renewed_meanwhile(
        self, pipelines: kfp_server.Pipelines, secret: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = Server(pipelines.url, token_file=secret)
        done = submit(FLIGHTS, {}, server)

        def renew(seconds: float) -> None:
            pipelines.token, pipelines.states = "renewed", ["SUCCEEDED"]
            secret.write_text("renewed")

        pipelines.token, pipelines.states = SECRET, ["RUNNING"]
        monkeypatch.setattr(submission.time, "sleep", renew)
        submission.wait(done.run, server)

    @pytest.mark.parametrize("state", ["FAILED", "CANCELED"])
    def test_a_run_that_did_not_end_well_is_an_error(self, state: str, pipelines: kfp_server.Pipelines) -> None:
        done = submit(FLIGHTS, {}, Server(pipelines.url))
        pipelines.states = ["RUNNING", state]
        with pytest.raises(JobFailed, match=f"is {state}.*{done.run}"):
            submission.wait(done.run, Server(pipelines.url))

    def test_the_step_that_failed_is_named_with_its_last_lines(self, pipelines: kfp_server.Pipelines) -> None:
        done = submit(FLIGHTS, {}, Server(pipelines.url))
        pipelines.states = ["FAILED"]
        pipelines.tasks = [
            task("flights-x1", "FAILED", 0, 40, "flights-x1-1"),
            task("from-data-to-production", "FAILED", 2, 40, "flights-x1-2"),
            task("ingest-tables", "SUCCEEDED", 3, 9, "flights-x1-3"),
            task("train-network", "FAILED", 10, 40, "flights-x1-77"),
            task("executor", "FAILED", 11, 40),
        ]
        pipelines.logs = {"flights-x1-system-container-impl-77": "begin\nTrainingFailed: the loss is NaN."}
        with pytest.raises(JobFailed, match=r"(?s)Step train-network failed\. Its log ends:\nbegin\nTrainingFailed"):
            submission.wait(done.run, Server(pipelines.url))
        pipelines.logs = {}
        with pytest.raises(JobFailed, match=r"Step train-network failed; .*flights-x1-77"):
            submission.wait(done.run, Server(pipelines.url))

    def test_so_is_a_step_that_was_never_started(self, pipelines: kfp_server.Pipelines) -> None:
        done = submit(FLIGHTS, {}, Server(pipelines.url))
        pipelines.states = ["FAILED"]
        pipelines.tasks = [task("root", "FAILED", 0, 40), task("pack-driver", "FAILED", 12, 14)]
        with pytest.raises(JobFailed, match=r"Step pack was not started: .* its driver, failed"):
            submission.wait(done.run, Server(pipelines.url))


def task(name: str, state: str, began: int, ended: int, *children: str) -> dict[str, object]:
    """A task as the API server makes it of a workflow's node; the times are seconds."""
    times = {key: f"2026-01-02T03:04:{value:02}Z" for key, value in (("start_time", began), ("end_time", ended))}
    return {"display_name": name, "state": state, **times, "child_tasks": [{"pod_name": child} for child in children]}


def test_a_server_that_is_too_old_is_told_before_anything_is_put_there(pipelines: kfp_server.Pipelines) -> None:
    pipelines.tag = "2.5.0"
    with pytest.raises(PipelinesUnavailable, match=r"Kubeflow Pipelines 2\.5\.0; .*needs 2\.14"):
        submit(FLIGHTS, {}, Server(pipelines.url))
    assert pipelines.pipelines == []


@pytest.mark.parametrize("tag", ["2.14.0", "unknown"])
def test_one_that_is_new_enough_or_does_not_say_is_taken(tag: str, pipelines: kfp_server.Pipelines) -> None:
    pipelines.tag = tag
    submit(FLIGHTS, {}, Server(pipelines.url))
    assert len(pipelines.runs) == 1


def test_runs_are_told_apart_by_what_was_given_and_when(pipelines: kfp_server.Pipelines) -> None:
    submit(FLIGHTS, {"months": "1,2", "epochs": "4"}, Server(pipelines.url))
    assert re.fullmatch(r'flights months="1,2" \d{4}-\d\d-\d\d \d\d:\d\d:\d\d', pipelines.runs[0]["display_name"])


def test_the_name_of_a_run_is_one_that_the_server_takes() -> None:
    pipeline = compiler.load(FLIGHTS)
    name = submission.run_name(pipeline, {"months": "1" * 500}, datetime(2026, 1, 2, tzinfo=UTC))
    assert len(name) == submission.NAME_LENGTH
    assert name.endswith(" 2026-01-02 00:00:00")


class TestTLS:
    """A private certificate authority, as companies have one."""

    @pytest.fixture(scope="class")
    def authority(self) -> trustme.CA:
        return trustme.CA()

    @pytest.fixture
    def trusted(self, authority: trustme.CA, tmp_path: Path) -> Path:
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        return tmp_path / "ca.pem"

    @pytest.fixture
    def secured(self, authority: trustme.CA) -> Iterator[kfp_server.Pipelines]:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(tls)
        with kfp_server.serving(kfp_server.Pipelines(token=SECRET), tls) as known:
            yield known

    def test_a_server_of_an_authority_that_is_named_is_trusted(
        self, secured: kfp_server.Pipelines, trusted: Path, secret: Path
    ) -> None:
        done = submit(FLIGHTS, {}, Server(secured.url, token_file=secret, ca_file=trusted))
        assert done.url.startswith("https://")
        assert len(secured.runs) == 1

    def test_one_of_an_unknown_authority_is_refused_before_it_sees_the_token(
        self, secured: kfp_server.Pipelines, secret: Path
    ) -> None:
        with pytest.raises(PipelinesUnavailable, match=r"certificate verify failed.*--ca-file") as told:
            submit(FLIGHTS, {}, Server(secured.url, token_file=secret))
        assert SECRET not in str(told.value)
        assert secured.asked == 0

    def test_so_is_one_whose_certificate_is_for_another_address(
        self, authority: trustme.CA, trusted: Path, secret: Path
    ) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("kubeflow.example.com").configure_cert(tls)
        with kfp_server.serving(kfp_server.Pipelines(), tls) as known:
            with pytest.raises(PipelinesUnavailable, match=r"doesn't match|mismatch"):
                submit(FLIGHTS, {}, Server(known.url, token_file=secret, ca_file=trusted))
            assert known.asked == 0

    def test_the_command_line_reads_the_variable_that_other_tools_do(
        self, secured: kfp_server.Pipelines, trusted: Path, secret: Path, tmp_path: Path
    ) -> None:
        words = ["submit", FLIGHTS, "--endpoint", secured.url, "--token-file", str(secret)]
        subprocess.run(
            [sys.executable, "-c", "from seaway.cli import main; main()", *words],
            env={**os.environ, "SSL_CERT_FILE": str(trusted)},
            capture_output=True,
            check=True,
            cwd=tmp_path,
        )
        assert len(secured.runs) == 1


@pytest.mark.parametrize("token", ["", SECRET])
def test_kubeflows_own_command_runs_the_compiled_file(
    token: str, pipelines: kfp_server.Pipelines, tmp_path: Path
) -> None:
    pipelines.token = token
    words = ["--endpoint", pipelines.url, *(["--existing-token", token] if token else []), "run", "create"]
    command = [str(Path(sys.executable).parent / "kfp"), *words, "--experiment-name", "flights"]
    subprocess.run(
        [*command, "--package-file", FLIGHTS, "months=1,2"],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        check=True,
        cwd=tmp_path,
    )
    [run] = pipelines.runs
    assert run["runtime_config"]["parameters"] == {"months": "1,2"}
    assert run["pipeline_spec"]["pipeline_spec"]["pipelineInfo"]["name"] == "flights"
    assert "exec-package-model" in str(run["pipeline_spec"]["platform_spec"]), "the mounts were left behind"


def test_from_the_command_line(pipelines: kfp_server.Pipelines, secret: Path, tmp_path: Path) -> None:
    pipelines.token, pipelines.states = SECRET, ["SUCCEEDED"]
    command = [sys.executable, "-c", "from seaway.cli import main; main()", "submit", FLIGHTS, "-p", "months=1"]
    words = ["--endpoint", pipelines.url, "--token-file", str(secret), "--wait", "--output", "json"]
    shown = subprocess.run([*command, *words], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert json.loads(shown.stdout)["run"] == pipelines.runs[0]["run_id"]
    assert shown.stderr == ""
