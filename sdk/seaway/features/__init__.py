"""Feature definitions and point-in-time correct training examples."""
