"""Whether an evaluation's metrics fit together, and fit its gate and its encoder."""

from __future__ import annotations

from bedrock_customization.encoder import Encoder
from bedrock_customization.options import Evaluator, Metric, QualityGate

MOST_EVALUATORS = 10


def check_metrics(gate: QualityGate, metrics: list[Metric], evaluators: list[Evaluator], encoder: Encoder) -> None:
    """Refuses metrics that cannot be computed together, or that the gate cannot decide on.

    Args:
        gate: The gate.
        metrics: The metrics.
        evaluators: The user's own metrics.
        encoder: The encoder of BERTScore.

    Raises:
        ValueError: There is no metric, or one is there twice, or the gate's is not among them; or there are more than
            ten evaluators; or BERTScore is to be rescaled without a baseline for the encoder.
    """
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
    if any(metric.rescale for metric in metrics) and not encoder.has_baseline:
        raise ValueError(
            f"metrics: got rescale=True, but bert-score has no baseline for {encoder.name} and language "
            f"{encoder.language!r}. Leave rescale out, which changes no ranking, or choose another encoder."
        )
