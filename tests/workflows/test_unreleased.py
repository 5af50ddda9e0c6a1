"""What cannot be released is said, once, and keeps nothing else from being released."""

import hashlib

from aws_cdk import Stack

from bedrock_customization.rehearsal import Rehearsal
from tests.workflows.neighbours import FOREIGN, Neighbour
from tests.workflows.small import execution_input, upload, workflow


def test_what_may_not_be_touched_is_left_and_reported_once() -> None:
    own = workflow()
    with Rehearsal.from_stack(Stack.of(own)) as rehearsal:
        upload(rehearsal, own)
        machine_arn = rehearsal._names.machine(own.state_machine).arn
        arn = f"{machine_arn.replace(':stateMachine:', ':execution:')}:stopped"
        # Named as the run's own resources are, but made by somebody else.
        name = f"support-{hashlib.sha256(arn.encode()).hexdigest()[:16]}-9"
        stranger = Neighbour(rehearsal, name, FOREIGN)
        rehearsal.stop(at="GetDeployment")
        assert rehearsal.run(own.state_machine, execution_input(), name="stopped").arn == arn

        assert {billed.name for billed in rehearsal.bedrock.billed} == {name}
        assert stranger.is_untouched()
        release = rehearsal.executions[-1]
        assert (release.status, release.error) == ("FAILED", "ReleaseTimedOut")
        assert f"{name}: Bedrock.AccessDeniedException" in str(release.cause)
        (message,) = rehearsal.inbox
        released, _, billed = message.message.partition("Released")[2].partition("Still billed")
        assert f"{name} could not be released: Bedrock.AccessDeniedException" in billed
        assert name not in released
        assert "Delete in the Bedrock console what could not be released." in billed

        sweep, release = rehearsal.fire(own.release.node.find_child("Sweep"))
        assert sweep.status == "SUCCEEDED", sweep.cause
        assert (release.status, release.error) == ("FAILED", "ReleaseTimedOut")
        assert len(rehearsal.inbox) == 1
