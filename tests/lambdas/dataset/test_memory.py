"""Memory while a file is checked, measured by the system in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

LAMBDA_SRC = Path(__file__).parents[3] / "lambda_src"
PROGRAM = """
import json, re, sys
from pathlib import Path
from dataset.check import check_files

class Endless:
    def __init__(self, megabytes):
        self.left = megabytes
        self.line = 0
    def open(self, mode):
        return self
    def read(self, size):
        if not self.left:
            return b""
        self.left -= 1
        lines = []
        length = 0
        while length < 1 << 20:
            self.line += 1
            lines.append(b'{"prompt": "Question %d %s", "completion": "Answer"}\\n' % (self.line, b"word " * 3000))
            length += len(lines[-1])
        return b"".join(lines)

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024

check_files(training=Endless(8), evaluation=Endless(1))
small = peak()
report = check_files(training=Endless(int(sys.argv[1])), evaluation=Endless(1))
print(json.dumps({"small": small, "large": peak(), "records": report.records("training")}))
"""


pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")


def measure(program, megabytes):
    command = [sys.executable, "-c", program, str(megabytes)]
    return json.loads(subprocess.run(command, cwd=LAMBDA_SRC, capture_output=True, check=True).stdout)


def test_a_file_is_checked_in_bounded_memory():
    measured = measure(PROGRAM, megabytes=200)
    assert measured["records"] > 10_000
    assert measured["large"] < 200
    assert measured["large"] - measured["small"] < 20


def test_a_line_without_end_is_not_kept():
    program = PROGRAM.replace("\\n' %", "' %")
    measured = measure(program, megabytes=100)
    assert measured["records"] == 1
    assert measured["large"] < 200
