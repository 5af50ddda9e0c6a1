"""The AWS services that state machines and Lambda handlers call in a rehearsal."""
