"""The states of the workflows, one file per group."""
