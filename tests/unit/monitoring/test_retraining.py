"""The decision about a retraining, as a dashboard shows it."""

import json
from pathlib import Path

import pytest
from kfp import dsl
from markdown_it import MarkdownIt
from seaway_components.monitoring.decide_retraining.component import decide_retraining


@pytest.mark.parametrize("worse", [["roc_auc"], []])
def test_the_reason_reads_as_it_was_written(tmp_path: Path, worse: list[str]) -> None:
    """A figure called roc_auc is no emphasis."""
    summary = "drift: 12% of the features, farthest *temp*, roc_auc 0.600, log_loss 0.7, worse than tested"
    check = {"drift": {"alarm": True}, "quality": {"worse": worse, "labelled": 5000}, "summary": summary}
    (tmp_path / "check.json").write_text(json.dumps(check))
    reason = dsl.Markdown(name="reason", uri=str(tmp_path / "reason.md"))
    assert decide_retraining.python_func(check=dsl.Artifact(name="check", uri=str(tmp_path)), reason=reason)
    [text] = [block for block in MarkdownIt().parse(Path(reason.path).read_text()) if block.type == "inline"]
    assert "".join(child.content for child in text.children or []) == reason.metadata["summary"]
    assert summary in reason.metadata["summary"]
