"""Amazon States Language: checks and runs JSONata state machines in virtual time."""
