"""The training pod: `python -m seaway.training.pod` fetches the rows, trains as on a laptop, and keeps what it made."""
