"""Measures the scorer against its peers: `python -m benchmarks.scoring`.

All run on the same data in one process, in turns, on one thread; what counts is processor time, which a busy machine
changes little, or with `--threads` the time on the clock. Ratios are medians over the rounds, with bert-score called
once per system as 1.0. Deviations are from that call, the largest over precision,
recall and F1 of all pairs.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch
from transformers import logging

from benchmarks import package_sizes, processes
from benchmarks.contenders import CONTENDERS, Scores
from benchmarks.encoders import minilm, roberta_large_shaped
from benchmarks.matrix_products import floor
from benchmarks.measured_encoder import MeasuredEncoder
from benchmarks.texts import Data, dialogue_summaries

Clock = Callable[[], float]

OUTPUT = Path("build/benchmarks")
BASELINE = "bert-score, per system"
WRONG = 0.01
LEAST_SPEED, MOST_COLD_START, MOST_DEVIATION = 1.8, 1 / 3, 1e-6
MOST_TIMES_FLOOR = {"all-MiniLM-L6-v2": 1.6, "roberta-large-shaped": 1.3}


def compare(encoder: MeasuredEncoder, triples: int, rounds: int, clock: Clock) -> dict[str, Any]:
    """Measure speed and deviation of every contender, and the distance to the floor.

    Args:
        encoder: The encoder.
        triples: How many references, each with two answers.
        rounds: How often everything is measured.
        clock: Gives the seconds that count.

    Returns:
        The figures.
    """
    data = dialogue_summaries(triples)
    scorers = {name: load(encoder) for name, load in CONTENDERS.items()}
    products = floor(encoder, data)
    warm_up = dialogue_summaries(2)
    for score in scorers.values():
        score(warm_up)
    seconds: dict[str, list[float]] = {name: [] for name in scorers}
    floors = []
    scores: dict[str, Scores] = {}
    for _ in range(rounds):
        for name, score in scorers.items():
            started = clock()
            scores[name] = score(data)
            seconds[name].append(clock() - started)
        started = clock()
        products()
        floors.append(clock() - started)
    rows = {}
    for name, times in seconds.items():
        deviation = _deviation(scores[name], scores[BASELINE])
        rows[name] = {
            "speed": median(base / own for base, own in zip(seconds[BASELINE], times, strict=True)),
            "timesFloor": median(own / least for own, least in zip(times, floors, strict=True)),
            "pairsPerSecond": 2 * triples / median(times),
            "maxDeviation": deviation,
            "wrong": deviation > WRONG,
        }
    return {"triples": triples, "rounds": rounds, "rows": rows}


def cold_starts(encoder: MeasuredEncoder, triples: int, rounds: int, clock: Clock) -> dict[str, Any]:
    """Measure fresh processes: seconds to the first score, and peak memory of scoring.

    Args:
        encoder: The encoder.
        triples: How many triples are scored for the peak memory.
        rounds: How often the start is measured.
        clock: Which seconds count: `time.process_time` stands for those of the fresh process.

    Returns:
        The figures by contender; ratios are to bert-score's start.
    """
    names = [name for name in CONTENDERS if name != "bert-score, concatenated"]
    counted = "processorSeconds" if clock is time.process_time else "seconds"
    threads = torch.get_num_threads()
    starts: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            starts[name].append(processes.measure(name, encoder, 1, threads)[counted])
    return {
        name: {
            "seconds": median(times),
            "ratio": median(own / base for own, base in zip(times, starts[BASELINE], strict=True)),
            "peakMebibytes": processes.measure(name, encoder, triples, threads)["mebibytes"],
        }
        for name, times in starts.items()
    }


def growth(encoder: MeasuredEncoder, pairs: list[int], clock: Clock) -> dict[int, float]:
    """Measure the scorer's milliseconds per pair at growing numbers of pairs.

    Args:
        encoder: The encoder.
        pairs: The numbers of pairs.
        clock: Gives the seconds that count.

    Returns:
        Milliseconds per pair, by number of pairs.
    """
    score = CONTENDERS["ours"](encoder)
    data = dialogue_summaries(max(pairs) // 2)
    costs = {}
    for number in pairs:
        part = Data(data.references[: number // 2], data.base[: number // 2], data.custom[: number // 2])
        started = clock()
        score(part)
        costs[number] = 1000 * (clock() - started) / number
    return costs


def main() -> None:
    """Measure, print and write everything."""
    parser = argparse.ArgumentParser(description="Measure the scorer against its peers.")
    parser.add_argument(
        "--quick", action="store_true", help="little data, one round: shows that it works, not how fast"
    )
    parser.add_argument("--threads", type=int, help="measure the time on the clock with this many threads")
    arguments = parser.parse_args()
    quick = arguments.quick
    clock = time.perf_counter if arguments.threads else time.process_time
    torch.set_num_threads(arguments.threads or 1)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    logging.set_verbosity_error()
    encoders = [(minilm(), 200, 3), (roberta_large_shaped(OUTPUT / "encoders"), 16, 3)]
    results: dict[str, Any] = {"threads": torch.get_num_threads(), "encoders": {}}
    for encoder, triples, rounds in encoders:
        figures = compare(encoder, 4 if quick else triples, 1 if quick else rounds, clock)
        _print_comparison(encoder, figures)
        figures["processes"] = cold_starts(encoder, 4 if quick else triples, 1 if quick else 3, clock)
        _print_processes(figures["processes"])
        results["encoders"][encoder.name] = figures
        _write(results)
    results["millisecondsPerPair"] = growth(minilm(), [20, 40] if quick else [500, 1000, 2000, 4000, 8000], clock)
    _print_growth(results["millisecondsPerPair"])
    results["packagesMegabytes"] = {
        "image": package_sizes.of_image(),
        "bert-score and torch": package_sizes.of_bert_score(),
    }
    print("\nsite-packages, MB")
    for name, size in results["packagesMegabytes"].items():
        print(f"  {name:25s} {size:8.0f}")
    _write(results)
    _print_targets(results["encoders"])
    print(f"\nwritten to {OUTPUT / 'scoring.json'}")


def _write(results: dict[str, Any]) -> None:
    (OUTPUT / "scoring.json").write_text(json.dumps(results, indent=2) + "\n")


def _deviation(scores: Scores, expected: Scores) -> float:
    pairs = [pair for part, whole in zip(scores, expected, strict=True) for pair in zip(part, whole, strict=True)]
    return max(abs(got - wanted) for got, wanted in pairs)


def _print_comparison(encoder: MeasuredEncoder, figures: dict[str, Any]) -> None:
    print(f"\n{encoder.name}, layer {encoder.layer}, {figures['triples']} references with 2 answers each")
    print(f"  {'':25s} {'speed':>7s} {'x floor':>8s} {'pairs/s':>8s} {'max deviation':>14s}")
    for name, row in figures["rows"].items():
        wrong = "  WRONG" if row["wrong"] else ""
        numbers = (
            f"{row['speed']:7.2f} {row['timesFloor']:8.2f} {row['pairsPerSecond']:8.1f} {row['maxDeviation']:14.1e}"
        )
        print(f"  {name:25s} {numbers}{wrong}", flush=True)


def _print_processes(figures: dict[str, Any]) -> None:
    print(f"  {'fresh process':25s} {'start s':>7s} {'ratio':>8s} {'peak MiB':>8s}")
    for name, row in figures.items():
        print(f"  {name:25s} {row['seconds']:7.2f} {row['ratio']:8.2f} {row['peakMebibytes']:8.0f}", flush=True)


def _print_growth(costs: dict[int, float]) -> None:
    print("\nours, all-MiniLM-L6-v2, milliseconds per pair at growing numbers of pairs")
    print("  " + "   ".join(f"{pairs:,}: {cost:.2f}" for pairs, cost in costs.items()), flush=True)


def _print_targets(encoders: dict[str, Any]) -> None:
    print("\nours against the targets")
    for name, figures in encoders.items():
        row, cold_start = figures["rows"]["ours"], figures["processes"]["ours"]["ratio"]
        _print_target(name, "speed", f"{row['speed']:.2f} >= {LEAST_SPEED}", row["speed"] >= LEAST_SPEED)
        most = MOST_TIMES_FLOOR[name]
        _print_target(name, "x floor", f"{row['timesFloor']:.2f} <= {most}", row["timesFloor"] <= most)
        _print_target(name, "cold start", f"{cold_start:.2f} <= 1/3", cold_start <= MOST_COLD_START)
        deviation = row["maxDeviation"]
        _print_target(name, "max deviation", f"{deviation:.1e} <= {MOST_DEVIATION:g}", deviation <= MOST_DEVIATION)


def _print_target(encoder: str, what: str, comparison: str, met: bool) -> None:
    print(f"  {encoder:25s} {what:15s} {comparison:18s} {'met' if met else 'NOT MET'}")


if __name__ == "__main__":
    main()
