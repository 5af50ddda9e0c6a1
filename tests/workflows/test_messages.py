"""What a message tells beside verdict and scores: warnings, candidates, registration, and what is paid for besides."""

import json
import re
from typing import Any

import pytest
from aws_cdk import Stack

from bedrock_customization import Commitment, CustomizationWorkflow, OnSuccess, Serving
from bedrock_customization.rehearsal import Rehearsal
from tests.workflows.small import execution_input, lines, upload, workflow, workflow_with

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
    assert "the model promoted before, paid by the request, if it is still there; delete it when nobody" in after
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
    assert "the model promoted before, paid by the hour until it is deleted, if it is still there" in after


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


def test_a_run_that_is_stopped_after_it_registered_says_so_and_what_else_is_billed(
    rehearsal: Rehearsal, own: CustomizationWorkflow
) -> None:
    before = rehearsal.run(own.state_machine, execution_input()).output["model"]["modelId"]
    rehearsal.stop(at="Notify")
    assert rehearsal.run(own.state_machine, execution_input()).status == "ABORTED"
    (after,) = {billed.arn for billed in rehearsal.bedrock.billed} - {before}
    message = rehearsal.inbox[1].message
    next_step = section(message, "Next step")
    assert next_step is not None
    assert next_step.startswith("  The custom model was promoted and registered before the run ended")
    assert next_step.endswith(f"Ask the custom model with this modelId:\n  {after}\n")
    billed = section(message, "Still billed")
    assert billed is not None
    assert "the model promoted before" in billed
    assert billed.strip().endswith(before)


def test_a_run_that_is_stopped_before_it_registers_says_that_the_parameter_names_another_model(
    rehearsal: Rehearsal, own: CustomizationWorkflow
) -> None:
    rehearsal.run(own.state_machine, execution_input())
    rehearsal.stop(at="ReadCurrentModel")
    assert rehearsal.run(own.state_machine, execution_input()).status == "ABORTED"
    next_step = section(rehearsal.inbox[1].message, "Next step")
    assert next_step is not None
    assert re.search(r"It was not registered: the parameter \S+ still names the model before it", next_step)
    assert re.search(
        r"Ask the custom model with this modelId:\n  arn:aws:bedrock:\S+:custom-model-deployment/", next_step
    )


def test_a_run_whose_serving_was_released_before_it_was_stopped_says_that_it_is_registered() -> None:
    own = workflow("us-east-1", "automatic", OnSuccess.RELEASE_SERVING)
    with Rehearsal.from_stack(Stack.of(own)) as rehearsal:
        upload(rehearsal, own)
        rehearsal.stop(at="Notify")
        rehearsal.run(own.state_machine, execution_input())
        (model,) = rehearsal.bedrock.registry.models
        next_step = section(rehearsal.inbox[0].message, "Next step")
    assert next_step == (
        "  The custom model was promoted and registered before the run ended, so it is kept; delete it in the Bedrock"
        f" console if nobody needs it.\n  The custom model is not served. Serve it when it is needed.\n  {model.arn}\n"
    )


@pytest.mark.parametrize("is_denied", [True, False])
def test_a_parameter_that_cannot_be_read_keeps_no_message_back(
    rehearsal: Rehearsal, own: CustomizationWorkflow, is_denied: bool
) -> None:
    rehearsal.bedrock.jobs.failure = "No."
    if is_denied:
        rehearsal.faults.fail("ReadRegistration", "AccessDeniedException")
    else:
        aws = rehearsal._world.aws
        with aws.active():
            client = aws.client("ssm")
            (described,) = aws.forward(client, "DescribeParameters", {})["Parameters"]
            spoilt = {"Name": described["Name"], "Value": "not JSON", "Type": "String", "Overwrite": True}
            aws.forward(client, "PutParameter", spoilt)
    rehearsal.run(own.state_machine, execution_input())
    (mail,) = rehearsal.inbox
    assert mail.subject == "Customization support: failed"


def test_a_rejected_model_that_was_bought_for_a_term_is_told_as_kept_to_its_end() -> None:
    serving = Serving.provisioned(commitment=Commitment.ONE_MONTH, release_automatically=False)
    own = workflow_with(serving=serving)
    with Rehearsal.from_stack(Stack.of(own)) as rehearsal:
        upload(rehearsal, own)
        rehearsal.upload(own.training_bucket, "train.jsonl", lines("bedrock-conversation-2024", range(110), poor=True))
        run = rehearsal.run(own.state_machine, execution_input())
        assert run.status == "SUCCEEDED", run.cause
        (mail,) = rehearsal.inbox
    assert mail.subject == "Customization support: the custom model is not better"
    next_step = section(mail.message, "Next step")
    assert next_step is not None
    assert "was bought for one month and cannot be deleted before" in next_step
    billed = section(mail.message, "Still billed")
    assert billed is not None
    assert "paid by the hour to the end of its term of one month" in billed


def test_why_a_shard_could_not_be_scored_is_told(rehearsal: Rehearsal, own: CustomizationWorkflow) -> None:
    words = 'evaluator politeness: answered "7" for line 3; 0 to 1 is allowed'
    cause = json.dumps({"errorMessage": words, "errorType": "InvalidInput", "stackTrace": []})
    rehearsal.faults.fail("ScoreShard", "InvalidInput", cause=cause)
    run = rehearsal.run(own.state_machine, execution_input())
    assert (run.error, run.cause) == ("InvalidInput", words)
    assert section(rehearsal.inbox[0].message, "Error") == f"  InvalidInput\n  {words}\n"


@pytest.mark.parametrize("state", ["FindFailedShards", "ReadFailedShard"])
def test_when_the_failed_shard_cannot_be_read_the_error_of_the_map_run_is_told(
    rehearsal: Rehearsal, own: CustomizationWorkflow, state: str
) -> None:
    rehearsal.faults.fail("ScoreShard", "InvalidInput", cause="No.")
    rehearsal.faults.fail(state, "NoSuchBucket")
    run = rehearsal.run(own.state_machine, execution_input())
    assert run.error == "States.ExceedToleratedFailureThreshold"
    assert "threshold was exceeded" in rehearsal.inbox[0].message
