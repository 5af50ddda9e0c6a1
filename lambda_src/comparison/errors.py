"""The errors of the comparison function; their class names are the error names that a state machine catches."""


class InvalidInput(Exception):
    """An event that cannot be used: a field's name first, then what was wrong and what to do."""


class InvalidData(Exception):
    """Scores that cannot be trusted: incomplete, repeated or contradicting one another."""
