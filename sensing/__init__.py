"""Turn audio blocks into observations: no event loop, no threads, no network."""
