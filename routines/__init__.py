"""Routines as pure logic: facts and time in, effects out."""
