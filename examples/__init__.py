"""Example projects: data source, feature definitions, model."""
