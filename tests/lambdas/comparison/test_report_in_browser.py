"""The report as Chromium lays it out."""

import html
import json
import os
import re
import shutil
import subprocess

import numpy as np
import pytest

from comparison.handler import handler

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=2000",
    "--window-size=1600,1200",
]
# The report lies in a frame as wide as the screen; the frame's own scripts are off, the page around it measures.
FRAME = """<!doctype html><meta charset="utf-8"><body><iframe id="f" style="width:{width}px;height:800px;border:0"
srcdoc="{report}"></iframe><pre id="measured"></pre><script>
const frame = document.getElementById("f");
frame.onload = () => {{
  const page = frame.contentDocument;
  const wide = [...page.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > {width} + 0.5);
  document.getElementById("measured").textContent = JSON.stringify({{
    scroll: page.documentElement.scrollWidth,
    wide: wide.map(e => e.tagName + "." + e.getAttribute("class")).slice(0, 5),
    labels: Math.min(...[...page.querySelectorAll(".rows .label")].map(e => e.getBoundingClientRect().width)),
    paper: getComputedStyle(page.body).backgroundColor,
    colours: ["body", ".soft", ".card", "blockquote", ".tag", "h1"].map(e => {{
      let behind = page.querySelector(e);
      const ink = getComputedStyle(behind).color;
      while (getComputedStyle(behind).backgroundColor === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
      return [ink, getComputedStyle(behind).backgroundColor];
    }}),
    headline: page.querySelector("h1").textContent,
    images: page.querySelectorAll("svg").length,
    flat: [...page.querySelectorAll("svg")].filter(e => e.getBoundingClientRect().height < 10).length,
  }});
}};
</script>"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture
def report(run, score):
    """A report with everything that could make it too wide."""
    word, models = "Donaudampfschifffahrt" * 20, ["base", "candidate-with-a-very-long-name-" + "x" * 30, "c"]
    gains = np.random.default_rng(1).normal(0.05, 0.05, 40)
    rows = [
        score(n, word if n % 2 else "\u0645\u0631\u062d\u0628\u0627", base=0.5, **{models[1]: 0.5 + gain, "c": 0.4})
        for n, gain in enumerate(gains, 1)
    ]
    rows.append(score(41) | {"counted": False, "problems": {models[1]: word}})
    run.add_shard(rows, {"signatures": {"bertscore": "|".join([word] * 3)}})
    records = [{"id": str(n), "messages": [{"role": "user", "content": [{"text": word}]}]} for n in range(1, 41)]
    answers = [{"id": str(n), "responses": {model: {"text": word * 9} for model in models}} for n in range(1, 41)]
    run.put("evaluation.jsonl", "".join(json.dumps(record) + "\n" for record in records))
    run.put("responses/map/SUCCEEDED_0.json", "".join(json.dumps(row) + "\n" for row in answers))
    handler(run.compare_event(models=models), None)
    handler(run.report_event(winner=models[1]), None)
    return run.get("report.html")


def measure(report, width, tmp_path, *flags):
    frame = tmp_path / "frame.html"
    frame.write_text(FRAME.format(width=width, report=html.escape(report)), "utf-8")
    command = [CHROMIUM, *FLAGS, *flags, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", frame.as_uri()]
    # Chromium may not inherit the tests' environment: it reads proxies and locales from it.
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env=environment).stdout
    return json.loads(html.unescape(re.search(r'<pre id="measured">(.*?)</pre>', dom, re.DOTALL)[1]))


def contrast(ink, paper):
    """The contrast of two colours as the Web Content Accessibility Guidelines define it, 1 to 21."""

    def luminance(colour):
        shares = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
        return sum(weight * share for weight, share in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    darker, lighter = sorted([luminance(ink), luminance(paper)])
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("width", [375, 768, 1400])
def test_the_page_fits_the_screen(report, width, tmp_path):
    measured = measure(report, width, tmp_path)
    assert measured["wide"] == []
    assert measured["scroll"] <= width
    assert measured["headline"].endswith("is better than base")
    assert measured["images"] > 10
    assert measured["flat"] == 0
    assert measured["labels"] >= 180, "a name is not squeezed beside its numbers"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_the_paper(report, scheme, tmp_path):
    measured = measure(report, 390, tmp_path, f"--blink-settings=preferredColorScheme={int(scheme == 'light')}")
    assert (contrast(measured["paper"], "rgb(0, 0, 0)") > 10) == (scheme == "light")
    assert all(contrast(ink, paper) >= 4.5 for ink, paper in measured["colours"]), measured["colours"]
