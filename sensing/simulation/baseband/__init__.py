"""The simulated room in the complex baseband: only the band around the carrier, much faster than life."""
