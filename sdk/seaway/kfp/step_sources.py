"""The source texts of a compiled pipeline's steps that are Seaway's or call it."""

import re
from collections.abc import Iterator

from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2

IMPORTS_SEAWAY = re.compile(r"^\s*(from|import) seaway\b", re.MULTILINE)


def seaway_sources(spec: pipeline_spec_pb2.PipelineSpec) -> Iterator[tuple[str, str]]:
    """Label and source text of each executor that imports Seaway."""
    executors = json_format.MessageToDict(spec.deployment_spec).get("executors", {})
    for label, executor in sorted(executors.items()):
        for text in executor.get("container", {}).get("command") or ():
            if IMPORTS_SEAWAY.search(text):
                yield label, text
