"""What a fresh process costs: seconds until the first score, and peak memory."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measured_encoder import MeasuredEncoder


def measure(contender: str, encoder: MeasuredEncoder, triples: int, threads: int) -> dict[str, float]:
    """Score in a fresh process.

    Args:
        contender: A key of `CONTENDERS`.
        encoder: The encoder.
        triples: How many triples to score.
        threads: With how many threads.

    Returns:
        `seconds` from the start of the process to the end, its `processorSeconds`, and `mebibytes` of peak resident
        memory.
    """
    started = time.perf_counter()
    command = [
        sys.executable,
        "-m",
        "benchmarks.processes",
        contender,
        str(encoder.path),
        str(encoder.layer),
        str(triples),
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    run = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return {"seconds": time.perf_counter() - started, **json.loads(run.stdout.splitlines()[-1])}


def main() -> None:
    """Score, then print processor time and peak memory."""
    from benchmarks.contenders import CONTENDERS
    from benchmarks.texts import dialogue_summaries

    contender, path, layer, triples = sys.argv[1:]
    CONTENDERS[contender](MeasuredEncoder("", Path(path), int(layer)))(dialogue_summaries(int(triples)))
    # Not resource.getrusage, which counts the parent's memory before the program was started.
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(
        json.dumps({"processorSeconds": time.process_time(), "mebibytes": int(peak[1]) / 1024 if peak else None}),
    )


if __name__ == "__main__":
    main()
