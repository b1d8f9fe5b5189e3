"""One way to run a custom resource: create or adopt, wait, tell its pods' logs, end it."""
