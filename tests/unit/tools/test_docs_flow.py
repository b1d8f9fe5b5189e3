"""The flow chart that a component's page has in Mermaid is drawn in the site without a script."""

from documents import ROOT, blocks

from tools.docs_flow import draw


def test_inputs_stand_before_the_component_and_outputs_behind_it() -> None:
    (chart,) = blocks(ROOT / "components" / "rollout" / "roll_out" / "README.md", "mermaid")
    drawn = draw(chart.text, "mermaid", "flow", None, None)
    told = ["endpoint: Artifact", "replay: Dataset", "roll-out", "metrics: Metrics", "decision: str"]
    assert [drawn.index(f"<li>{name}</li>") for name in told] == sorted(
        drawn.index(f"<li>{name}</li>") for name in told
    )
    assert drawn.count("<li>") == chart.text.count("-->") + 1
