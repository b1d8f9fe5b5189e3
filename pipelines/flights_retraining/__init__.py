"""The pipeline that retrains the flights model on drift."""
