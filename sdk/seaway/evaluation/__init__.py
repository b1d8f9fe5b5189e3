"""How good a model is, for whom, and whether the gate opens."""
