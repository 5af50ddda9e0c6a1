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
from bedrock_customization.assets import ENCODER_DIRECTORY, FunctionImage
from bedrock_customization.data_bucket import data_bucket_or_new, grant_decrypt, grant_encrypt
from bedrock_customization.encoder import Encoder
from bedrock_customization.functions import ImageFunction
from bedrock_customization.options import Evaluator, Inference, Metric, QualityGate
from bedrock_customization.schemas import schema
from bedrock_customization.states.comparison import compare_models, quality_gate, write_report
from bedrock_customization.states.inference import asking_deadline, check_models, generate_responses
from bedrock_customization.states.scoring import count_document_frequencies, list_shards, score_responses
from bedrock_customization.states.task import expression, invoke_function
from bedrock_customization.workflow import Workflow
from bedrock_customization.workflow_machine import WorkflowMachine

MOST_EVALUATORS = 10


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
            timeout: When an execution is given up; 24 hours by default. Nine tenths of it are for asking.
            encryption_key: The key of created buckets, logs and environment variables; by default S3 and CloudWatch
                encrypt with keys of their own.
            access_logs_bucket: Where S3 logs who reads and writes created buckets; it does not by default.
            log_execution_data: Whether prompts and answers may go to the state machine's log; they do not by default.

        Raises:
            TypeError: An argument that is a type of this library has another one.
            ValueError: There is no metric, or one is there twice, or the gate's is not among them; or there are more
                than ten evaluators; or BERTScore is to be rescaled without a baseline for the encoder; or
                `scoring_concurrency` is no whole number from 1 to 10,000.
        """
        super().__init__(scope, construct_id)
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
        _check_metrics(self.quality_gate, self.metrics, self.evaluators)

        buckets: dict[str, Any] = {"encryption_key": encryption_key, "access_logs_bucket": access_logs_bucket}
        self.data_bucket = data_bucket_or_new(self, "DataBucket", data_bucket, **buckets)
        self.results_bucket = data_bucket_or_new(self, "ResultsBucket", results_bucket, **buckets)
        image = image or FunctionImage.build()
        _check_baseline(self.metrics, image.encoder)
        self.timeout = timeout or Duration.hours(24)
        shared: dict[str, Any] = {
            "image": image,
            "architecture": architecture or lambda_.Architecture.X86_64,
            "encryption_key": encryption_key,
        }
        self._dataset = ImageFunction(
            self,
            "Dataset",
            command="dataset.handler.handler",
            description="Checks data before money is spent",
            memory_mib=2048,
            **shared,
        )
        self._scoring = ImageFunction(
            self,
            "Scoring",
            command="scoring.handler.handler",
            description="Scores a shard of responses",
            memory_mib=image.encoder.memory_mib,
            environment={"ENCODER_DIRECTORY": ENCODER_DIRECTORY},
            **shared,
        )
        self._comparison = ImageFunction(
            self,
            "Comparison",
            command="comparison.handler.handler",
            description="Compares models over all scores and writes the report",
            memory_mib=3008,
            **shared,
        )
        self.dataset_function: lambda_.IFunction = self._dataset.function
        self.scoring_function: lambda_.IFunction = self._scoring.function
        self.comparison_function: lambda_.IFunction = self._comparison.function

        machine = WorkflowMachine(
            self,
            "Machine",
            start=self._states(scoring_concurrency, self.timeout),
            comment="Asks models the same records, scores the answers and compares the models",
            timeout=self.timeout,
            statements=[
                *permissions.invoke_functions(
                    [
                        self.dataset_function.function_arn,
                        self.scoring_function.function_arn,
                        self.comparison_function.function_arn,
                    ]
                ),
                *permissions.ask_base_models(),
                *permissions.write_map_results(self.results_bucket, "runs/*"),
            ],
            encryption_key=encryption_key,
            log_execution_data=log_execution_data,
        )
        self._role = machine.role
        self.state_machine: sfn.StateMachine = machine.state_machine
        self._grant()

    def allow_asking_models(self, model_arns: Sequence[str]) -> None:
        """Lets the workflow ask models that are neither foundation models nor inference profiles.

        Args:
            model_arns: ARNs of provisioned models, custom model deployments or imported models.
        """
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
        permissions.attach(scope, construct_id, self._dataset.role, statements)

    def _states(self, scoring_concurrency: int, timeout: Duration) -> sfn.IChainable:
        states = Construct(self, "States")
        results = self.results_bucket.bucket_name
        prepare = sfn.Pass.jsonata(
            states,
            "Prepare",
            assign={
                "prefix": expression("""
                    'runs/' & ($exists($states.input.runId) ? $states.input.runId
                        : $substring($hash($states.context.Execution.Id, 'SHA-256'), 0, 16)) & '/'
                """),
                "deadline": asking_deadline(timeout),
            },
        )
        check_data = invoke_function(
            states,
            "CheckEvaluationData",
            function_arn=self.dataset_function.function_arn,
            payload={
                "operation": "checkEvaluation",
                "input": "{% $states.input %}",
                "inputSchema": schema("evaluation-input"),
                "dataBucket": self.data_bucket.bucket_name,
                "resultsBucket": results,
                "prefix": "{% $prefix %}",
                "minCoverage": self.quality_gate.min_coverage,
                "inference": self.inference.to_json(),
                "timeout": timeout.to_seconds(),
            },
            timeout=Duration.minutes(16),
            output={},
            assign={
                "models": "{% [$states.result.Payload.models] %}",
                "asked": "{% [$states.result.Payload.models[$exists(modelId)]] %}",
                "manifest": "{% $states.result.Payload.manifest %}",
                "baseline": "{% $states.input.baseline %}",
                "records": "{% $states.result.Payload.records %}",
                "evaluationDataKey": "{% $states.result.Payload.key %}",
            },
        )
        report = write_report(
            states,
            "WriteReport",
            results_bucket=results,
            function_arn=self.comparison_function.function_arn,
            gate=self.quality_gate,
        )
        done = sfn.Succeed.jsonata(
            states,
            "Evaluated",
            outputs={
                "verdict": "{% $verdict %}",
                "winner": "{% $winner %}",
                "baseline": "{% $baseline %}",
                "metric": self.quality_gate.metric,
                "records": "{% $comparison.records %}",
                "counted": "{% $comparison.counted %}",
                "coverage": "{% $comparison.coverage %}",
                "scores": "{% $comparison.means %}",
                "candidates": "{% [$comparison.candidates] %}",
                "signatures": "{% $comparison.signatures %}",
                "report": "{% $states.input.report %}",
                "results": "{% $states.input.results %}",
            },
        )
        report.next(done)
        compare = compare_models(
            states,
            "CompareModels",
            results_bucket=results,
            function_arn=self.comparison_function.function_arn,
            gate=self.quality_gate,
        ).next(quality_gate(states, "QualityGate", gate=self.quality_gate, decided=report))
        shards = list_shards(states, "ListShards", results_bucket=results)
        shards.next(self._scoring_states(states, scoring_concurrency).next(compare))
        asking = check_models(states, "CheckModels", inference=self.inference, timeout=timeout)
        asking.next(
            generate_responses(
                states,
                "GenerateResponses",
                results_bucket=results,
                inference=self.inference,
                gate=self.quality_gate,
                keep_prompts=bool(self.evaluators),
                timeout=timeout,
            )
        ).next(shards)
        return prepare.next(check_data).next(
            sfn.Choice.jsonata(states, "IsAnyModelAsked")
            .when(
                sfn.Condition.jsonata("{% $count($asked) = 0 %}"),
                shards,
                comment="All answers came with the data.",
                outputs={"Key": "{% $manifest %}"},
            )
            .otherwise(asking)
        )

    def _scoring_states(self, states: Construct, scoring_concurrency: int) -> sfn.Chain:
        shared: dict[str, Any] = {
            "results_bucket": self.results_bucket.bucket_name,
            "function_arn": self.scoring_function.function_arn,
            "max_concurrency": scoring_concurrency,
        }
        score = score_responses(states, "ScoreResponses", metrics=self.metrics, evaluators=self.evaluators, **shared)
        if any(metric.idf for metric in self.metrics):
            return count_document_frequencies(states, "CountDocumentFrequencies", **shared).next(score)
        return sfn.Chain.start(score)

    def _grant(self) -> None:
        read = permissions.read_objects(self.results_bucket, "runs/*")
        write = permissions.write_objects(self.results_bucket, "runs/*")
        for function, statements in (
            (self._dataset, write),
            (self._scoring, [*read, *write]),
            (self._comparison, [*read, *write]),
        ):
            permissions.allow(function.role, statements)
        for role in (self._dataset.role, self._scoring.role, self._comparison.role, self._role):
            grant_decrypt(self.results_bucket, role)
            grant_encrypt(self.results_bucket, role)
        read_data = [*permissions.read_objects(self.data_bucket), *permissions.list_objects(self.data_bucket)]
        permissions.allow(self._dataset.role, read_data)
        grant_decrypt(self.data_bucket, self._dataset.role)
        if self.evaluators:
            functions = [evaluator.function.function_arn for evaluator in self.evaluators]
            permissions.allow(self._scoring.role, permissions.invoke_functions(functions))
        own_maps = permissions.run_distributed_maps(self.state_machine, self)
        permissions.attach(self, "DistributedMapPolicy", self._role, own_maps)


def _check_metrics(gate: QualityGate, metrics: list[Metric], evaluators: list[Evaluator]) -> None:
    if not metrics and not evaluators:
        raise ValueError("metrics: got none, and no evaluators; pass at least one, such as [Metric.bertscore()].")
    if len(evaluators) > MOST_EVALUATORS:
        raise ValueError(f"evaluators: got {len(evaluators)}; at most {MOST_EVALUATORS} fit into a result.")
    computed = [score for metric in metrics for score in metric.scores] + [evaluator.name for evaluator in evaluators]
    if twice := [score for score in computed if computed.count(score) > 1]:
        raise ValueError(f"metrics: got {twice[0]!r} twice; choose each metric once, and give evaluators other names.")
    if gate.metric not in computed:
        raise ValueError(
            f"quality_gate: got metric {gate.metric!r}, which is not computed; metrics give {', '.join(computed)}. "
            "Add the metric or decide on one of these."
        )


def _check_baseline(metrics: list[Metric], encoder: Encoder) -> None:
    if any(metric.rescale for metric in metrics) and not encoder.has_baseline:
        raise ValueError(
            f"metrics: got rescale=True, but bert-score has no baseline for {encoder.name} and language "
            f"{encoder.language!r}. Leave rescale out, which changes no ranking, or choose another encoder."
        )


def _key_arn(bucket: s3.IBucket) -> str | None:
    return None if bucket.encryption_key is None else bucket.encryption_key.key_arn
