"""The metrics, each a function of candidates and references."""
