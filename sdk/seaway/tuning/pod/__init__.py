"""The trial pod: `python -m seaway.tuning.pod` trains one point of a search and tells its figures."""
