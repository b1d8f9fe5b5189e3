"""A run's record as KFP's API tells it: the run, its tasks, and the artifacts that these gave."""

from collections.abc import Iterator, Mapping
from typing import Any

from seaway.dev.kfp_api.store import stamp

Document = dict[str, Any]
STATES = {"running": "RUNNING", "retrying": "RUNNING", "succeeded": "SUCCEEDED", "cached": "SKIPPED"}
FAILED = "FAILED"  # of a run that was ended, too: kfp's client waits for ever on CANCELED
GOING = ("running", "retrying")
UNKNOWN = 2  # gRPC's code of an error of which no more is known


def run_message(record: Mapping[str, Any], told: Mapping[str, Any], experiment: str) -> Document:
    """A run; `told` is what a call has said of it, empty for one that `seaway run` began."""
    state = STATES.get(record["state"], FAILED)
    begun, ended = record.get("begun", 0.0), record["state"] not in GOING
    reason = next((step["reason"] for step in record["steps"] if step["state"] == "failed"), record.get("reason", ""))
    return {
        "run_id": record["run"],
        "experiment_id": told.get("experiment_id", experiment),
        "display_name": told.get("display_name", f"{record['pipeline']} {record['run']}"),
        "description": told.get("description", ""),
        "storage_state": told.get("storage_state", "AVAILABLE"),
        **{name: told[name] for name in ("pipeline_version_reference", "pipeline_spec") if told.get(name)},
        "runtime_config": {"parameters": record["arguments"]},
        "created_at": stamp(begun),
        "scheduled_at": stamp(begun),
        **({"finished_at": stamp(begun + record["seconds"])} if ended else {}),
        "state": state,
        "state_history": [{"update_time": stamp(begun), "state": "RUNNING"}, *_end(begun, record, state, ended)],
        **({"error": {"code": UNKNOWN, "message": reason}} if state == FAILED else {}),
        "run_details": {"task_details": [task_message(record["run"], step) for step in record["steps"]]},
    }


def _end(begun: float, record: Mapping[str, Any], state: str, ended: bool) -> Iterator[Document]:
    if ended:
        yield {"update_time": stamp(begun + record["seconds"]), "state": state}


def task_message(run: str, step: Mapping[str, Any]) -> Document:
    """A task of a run."""
    begun, state = step.get("begun", 0.0), STATES.get(step["state"], FAILED)
    return {
        "run_id": run,
        "task_id": f"{run}-{step['number']}",
        "execution_id": str(step["number"]),
        "display_name": step["title"],
        "create_time": stamp(begun),
        "start_time": stamp(begun),
        **({"end_time": stamp(begun + step["seconds"])} if step["state"] not in GOING else {}),
        "state": state,
        **({"error": {"code": UNKNOWN, "message": step["reason"]}} if state == FAILED else {}),
        "outputs": {name: {"artifact_ids": ids} for name, ids in _artifacts(run, step)},
    }


def _artifacts(run: str, step: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """The artifacts of each output, by the paths of their pages."""
    for name, value in step["outputs"].items():
        values = value if isinstance(value, list) else [value]
        if values and all(isinstance(one, dict) and "uri" in one for one in values):
            base = f"runs/{run}/steps/{step['number']}/outputs/{name}"
            yield name, [base if one is value else f"{base}?at={at}" for at, one in enumerate(values)]
