"""The pipeline that watches the flights model."""
