"""Names, numbers and verdicts as a person reads them."""

from typing import Any

METRIC_NAMES = {
    "bertscore": "BERTScore",
    "rouge": "ROUGE",
    "bertscore_precision": "BERTScore precision",
    "bertscore_recall": "BERTScore recall",
    "bertscore_f1": "BERTScore F1",
    "rouge_1": "ROUGE-1",
    "rouge_2": "ROUGE-2",
    "rouge_l": "ROUGE-L",
    "exact_match": "Exact match",
    "quasi_exact_match": "Quasi-exact match",
    "token_f1": "Token F1",
    "answer_length": "Answer length",
}
MINUS = "\N{MINUS SIGN}"


def metric_name(metric: str) -> str:
    """Return a metric's name in words."""
    return METRIC_NAMES.get(metric, metric)


def plain(value: float | None) -> str:
    """Return a number with as many decimals as its size needs; a dash if there is none."""
    if value is None:
        return "\N{EN DASH}"
    size = abs(value)
    text = f"{value:,.1f}" if size >= 10 else f"{value:.3f}" if size >= 0.001 or not size else f"{value:.1g}"
    return text.replace("-", MINUS)


def signed(value: float | None) -> str:
    """Return a difference with its sign."""
    text = plain(value)
    return f"+{text}" if value is not None and value > 0 else text


def percent(share: float) -> str:
    """Return a share in percent, cut and not rounded up, so that 100 % means all."""
    tenths = int(share * 1000 + 1e-9)
    return f"{tenths // 10}%" if tenths % 10 == 0 else f"{tenths / 10}%"


def count(number: int, noun: str) -> str:
    """Return a number with its noun, for example `1 record` or `1,200 records`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(names: list[str]) -> str:
    """Return names as a sentence lists them, for example `a, b and c`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def silence(metric: str) -> str:
    """Return the sentence about a metric that says nothing."""
    return (
        f"{metric_name(metric)} is 0 or undefined for every answer of every model, so that nothing can be decided "
        "on it: the answers have nothing in common with the references, or the metric cannot read their script."
    )


def headline(results: dict[str, Any]) -> str:
    """Return the verdict in one short sentence.

    Args:
        results: The contents of results.json, with `verdict` and `winner`.
    """
    baselines, candidates = results["baselines"], results["candidates"]
    if results["verdict"] == "BETTER":
        return f"{results['winner']} is better than {listed(baselines)}"
    if not candidates:
        return f"{baselines[0]} was scored alone" if len(baselines) == 1 else f"Only {listed(baselines)} were scored"
    if results["verdict"] == "INCONCLUSIVE":
        return "No verdict can be given"
    if len(candidates) > 1:
        return f"No candidate is better than {baselines[0] if len(baselines) == 1 else 'every baseline'}"
    name, high = candidates[0]["name"], candidates[0]["difference"]["high"]
    worse = high is not None and high < 0
    return f"{name} is {'worse' if worse else 'not better'} than {candidates[0]['baseline']}"


def reasons(results: dict[str, Any]) -> list[str]:
    """Return the sentences that say why the verdict is what it is.

    Args:
        results: The contents of results.json, with `verdict` and `winner`.
    """
    gate = results["gate"]
    sentences = []
    if results["coverage"] < gate["minCoverage"]:
        share = f"Only {percent(results['coverage'])}" if results["counted"] else "None"
        sentences.append(
            f"{share} of the records could be compared ({results['counted']:,} of {results['records']:,}); at least "
            f"{percent(gate['minCoverage'])} are asked for."
        )
    chosen = [candidate for candidate in results["candidates"] if candidate["name"] == results["winner"]]
    for candidate in chosen or results["candidates"]:
        sentences += _candidate_sentences(candidate, results)
    if not results["candidates"]:
        sentences.append("There was no other model to compare it with.")
    return sentences


def _candidate_sentences(candidate: dict[str, Any], results: dict[str, Any]) -> list[str]:
    name, baseline, difference = candidate["name"], candidate["baseline"], candidate["difference"]
    metric, counted = metric_name(candidate["metric"]), results["counted"]
    mean, low, high = difference["mean"], difference["low"], difference["high"]
    if candidate["metric"] in results["silentMetrics"]:
        return [silence(candidate["metric"])]
    if mean is None:
        return [f"{name} and {baseline} have no record in common that could be scored."]
    interval = (
        f"{percent(results['interval']['confidence'])} interval {signed(low)} to {signed(high)}"
        if low is not None
        else "too few records, or too few that differ, for an interval"
    )
    direction = "as high as" if mean == 0 else f"{plain(abs(mean))} {'higher' if mean > 0 else 'lower'} than"
    sentences = [
        f"Over {count(counted, 'record')}, the {metric} of {name} is on average {direction} that of {baseline} "
        f"({interval}). It won {candidate['wins']:,}, tied {candidate['ties']:,} and lost {candidate['losses']:,}."
    ]
    if others := [other for other in candidate["comparisons"] if other != baseline]:
        sentences.append(f"Compared with {listed(others)} too, it does worst against {baseline}, which decides.")
    least = results["gate"]["minImprovement"]
    if least and results["verdict"] == "NOT_BETTER" and low is not None and low <= least:
        sentences.append(f"The whole interval has to lie above the asked improvement of {signed(least)}.")
    if candidate["tooSmall"]:
        needed = candidate["recordsNeeded"]
        about = f"; about {count(needed, 'record')} would be needed if this difference is real" if needed else ""
        sentences.append(f"The evaluation set is too small to decide{about}.")
    return sentences
