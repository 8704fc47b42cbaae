"""The sound card, its clock, and the lanes that carry blocks to the sensors."""
