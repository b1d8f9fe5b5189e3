from kfp import dsl
from seaway.kfp import component


@component
def build_features(
    tables: dsl.Input[dsl.Dataset],
    repository: dsl.Output[dsl.Artifact],
    definitions: str,
    online: bool = True,
):
    """Build a Feast repository: feature sources, registry, and the latest values in the online store.

    Args:
        tables: Made by `ingest_tables`.
        repository: The folder of a Feast repository.
        definitions: `package.module:attribute` of a `seaway.features.FeatureProject`.
        online: Also materialize the latest value of each key into the online store.

    Raises:
        DataUnreadable: a table is missing or lacks a column.
        FeaturesUnavailable: a feature view has no rows, or Feast refuses the definitions.
    """
    from pathlib import Path

    from seaway.features import build

    result = build(Path(tables.path), definitions, Path(repository.path), online)
    repository.metadata.update(rows=result.rows, definitions=definitions)
    repository.metadata["summary"] = f"{len(result.views)} feature views, {sum(result.rows.values()):,} rows"
