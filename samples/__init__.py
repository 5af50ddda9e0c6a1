"""Sample data, and the demo that rehearses the sample app on it."""
