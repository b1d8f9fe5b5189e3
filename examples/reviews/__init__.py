"""Did a customer like what was bought, by the review that was written? Two classes that begin with JSON lines."""
