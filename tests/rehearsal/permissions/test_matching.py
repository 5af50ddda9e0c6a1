"""Wildcards in Resource elements, by the IAM user guide's page on the element."""

import pytest

from bedrock_customization.rehearsal.permissions.matching import resource_like

QUEUE = "arn:aws:sqs:us-east-1:123456789012:orders"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:orders"


@pytest.mark.parametrize(
    ("pattern", "arn", "expected"),
    [
        ("*", QUEUE, True),
        (QUEUE, QUEUE, True),
        ("arn:aws:sqs:*:*:orders", QUEUE, True),
        ("arn:aws:sqs:us-*-1:123456789012:ord?rs", QUEUE, True),
        # At the end of a part it reaches beyond the part.
        ("arn:aws:sqs:*:orders", QUEUE, True),
        ("arn:aws:sqs:us-*:orders", QUEUE, True),
        ("arn:aws:sqs*", QUEUE, True),
        ("arn:*", QUEUE, True),
        ("arn:aws:states:us-east-1:*:orders", MACHINE, True),
        ("arn:aws:bedrock:*:foundation-model/*", "arn:aws:bedrock:us-east-1::foundation-model/some", True),
        # Elsewhere it stays within.
        ("arn:aws:sqs:us*1:orders", QUEUE, False),
        ("arn:aws:sqs:us*2:orders", QUEUE, False),
        ("arn:aws:sqs:us-east-1?123456789012:*:orders", QUEUE, False),
        # The resource itself may have colons.
        ("arn:aws:states:us-east-1:123456789012:state*orders", MACHINE, True),
        ("arn:aws:sqs", QUEUE, False),
        ("arn:aws:sqs:*:order", QUEUE, False),
        ("arn:aws:sns:*:orders", QUEUE, False),
        ("arn:aws:sqs:us-east-1:123456789012:ORDERS", QUEUE, False),
    ],
)
def test_a_resource(pattern: str, arn: str, expected: bool) -> None:
    assert resource_like(pattern, arn) is expected
