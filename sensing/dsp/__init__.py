"""Signal processing stages shared by ultrasound, speech and spatial sound."""
