"""Evaluates the synthesised IAM policies for every call that a rehearsal makes."""
