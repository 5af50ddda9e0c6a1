"""The whole run of a customization: attempt, gate, promotion, release and notification, and what follows a failure."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_events as events
from aws_cdk import aws_ssm as ssm
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization.options import Commitment, OnSuccess
from bedrock_customization.states.ending import (
    OUTPUT,
    RELEASE_FAILURE,
    act_on_verdict,
    fail_with_first_error,
    prepare_run,
    release_run,
)
from bedrock_customization.states.first_error import first_error
from bedrock_customization.states.message import compose_message
from bedrock_customization.states.notification import (
    RELEASE_TIMED_OUT,
    UNNOTIFIED,
    publish_notification,
    write_notification,
)
from bedrock_customization.states.promotion import promote, register
from bedrock_customization.states.release_run import unreleased_in_words
from bedrock_customization.states.task import expression


def whole_run(
    scope: Construct,
    *,
    attempt: sfn.Parallel,
    on_success: OnSuccess,
    commitment: Commitment | None,
    parameter: ssm.IStringParameter,
    event_bus: events.IEventBus,
    release_machine_arn: str,
    results_bucket: str,
    topic_arn: str,
) -> sfn.IChainable:
    """Puts an attempt between the states that prepare a run and those that end it.

    Args:
        scope: The construct that holds the states.
        attempt: The attempt, whose one catch this adds.
        on_success: What becomes of the serving of a better model.
        commitment: The term that provisioned throughput is bought for.
        parameter: The parameter of the current model.
        event_bus: Where the event about a promoted model goes.
        release_machine_arn: The machine that releases.
        results_bucket: The bucket of reports and notifications.
        topic_arn: The topic of the notification.
    """
    promotion = promote(scope, "Promote", parameter=parameter)
    release = release_run(scope, "Release", state_machine_arn=release_machine_arn)
    release_after_failure = release_run(scope, "ReleaseAfterFailure", state_machine_arn=release_machine_arn)
    failed = fail_with_first_error(scope, "Failed")
    notify = publish_notification(scope, "Notify", topic_arn=topic_arn, output=OUTPUT)
    write = write_notification(scope, "WriteNotification", results_bucket=results_bucket)

    on_failure: dict[str, Any] = {
        "errors": ["States.ALL"],
        "outputs": {},
        "assign": {
            "failure": first_error("$states.errorOutput.Error", "$states.errorOutput.Cause"),
            "keep": [],
            "deleteModels": False,
        },
    }
    attempt.add_catch(release_after_failure, **on_failure)
    promotion.add_catch(release_after_failure, **on_failure)
    release_after_failure.add_catch(failed, errors=["States.ALL"])
    release_after_failure.next(failed)
    release.add_catch(failed, errors=["States.ALL"], assign={"failure": RELEASE_FAILURE})
    notify.add_catch(sfn.Succeed.jsonata(scope, f"Done{UNNOTIFIED}", outputs=OUTPUT), errors=["States.ALL"])
    is_released = (
        sfn.Choice.jsonata(scope, "IsEverythingElseReleased")
        .when(sfn.Condition.jsonata("{% $count($release.unreleased) = 0 %}"), notify)
        .otherwise(_notify_of_what_is_left(scope, topic_arn=topic_arn))
    )
    write.add_catch(is_released, errors=["States.ALL"])
    promotion.next(register(scope, parameter=parameter, event_bus=event_bus, done=release))
    compose = compose_message(
        scope,
        "ComposeMessage",
        results_bucket=results_bucket,
        parameter=parameter,
        commitment=commitment,
        redrives="$states.context.Execution.RedriveCount",
        imported="$served[$not(trained)].customModelArn",
    )
    release.next(compose).next(write).next(is_released)
    return (
        prepare_run(scope, "Prepare")
        .next(attempt)
        .next(act_on_verdict(scope, "QualityGate", on_success=on_success, promote=promotion, release=release))
    )


def _notify_of_what_is_left(scope: Construct, *, topic_arn: str) -> sfn.CustomState:
    """Publishes the verdict of a run whose release left something, which the run then fails with.

    The rule on its status goes on releasing, and takes this error for a run that has notified.
    """
    failed = sfn.Fail.jsonata(
        scope, RELEASE_TIMED_OUT, error=RELEASE_TIMED_OUT, cause=expression(unreleased_in_words("$release.unreleased"))
    )
    unnotified = sfn.Pass.jsonata(scope, f"Left{UNNOTIFIED}")
    unnotified.next(failed)
    notify = publish_notification(scope, "NotifyOfWhatIsLeft", topic_arn=topic_arn, output={})
    notify.add_catch(unnotified, errors=["States.ALL"])
    notify.next(failed)
    return notify
