"""The house of ``roomwise demo``: its configuration, its routines, its scene."""
