"""Play in step with other devices: whose clock is it, when is a frame heard, how fast must we play."""
