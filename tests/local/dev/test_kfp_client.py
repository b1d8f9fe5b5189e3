"""kfp's own client and command line talk to the page as to Kubeflow, and local runs answer."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import kfp
import kfp_server_api
import pytest
from dev_pages import Page
from kfp import compiler
from places import LOCAL_PROGRAMS

sys.path.append(str(LOCAL_PROGRAMS))
from sample_pipeline import sample  # a program of the tests

WAIT_S = 300


@pytest.fixture(scope="module")
def client(page: Page) -> kfp.Client:
    return kfp.Client(host=page.url, existing_token=page.token)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("package") / "sample.yaml"
    compiler.Compiler().compile(sample, str(file))
    return str(file)


def test_the_client_uploads_runs_waits_and_reads_tasks(client: kfp.Client, package: str) -> None:
    pipeline = client.upload_pipeline(package, "churn")
    version = client.upload_pipeline_version(package, "second", pipeline_id=pipeline.pipeline_id)
    assert client.get_pipeline_id("churn") == pipeline.pipeline_id
    assert [one.display_name for one in client.list_pipeline_versions(pipeline.pipeline_id).pipeline_versions]

    experiment = client.create_experiment("tries")
    begun = client.run_pipeline(
        experiment.experiment_id, "first try", params={"rows": 5},
        pipeline_id=pipeline.pipeline_id, version_id=version.pipeline_version_id,
    )  # fmt: skip
    done = client.wait_for_run_completion(begun.run_id, WAIT_S, sleep_duration=1)
    assert (done.state, done.display_name) == ("SUCCEEDED", "first try")
    assert done.runtime_config.parameters == {"rows": 5}
    assert [task.display_name for task in done.run_details.task_details] == ["Make rows", "count", "tidy"]
    assert all(task.state == "SUCCEEDED" for task in done.run_details.task_details)
    assert done.run_details.task_details[0].outputs["table"].artifact_ids
    listed = client.list_runs(experiment_id=experiment.experiment_id).runs
    assert [run.run_id for run in listed] == [begun.run_id]

    failing = client.create_run_from_pipeline_func(sample, {"broken": True}, "a broken one", "tries")
    failed = failing.wait_for_run_completion(WAIT_S)
    assert (failed.state, "lacks the column `plan`" in failed.error.message) == ("FAILED", True)


def test_the_client_is_told_what_is_wrong(client: kfp.Client, package: str) -> None:
    with pytest.raises(kfp_server_api.ApiException, match="Unknown parameter wrong"):
        client.create_run_from_pipeline_package(package, {"wrong": 1})
    with pytest.raises(kfp_server_api.ApiException, match="There is no run"):
        client.get_run("nothing")


@pytest.mark.skipif(not shutil.which("kfp", path=str(Path(sys.executable).parent)), reason="kfp has no command here")
def test_its_command_line_creates_lists_and_gets(page: Page, package: str) -> None:
    kfp_command = str(Path(sys.executable).with_name("kfp"))

    def said(*words: str) -> str:
        asked = ["--endpoint", page.url, "--existing-token", page.token, "--output", "json", *words]
        return subprocess.run([kfp_command, *asked], check=True, capture_output=True, text=True).stdout

    said("run", "create", "-e", "by hand", "-r", "by hand", "-f", package, "rows=4")
    [run] = [one for one in json.loads(said("run", "list")) if one["display_name"] == "by hand"]
    assert '"rows": 4' in said("run", "get", run["run_id"])
