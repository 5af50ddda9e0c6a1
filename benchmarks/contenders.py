"""Ways to compute BERTScore of two systems against the same references."""

from collections.abc import Callable

from benchmarks.measured_encoder import MeasuredEncoder
from benchmarks.texts import Data

Scores = list[list[float]]
"""Precision, recall and F1, of the base system and then of the custom one."""


def bert_score_per_system(encoder: MeasuredEncoder) -> Callable[[Data], Scores]:
    """bert-score's scorer, called once for each system: how it is commonly used."""
    from bert_score import BERTScorer

    scorer = BERTScorer(model_type=str(encoder.path), num_layers=encoder.layer, device="cpu")

    def score(data: Data) -> Scores:
        systems = [scorer.score(answers, data.references) for answers in (data.base, data.custom)]
        return [[*base.tolist(), *custom.tolist()] for base, custom in zip(*systems, strict=True)]

    return score


def bert_score_concatenated(encoder: MeasuredEncoder) -> Callable[[Data], Scores]:
    """bert-score's scorer, called once with the answers of both systems, so that it encodes references once."""
    from bert_score import BERTScorer

    scorer = BERTScorer(model_type=str(encoder.path), num_layers=encoder.layer, device="cpu")
    return lambda data: [part.tolist() for part in scorer.score(data.base + data.custom, data.references * 2)]


def evaluate_metric(encoder: MeasuredEncoder) -> Callable[[Data], Scores]:
    """The evaluate package's way: its Metric around bert-score's scorer, called once for each system.

    Its own script is on the hub and would have to be fetched; this Metric does what the script does.
    """
    import datasets
    import evaluate
    from bert_score import BERTScorer

    scorer = BERTScorer(model_type=str(encoder.path), num_layers=encoder.layer, device="cpu")

    class BertScore(evaluate.Metric):
        def _info(self) -> evaluate.MetricInfo:
            text = datasets.Value("string")
            features = datasets.Features({"predictions": text, "references": text})
            return evaluate.MetricInfo(description="BERTScore", citation="", features=features)

        def _compute(self, predictions: list[str], references: list[str]) -> dict[str, list[float]]:
            return dict(zip("prf", (part.tolist() for part in scorer.score(predictions, references)), strict=True))

    metric = BertScore()

    def score(data: Data) -> Scores:
        systems = [
            metric.compute(predictions=answers, references=data.references) for answers in (data.base, data.custom)
        ]
        return [[value for system in systems for value in system[part]] for part in "prf"]

    return score


def torchmetrics_function(encoder: MeasuredEncoder) -> Callable[[Data], Scores]:
    """The torchmetrics package's function, called once for each system. It mixes up pairs, see its deviation."""
    import torch
    from torchmetrics.functional.text.bert import bert_score

    def score(data: Data) -> Scores:
        systems = [
            bert_score(answers, data.references, model_name_or_path=str(encoder.path), num_layers=encoder.layer)
            for answers in (data.base, data.custom)
        ]
        return [
            [value for system in systems for value in torch.as_tensor(system[part]).reshape(-1).tolist()]
            for part in ("precision", "recall", "f1")
        ]

    return score


def ours(encoder: MeasuredEncoder) -> Callable[[Data], Scores]:
    """The scoring function's scorer."""
    from scoring.bertscore.scorer import BertScorer

    scorer = BertScorer(encoder.path, layer=encoder.layer)

    def score(data: Data) -> Scores:
        scores = scorer.score(data.base + data.custom, data.references * 2)
        return [scores.precision, scores.recall, scores.f1]

    return score


CONTENDERS: dict[str, Callable[[MeasuredEncoder], Callable[[Data], Scores]]] = {
    "bert-score, per system": bert_score_per_system,
    "bert-score, concatenated": bert_score_concatenated,
    "evaluate": evaluate_metric,
    "torchmetrics": torchmetrics_function,
    "ours": ours,
}
