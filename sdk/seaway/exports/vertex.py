"""The file that Vertex AI Pipelines takes: the compiled pipeline's first document, for it takes no second one."""

import yaml

from seaway.exports.port import Source


class Vertex:
    """The pipeline as Vertex AI has it: KFP's own form, in which everything but Kubernetes survives."""

    file = "{name}.vertex.yaml"
    apart = False
    losses = (
        "what Kubernetes does for pods: mounted settings and keys. Set SEAWAY_STORAGE and others as variables of steps",
    )
    advice = "Run it: aiplatform.PipelineJob(display_name='{name}', template_path='{file}').submit()"

    def write(self, source: Source) -> str:
        """See `Exporter.write`."""
        return str(yaml.safe_dump(dict(source.spec), sort_keys=True, width=120))
