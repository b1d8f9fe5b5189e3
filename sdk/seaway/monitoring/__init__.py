"""What an endpoint's traffic looks like: the Metrics port."""
