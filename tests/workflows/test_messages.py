"""What a message tells beside verdict and scores: warnings, candidates, registration, and what is paid for besides."""

import re
from typing import Any

import pytest
from aws_cdk import Stack

from bedrock_customization import CustomizationWorkflow
from bedrock_customization.rehearsal import Rehearsal
from tests.workflows.small import execution_input, lines, upload, workflow

LITE = "amazon.nova-lite-v1:0:300k"


@pytest.fixture
def own() -> CustomizationWorkflow:
    return workflow()


@pytest.fixture
def rehearsal(own: CustomizationWorkflow) -> Any:
    with Rehearsal.from_stack(Stack.of(own)) as rehearsal:
        upload(rehearsal, own)
        yield rehearsal


def section(message: str, title: str) -> str | None:
    """The text under a title, or None if there is no such title."""
    found = re.search(rf"^{title}\n((?:  .*\n)+)", message, re.MULTILINE)
    return found[1] if found else None


def test_a_plain_run_has_no_section_about_what_did_not_happen(rehearsal: Rehearsal, own: CustomizationWorkflow) -> None:
    rehearsal.run(own.state_machine, execution_input())
    (mail,) = rehearsal.inbox
    assert re.findall(r"^\w.*$", mail.message, re.MULTILINE)[1:] == [
        "Verdict", "Mean token_f1", "Records", "Report", "Released", "Still billed", "Next step", "Run",
    ]  # fmt: skip


def test_warnings_of_the_data_check_are_told(rehearsal: Rehearsal, own: CustomizationWorkflow) -> None:
    repeated = lines("bedrock-conversation-2024", range(110)) + lines("bedrock-conversation-2024", range(2))
    rehearsal.upload(own.training_bucket, "train.jsonl", repeated)
    rehearsal.run(own.state_machine, execution_input())
    warnings = section(rehearsal.inbox[0].message, "Warnings")
    assert warnings is not None
    assert "  trainingDataKey: duplicateRecord, 2 times: line 111: the same as line 1. Remove" in warnings
    assert re.search(r"About the data: s3://\S+/runs/\w{16}/dataset-report\.json", warnings)


def test_models_are_told_by_what_they_are_and_failed_candidates_by_their_causes(
    rehearsal: Rehearsal, own: CustomizationWorkflow
) -> None:
    rehearsal.faults.fail("DescribeTraining", "Bedrock.AccessDeniedException", cause="Not you.\nReally.")
    candidates = [{"hyperParameters": {"epochCount": "3"}}, {"baseModelIdentifier": LITE}, {}]
    run = rehearsal.run(own.state_machine, execution_input(candidates=candidates))
    assert run.status == "SUCCEEDED", run.cause
    (mail,) = rehearsal.inbox
    (failed,) = run.output["failedCandidates"]
    told = section(mail.message, "Candidates that failed")
    assert told == (
        f"  {failed['name']} ({failed['description']}): Bedrock.AccessDeniedException\n    Not you.\n    Really.\n"
    )
    scores = section(mail.message, "Mean token_f1")
    assert scores is not None
    assert "  base-1 (amazon.nova-micro-v1:0): " in scores
    assert "  base-2 (amazon.nova-lite-v1:0): " in scores
    described = {
        "custom-1": "amazon.nova-micro-v1:0:128k, epochCount 3",
        "custom-2": LITE,
        "custom-3": "amazon.nova-micro-v1:0:128k",
    }
    for name, description in described.items():
        assert (f"  {name} ({description}): " in scores) == (name != failed["name"])
    winner = run.output["evaluation"]["winner"]
    assert mail.subject == f"Customization support: {winner} is better and was kept"
    assert re.search(rf"^  {winner} against base-[12]: token_f1 \+", mail.message, re.MULTILINE)


def test_when_no_candidate_is_better_the_message_says_so_of_all(
    rehearsal: Rehearsal, own: CustomizationWorkflow
) -> None:
    rehearsal.upload(own.training_bucket, "train.jsonl", lines("bedrock-conversation-2024", range(110), poor=True))
    rehearsal.run(own.state_machine, execution_input(candidates=[{}, {}]))
    assert rehearsal.inbox[0].subject == "Customization support: no custom model is better, all were released"


def test_when_all_candidates_fail_each_has_its_cause(rehearsal: Rehearsal, own: CustomizationWorkflow) -> None:
    rehearsal.bedrock.jobs.failure = "Encountered an internal error when processing the request"
    run = rehearsal.run(own.state_machine, execution_input(candidates=[{"hyperParameters": {"epochCount": "3"}}, {}]))
    assert run.status == "FAILED"
    error = section(rehearsal.inbox[0].message, "Error")
    assert error is not None
    for name in (
        r"custom-1 \(amazon\.nova-micro-v1:0:128k, epochCount 3\)",
        r"custom-2 \(amazon\.nova-micro-v1:0:128k\)",
    ):
        assert re.search(rf"  {name}: TrainingFailed: Encountered an internal error when processing", error)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("RegisterModel", "still names the model before it: Ssm.InternalServerError: No."),
        ("AnnounceModel", "names it, but the event about it was not sent: Ssm.InternalServerError: No."),
    ],
)
def test_a_registration_that_failed_is_told(
    rehearsal: Rehearsal, own: CustomizationWorkflow, state: str, words: str
) -> None:
    rehearsal.faults.fail(state, "Ssm.InternalServerError", cause="No.")
    rehearsal.run(own.state_machine, execution_input())
    told = section(rehearsal.inbox[0].message, "Registration")
    assert told is not None
    assert told.startswith("  The model is kept. Its parameter ")
    assert told.strip().endswith(words)


def test_a_notification_that_cannot_be_written_is_sent_all_the_same(
    rehearsal: Rehearsal, own: CustomizationWorkflow
) -> None:
    rehearsal.faults.fail("WriteNotification", "States.TaskFailed", times=100)
    run = rehearsal.run(own.state_machine, execution_input())
    assert run.status == "SUCCEEDED", run.cause
    assert len(rehearsal.inbox) == 1


def test_a_message_whose_writer_was_stopped_is_sent_even_if_it_cannot_be_written_again(
    rehearsal: Rehearsal, own: CustomizationWorkflow
) -> None:
    rehearsal.stop(at="Notify")
    rehearsal.faults.fail("RewriteNotification", "States.TaskFailed", times=100)
    run = rehearsal.run(own.state_machine, execution_input())
    assert run.status == "ABORTED"
    assert rehearsal.executions[-1].status == "SUCCEEDED"
    (message,) = rehearsal.inbox
    assert message.subject.endswith("was stopped")


@pytest.mark.parametrize(
    ("state", "error"), [("Evaluate", "States.TaskFailed"), ("TagAsKept", "AccessDeniedException")]
)
def test_the_first_error_is_told_and_not_that_of_the_release_after_it(
    rehearsal: Rehearsal, own: CustomizationWorkflow, state: str, error: str
) -> None:
    rehearsal.faults.fail(state, error, cause="the first one")
    rehearsal.faults.fail("ReleaseAfterFailure", "StateMachineDoesNotExist", cause="the second one")
    run = rehearsal.run(own.state_machine, execution_input())
    assert run.status == "FAILED"
    assert "ReleaseAfterFailure" in run.states
    assert "the first one" in run.cause
    (message,) = rehearsal.inbox
    assert "the first one" in message.message
    assert rehearsal.bedrock.billed == []


def test_the_model_promoted_before_is_still_billed_and_told(rehearsal: Rehearsal, own: CustomizationWorkflow) -> None:
    first = rehearsal.run(own.state_machine, execution_input())
    rehearsal.run(own.state_machine, execution_input())
    before, after = (section(mail.message, "Still billed") for mail in rehearsal.inbox)
    assert before is not None
    assert after is not None
    assert "promoted before" not in before
    assert "the model promoted before, paid by the request; delete it when nobody asks it any more" in after
    assert after.strip().endswith(first.output["model"]["modelId"])
    assert first.output["model"]["modelId"] in {billed.arn for billed in rehearsal.bedrock.billed}


def test_provisioned_throughput_promoted_before_is_paid_by_the_hour() -> None:
    own = workflow("us-east-1", "provisioned")
    with Rehearsal.from_stack(Stack.of(own)) as rehearsal:
        upload(rehearsal, own)
        for _ in range(2):
            rehearsal.run(own.state_machine, execution_input())
        after = section(rehearsal.inbox[1].message, "Still billed")
    assert after is not None
    assert "the model promoted before, paid by the hour until it is deleted; delete it" in after


@pytest.mark.parametrize("state", ["CheckData", "CompareModels"])
def test_of_a_function_that_was_killed_the_mail_says_why_and_what_to_do(
    rehearsal: Rehearsal, own: CustomizationWorkflow, state: str
) -> None:
    killed = '{"errorType":"Runtime.ExitError","errorMessage":"RequestId: 1 Error: Runtime exited: signal: killed"}'
    rehearsal.faults.fail(state, "Runtime.ExitError", times=3, cause=killed)
    run = rehearsal.run(own.state_machine, execution_input())
    words = (
        "The function ran out of memory (RequestId: 1 Error: Runtime exited: signal: killed). Give fewer or shorter "
        "records, and start again."
    )
    assert (run.error, run.cause) == ("Runtime.ExitError", words)
    assert section(rehearsal.inbox[0].message, "Error") == f"  Runtime.ExitError\n  {words}\n"


def test_what_a_job_says_of_its_failure_is_told_to_its_end(rehearsal: Rehearsal, own: CustomizationWorkflow) -> None:
    failure = 'The value of "epochCount", "20", is not allowed: {"epochCount": "5"} is; create a new job'
    rehearsal.bedrock.jobs.failure = failure
    rehearsal.run(own.state_machine, execution_input())
    assert section(rehearsal.inbox[0].message, "Error") == f"  TrainingFailed\n  {failure}\n"


@pytest.mark.parametrize(
    ("state", "times", "words"),
    [
        ("CheckData", 3, "gave no answer in 16 minutes"),
        ("AskBaseModel", 3, "the base model amazon.nova-micro-v1:0 did not answer one short question in 2 minutes"),
        ("Train", 1, "was not done after 1 day and is stopped. Raise training_timeout of the CustomizationWorkflow"),
        ("Evaluate", 1, "given up after 1 day 1 hour. Raise timeout of the EvaluationWorkflow"),
    ],
)
def test_a_time_out_is_told_with_its_state_its_length_and_what_to_do(
    rehearsal: Rehearsal, own: CustomizationWorkflow, state: str, times: int, words: str
) -> None:
    rehearsal.faults.hang(state, times=times)
    run = rehearsal.run(own.state_machine, execution_input())
    assert run.error == f"{state}TimedOut"
    told = section(rehearsal.inbox[0].message, "Error")
    assert told is not None
    assert told.startswith(f"  {state}TimedOut\n  ")
    assert words in told
