"""Whether scores of two shards can be compared."""


def merged(signature: str, other: str) -> str | None:
    """Merge the signatures of two shards' scores.

    BERTScore in bfloat16 is computed so only on processors that have it, and the functions of one evaluation run on
    several kinds. All models' answers to a record are scored by the same call, so that their differences stay fair.

    Args:
        signature: Fields `name:value` separated by `|`; the precisions of several shards are separated by `+`.
        other: Another one.

    Returns:
        The signature with the precisions of both, or None if anything else differs.
    """
    if signature == other:
        return signature
    fields, other_fields = (dict(field.partition(":")[::2] for field in each.split("|")) for each in (signature, other))
    both = {part for each in (fields, other_fields) if "precision" in each for part in each["precision"].split("+")}
    if not both or fields | {"precision": ""} != other_fields | {"precision": ""}:
        return None
    fields["precision"] = "+".join(sorted(both))
    return "|".join(f"{name}:{value}" if value else name for name, value in fields.items())
