"""A simulated Amazon Bedrock: life cycles, rules and errors of the service, and a small stand-in for its models."""
