"""Checks a team's JSONL data before anything is paid for, and writes the normalised evaluation set."""
