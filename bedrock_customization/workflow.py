"""Workflow: what both workflows let their callers do."""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct


class Workflow(Construct):
    """A construct with a state machine that writes under `runs/` of a bucket.

    Attributes:
        state_machine: The state machine.
        results_bucket: Where an execution writes.
    """

    state_machine: sfn.StateMachine
    results_bucket: s3.IBucket

    def grant_start_execution(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets somebody start an execution.

        Args:
            grantee: Who may start one.
        """
        return self.state_machine.grant_start_execution(grantee)

    def grant_read_results(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets somebody read what executions wrote: answers, scores and reports.

        Args:
            grantee: Who may read it.
        """
        return self.results_bucket.grant_read(grantee, "runs/*")

    def metric_failed(self, **options: Any) -> cloudwatch.Metric:
        """How many executions failed.

        Args:
            **options: The metric's options, as in `cloudwatch.MetricOptions`.
        """
        return self.state_machine.metric_failed(**options)

    def metric_succeeded(self, **options: Any) -> cloudwatch.Metric:
        """How many executions came to a verdict.

        Args:
            **options: The metric's options, as in `cloudwatch.MetricOptions`.
        """
        return self.state_machine.metric_succeeded(**options)
