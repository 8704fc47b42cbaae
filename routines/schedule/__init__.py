"""When something falls due next: pure functions of the time, the time zone and the place."""
