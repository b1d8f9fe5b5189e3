from typing import NamedTuple

from kfp import dsl
from seaway.kfp import component


@component
def check_skew(
    examples: dsl.Input[dsl.Dataset],
    skew: dsl.Output[dsl.Artifact],
    report: dsl.Output[dsl.HTML],
    served: str,
    model_name: str,
    keys: list,
) -> NamedTuple("Outputs", [("features", list)]):
    """Compare the features that were logged at serving with the same rows made again as for training.

    Args:
        examples: The same time's rows, made by `get_training_examples`.
        skew: Folder with `skew.json` and `skew.html`.
        report: The features that differ, with a row of each.
        served: URI of the endpoint's folder in the log: `$SEAWAY_SERVED/ENDPOINT` as it was where it was deployed;
            empty where requests are not logged: nothing is compared.
        model_name: Registered model's name, under which the figures are published.
        keys: Columns of the examples that name a row; their values, joined by `/`, are the requests' ids.

    Returns:
        features: Names of the features that are served otherwise than trained, the most often differing first.

    Raises:
        DataUnreadable: there is no log, a column is missing, or no logged row is among the examples.
        MetricsUnavailable: the Pushgateway does not take the figures.
    """
    from pathlib import Path
    from shutil import copyfile

    from seaway import monitoring
    from seaway.monitoring import export
    from seaway.platforms.home import figures_folder

    found = monitoring.check_skew(served, Path(examples.path), keys, Path(skew.path))
    copyfile(Path(skew.path) / "skew.html", report.path)
    export.publish(model_name, "skew", export.of_skew(found), figures_folder())
    skew.metadata["summary"] = found.summary
    return (found.skewed,)
