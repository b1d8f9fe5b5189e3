"""What kfp's placeholders say of a run."""

import time
from pathlib import Path

from kfp.pipeline_spec import pipeline_spec_pb2


def told_of_run(spec: pipeline_spec_pb2.PipelineSpec, run: str, state: Path, workspace: Path) -> dict[str, str]:
    """Placeholder to value, but for those that speak of a task."""
    name, now = f"{spec.pipeline_info.name}-{run}", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    told = {
        "pipeline_job_name": name,
        "pipeline_job_resource_name": name,
        "pipeline_job_uuid": run,
        "pipeline_root": str(state / "artifacts"),
        "pipeline_job_create_time_utc": now,
        "pipeline_job_schedule_time_utc": now,
        "workspace_path": str(workspace),
    }
    return {f"{{{{$.{placeholder}}}}}": value for placeholder, value in told.items()}
