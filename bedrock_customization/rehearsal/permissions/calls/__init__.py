"""Which actions on which resources AWS checks for an API call."""
