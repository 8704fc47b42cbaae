"""Sentences that no routine waits for: what they mean, and what is to be done about them."""
