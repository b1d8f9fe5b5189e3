"""Feature repositories and training examples."""
