"""Measurements: each is one command, prints its figures, and says what they are of."""
