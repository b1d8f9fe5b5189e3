"""Training specs, the Trainer port and the bundled tabular trainer."""
