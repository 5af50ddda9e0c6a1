"""Writes report.html, the self-contained page that a person reads."""

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from comparison import wording
from comparison.compare import write_results
from comparison.examples import find_rows, shown_record
from comparison.plot import Axis, bars, interval_marks


def report(event: dict[str, Any], client: Any) -> dict[str, Any]:
    """Add the verdict to results.json and write report.html beside it.

    Args:
        event: `{"bucket", "prefix", "verdict", "winner", "models": [{"name", "modelId"?}], "evaluationDataKey",
            "responses": [keys], "gate"}`.
        client: A boto3 S3 client.

    Returns:
        `{"report", "results"}`, the keys of both.
    """
    bucket, prefix = event["bucket"], event["prefix"]
    key = f"{prefix}results.json"
    results = json.loads(client.get_object(Bucket=bucket, Key=key)["Body"].read())
    results |= {"verdict": event["verdict"], "winner": event["winner"], "gate": event["gate"]}
    write_results(client, bucket, key, results)

    wanted = {item["id"] for candidate in results["candidates"] for item in candidate["gained"] + candidate["lost"]}
    records = find_rows(client, bucket, [event["evaluationDataKey"]], wanted)
    rows = find_rows(client, bucket, event["responses"], wanted)
    inputs = {
        **{f"Model {m['name']}": m.get("modelId", "its answers came with the data") for m in event["models"]},
        "Evaluation data": f"s3://{bucket}/{event['evaluationDataKey']}",
        "Answers": f"{wording.count(len(event['responses']), 'file')} under s3://{bucket}/{prefix}responses/",
        "All figures": f"s3://{bucket}/{key}",
    }
    page = render(results, records, rows, inputs)
    target = f"{prefix}report.html"
    client.put_object(Bucket=bucket, Key=target, Body=page.encode(), ContentType="text/html; charset=utf-8")
    return {"report": target, "results": key}


def render(
    results: dict[str, Any], records: dict[str, dict[str, Any]], rows: dict[str, dict[str, Any]], inputs: dict[str, str]
) -> str:
    """Return the page.

    Args:
        results: The contents of results.json, with `verdict` and `winner`.
        records: Normalised evaluation records by id, those that are shown.
        rows: Their rows with all answers.
        inputs: What was compared, by name.

    Returns:
        HTML without any reference to another file; texts of data and models are escaped.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "plain": wording.plain,
        "signed": wording.signed,
        "percent": wording.percent,
        "metric_name": wording.metric_name,
    }
    environment.globals |= {
        "count": wording.count,
        "silence": wording.silence,
        "interval_marks": interval_marks,
        "bars": bars,
    }
    page = environment.get_template("report.html").render(
        results=results,
        css=(Path(__file__).parent / "report.css").read_text("utf-8"),
        baseline=_baseline(results["baselines"]),
        headline=wording.headline(results),
        reasons=wording.reasons(results),
        mean_axes={metric: _mean_axis(statistics) for metric, statistics in results["metrics"].items()},
        difference_axes={
            metric: _difference_axis([statistics, *_comparisons(results, metric)])
            for metric, statistics in results["metrics"].items()
        },
        category_axis=_difference_axis(_deciding(results)),
        examples=_examples(results, records, rows),
        inputs=inputs,
    )
    # Data may hold characters that no HTML page can: halves of UTF-16 pairs and NUL.
    return page.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def _baseline(names: list[str]) -> str:
    """Return what the report calls what a candidate is compared with."""
    return names[0] if len(names) == 1 else "the baseline that it does worst against"


def _mean_axis(statistics: dict[str, Any]) -> Axis:
    return Axis.around([value for described in statistics["models"].values() for value in described.values()])


def _difference_axis(statistics: list[dict[str, Any]]) -> Axis:
    bounds = ("mean", "low", "high")
    described = [difference for item in statistics for difference in item["differences"].values()]
    return Axis.around([difference[bound] for difference in described for bound in bounds], include_zero=True)


def _comparisons(results: dict[str, Any], metric: str) -> list[dict[str, Any]]:
    """Return the differences of the gate's metric from every baseline, which are shown with it."""
    decisive = metric == results["gate"]["metric"]
    return [{"differences": candidate["comparisons"]} for candidate in results["candidates"] if decisive]


def _deciding(results: dict[str, Any]) -> list[dict[str, Any]]:
    metric = results["gate"]["metric"]
    return [category["metrics"][metric] for category in results["categories"] if metric in category["metrics"]]


def _examples(
    results: dict[str, Any], records: dict[str, dict[str, Any]], rows: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return for each candidate the records that gained and lost most."""
    return [
        {
            "name": candidate["name"],
            **{
                side: [
                    _example(item, [candidate["baseline"], candidate["name"]], records, rows, results)
                    for item in candidate[side]
                ]
                for side in ("gained", "lost")
            },
        }
        for candidate in results["candidates"]
    ]


def _example(
    item: dict[str, Any],
    first: list[str],
    records: dict[str, dict[str, Any]],
    rows: dict[str, dict[str, Any]],
    results: dict[str, Any],
) -> dict[str, Any]:
    models = [*first, *(model for model in results["models"] if model not in first)]
    shown = shown_record(item["id"], records.get(item["id"], {}), rows.get(item["id"], {}), models)
    return shown | {"difference": item["difference"]}
