"""Examples, each an app of its own."""
