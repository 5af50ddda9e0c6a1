"""Checks definitions before anything runs."""
