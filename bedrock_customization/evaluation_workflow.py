"""EvaluationWorkflow: asks several models the same records, scores the answers and compares the models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from bedrock_customization import permissions
from bedrock_customization.argument_checks import check_list, check_type, check_whole_number
from bedrock_customization.assets import FunctionImage
from bedrock_customization.data_bucket import data_bucket_or_new, grant_decrypt, grant_encrypt
from bedrock_customization.evaluation_functions import EvaluationFunctions
from bedrock_customization.metric_checks import check_metrics
from bedrock_customization.options import Evaluator, Inference, Metric, QualityGate
from bedrock_customization.states.evaluation import evaluate
from bedrock_customization.workflow import Workflow
from bedrock_customization.workflow_arguments import check_arguments, check_model_arns
from bedrock_customization.workflow_machine import WorkflowMachine


class EvaluationWorkflow(Workflow):
    """A state machine that compares models on a team's own records, with statistics instead of `>`.

    ```
    CheckData          every line of the evaluation set; writes the normalised set
    CheckModels        one short question to each model, so that a missing permission fails early
    GenerateResponses  Distributed Map: each record asks every model
    ListShards         cuts the files of responses into byte ranges
    ScoreResponses     Distributed Map: each shard of responses is scored by one call
    CompareModels      means, paired differences with confidence intervals, coverage
    QualityGate        Choice: BETTER, NOT_BETTER or INCONCLUSIVE
    WriteReport        report.html and results.json
    ```

    Input: `{"models": [{"name", "modelId"?, "invokeModel"?}], "baseline": "<name>", "evaluationDataKey": "<key in
    data_bucket>"}`, one to ten models. A model is asked by Converse; with `invokeModel: {"bodyTemplate", "answerPath",
    "stopReasonPath", "completeStopReasons"?}` by InvokeModel; without `modelId` it is not asked, its answers are in the
    data. The data are JSON lines, `{"prompt", "completion"}` or `bedrock-conversation-2024`; a line may also have
    `references` (several; each score is the best over them), `category`, and `responses: {"<model>": "<answer>"}`.

    Output: `{"verdict", "winner", "baseline", "metric", "records", "counted", "coverage", "scores": {"<model>":
    {"<score>": mean}}, "candidates": [{"name", "baseline", "difference": {"mean", "low", "high"}, ...}],
    "signatures": {"<metric>": "..."}, "report", "results"}`; `report` and `results` are keys in the results bucket,
    under `runs/<run id>/`. `baseline` can be a list of names; a candidate's figures are then those against the one that
    it does worst against.

    Errors: `InvalidInput` and `InvalidData` name the field or line and the remedy, before a model is asked. A model
    that cannot be asked fails the run by Bedrock's error name. A model at its limit is waited for; `InsufficientTime`
    says what to set when the timeout is too short for that.

    Attributes:
        state_machine: The state machine.
        data_bucket: Where the evaluation data lie.
        results_bucket: Where responses, scores and reports go.
        dataset_function: The function that checks data.
        scoring_function: The function that scores.
        comparison_function: The function that compares and writes the report.
        timeout: When an execution is given up.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        data_bucket: s3.IBucket | None = None,
        results_bucket: s3.IBucket | None = None,
        inference: Inference | None = None,
        metrics: Sequence[Metric] | None = None,
        evaluators: Sequence[Evaluator] | None = None,
        quality_gate: QualityGate | None = None,
        image: FunctionImage | None = None,
        architecture: lambda_.Architecture | None = None,
        scoring_concurrency: int = 10,
        timeout: Duration | None = None,
        encryption_key: kms.IKey | None = None,
        access_logs_bucket: s3.IBucket | None = None,
        log_execution_data: bool = False,
    ) -> None:
        """Creates functions and state machine.

        Args:
            scope: The construct that holds this one.
            construct_id: Its id.
            data_bucket: The bucket of the evaluation data; by default one is created and retained.
            results_bucket: The bucket of the results; by default one is created and retained.
            inference: How models are asked; by default at temperature 0, 512 tokens, five records at a time.
            metrics: What is computed; by default BERTScore, ROUGE and the answers' length.
            evaluators: Metrics of your own, each a Lambda function; none by default.
            quality_gate: When a candidate is better; by default any real improvement of `bertscore_f1` at 95 %
                confidence, with at least 99 % of the records counted.
            image: The functions' image; by default it is built at deployment with `roberta-large` as the encoder.
            architecture: The functions' architecture; x86_64 by default.
            scoring_concurrency: Shards that are scored at the same time.
            timeout: When an execution is given up; 24 hours by default. A tenth of it, and at least ten
                minutes, is kept for scoring.
            encryption_key: The key of created buckets, logs and environment variables; by default S3 and CloudWatch
                encrypt with keys of their own.
            access_logs_bucket: Where S3 logs who reads and writes created buckets; it does not by default.
            log_execution_data: Whether prompts and answers may go to the state machine's log; they do not by default.

        Raises:
            TypeError: An argument has another type than the one that is asked for.
            ValueError: There is no metric, or one is there twice, or the gate's is not among them; or there are more
                than ten evaluators; or BERTScore is to be rescaled without a baseline for the encoder; or
                `scoring_concurrency` is no whole number from 1 to 10,000, or `timeout` is shorter than ten minutes.
        """
        super().__init__(scope, construct_id)
        check_arguments(
            data_bucket=data_bucket,
            results_bucket=results_bucket,
            architecture=architecture,
            timeout=timeout,
            encryption_key=encryption_key,
            access_logs_bucket=access_logs_bucket,
            log_execution_data=log_execution_data,
        )
        check_type("inference", inference, Inference, "Inference(max_tokens=512)")
        check_type("quality_gate", quality_gate, QualityGate, 'QualityGate(metric="bertscore_f1")')
        check_type("image", image, FunctionImage, "FunctionImage.build()")
        check_list("metrics", metrics, Metric, "[Metric.bertscore(), Metric.rouge()]")
        check_list("evaluators", evaluators, Evaluator, '[Evaluator(name="politeness", function=...)]')
        check_whole_number("scoring_concurrency", scoring_concurrency, 1, 10_000)
        self.inference = inference or Inference()
        self.quality_gate = quality_gate or QualityGate()
        default_metrics = [Metric.bertscore(), Metric.rouge(), Metric.answer_length()]
        self.metrics = default_metrics if metrics is None else list(metrics)
        self.evaluators = list(evaluators or [])
        image = image or FunctionImage.build()
        check_metrics(self.quality_gate, self.metrics, self.evaluators, image.encoder)
        self.timeout = timeout or Duration.hours(24)

        buckets: dict[str, Any] = {"encryption_key": encryption_key, "access_logs_bucket": access_logs_bucket}
        self.data_bucket = data_bucket_or_new(self, "DataBucket", data_bucket, **buckets)
        self.results_bucket = data_bucket_or_new(self, "ResultsBucket", results_bucket, **buckets)
        self._functions = EvaluationFunctions(
            self,
            image=image,
            architecture=architecture or lambda_.Architecture.X86_64,
            encryption_key=encryption_key,
        )
        self.dataset_function: lambda_.IFunction = self._functions.dataset.function
        self.scoring_function: lambda_.IFunction = self._functions.scoring.function
        self.comparison_function: lambda_.IFunction = self._functions.comparison.function

        machine = WorkflowMachine(
            self,
            "Machine",
            start=evaluate(
                Construct(self, "States"),
                data_bucket=self.data_bucket.bucket_name,
                results_bucket=self.results_bucket.bucket_name,
                dataset_arn=self.dataset_function.function_arn,
                scoring_arn=self.scoring_function.function_arn,
                comparison_arn=self.comparison_function.function_arn,
                inference=self.inference,
                metrics=self.metrics,
                evaluators=self.evaluators,
                gate=self.quality_gate,
                scoring_concurrency=scoring_concurrency,
                timeout=self.timeout,
            ),
            comment="Asks models the same records, scores the answers and compares the models",
            timeout=self.timeout,
            statements=[
                *permissions.invoke_functions(self._functions.arns),
                *permissions.ask_base_models(),
                *permissions.write_map_results(self.results_bucket, "runs/*"),
            ],
            encryption_key=encryption_key,
            log_execution_data=log_execution_data,
        )
        self._role = machine.role
        self.state_machine: sfn.StateMachine = machine.state_machine
        self._functions.allow(
            data_bucket=self.data_bucket, results_bucket=self.results_bucket, evaluators=self.evaluators
        )
        grant_decrypt(self.results_bucket, self._role)
        grant_encrypt(self.results_bucket, self._role)
        own_maps = permissions.run_distributed_maps(self.state_machine, self)
        permissions.attach(self, "DistributedMapPolicy", self._role, own_maps)

    def allow_asking_models(self, model_arns: Sequence[str]) -> None:
        """Lets the workflow ask models that are neither foundation models nor inference profiles.

        Args:
            model_arns: ARNs of provisioned models, custom model deployments or imported models.

        Raises:
            TypeError: It is no list of texts.
            ValueError: It is empty, or a text is no ARN of Bedrock.
        """
        check_model_arns("model_arns", model_arns)
        permissions.allow(self._role, permissions.ask_models(model_arns))

    def allow_asking(self, scope: Construct, construct_id: str, statements: Sequence[iam.PolicyStatement]) -> None:
        """Lets the workflow ask more models than foundation models and inference profiles.

        Args:
            scope: The construct that holds the policy; it can be in another stack.
            construct_id: The policy's id.
            statements: Statements for `bedrock:InvokeModel` on provisioned models or custom model deployments.
        """
        permissions.attach(scope, construct_id, self._role, statements)

    def allow_reading(
        self, scope: Construct, construct_id: str, buckets: Sequence[s3.IBucket], *, listed: Sequence[s3.IBucket] = ()
    ) -> None:
        """Lets the data check read more buckets, for the overlap of evaluation and training data.

        Args:
            scope: The construct that holds the policy; it can be in another stack.
            construct_id: The policy's id.
            buckets: The buckets.
            listed: Buckets of which it only has to know what is there.
        """
        keys = [bucket.encryption_key for bucket in (self.results_bucket, self.data_bucket)]
        granted = {key.key_arn for key in keys if key is not None}
        statements = [
            *(statement for bucket in dict.fromkeys(buckets) for statement in permissions.read_objects(bucket)),
            *(
                statement
                for bucket in dict.fromkeys((*buckets, *listed))
                for statement in permissions.list_objects(bucket)
            ),
            *(
                statement
                for bucket in dict.fromkeys(buckets)
                if _key_arn(bucket) not in granted
                for statement in permissions.decrypt_objects(bucket)
            ),
        ]
        permissions.attach(scope, construct_id, self._functions.dataset.role, statements)


def _key_arn(bucket: s3.IBucket) -> str | None:
    return None if bucket.encryption_key is None else bucket.encryption_key.key_arn
