"""The scoring Lambda: scores one shard of responses against their references."""
