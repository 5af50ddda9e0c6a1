"""The models that Bedrock customizes."""
