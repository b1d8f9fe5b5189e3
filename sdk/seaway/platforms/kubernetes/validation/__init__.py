"""What the API server and its webhooks would refuse, found offline."""
