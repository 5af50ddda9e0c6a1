"""Compares models over all scores of an evaluation and writes the report."""
