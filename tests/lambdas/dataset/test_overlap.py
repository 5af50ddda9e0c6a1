import random

import pytest

from dataset.check import check_files
from dataset.overlap import OverlapIndex

WORDS = [f"w{number}" for number in range(5000)]


def text(seed, words=60):
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def pair(prompt, completion="An answer"):
    return {"prompt": prompt, "completion": f"{completion} to {prompt[:20]}"}


def conversation(prompt):
    return {
        "schemaVersion": "bedrock-conversation-2024",
        "system": [{"text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [{"text": prompt}]},
            {"role": "assistant", "content": [{"text": "An answer"}]},
        ],
    }


def findings(report):
    return {(f.file, f.kind): (f.severity, f.count, f.lines) for f in report.findings.all()}


def test_an_evaluation_set_copied_from_training_is_an_error(write):
    records = [pair(text(seed)) for seed in range(100)]
    training = write(*records, name="t.jsonl")
    evaluation = write(*records[40:50], *(pair(text(seed)) for seed in range(1000, 1010)), name="e.jsonl")
    report = check_files(training=training, evaluation=evaluation)
    assert findings(report) == {("evaluation", "exactOverlap"): ("error", 10, [1, 2, 3, 4, 5])}
    assert report.findings.all()[0].details[0] == "the prompt of training line 41"
    assert report.to_json()["files"]["evaluation"]["promptsInTrainingData"] == {"exact": 10, "near": 0}


def test_the_same_prompts_in_the_other_schema_are_found(write):
    training = write(*(pair(text(seed)) for seed in range(100)), name="t.jsonl")
    evaluation = write(*(conversation(text(seed)) for seed in range(5)), name="e.jsonl")
    report = check_files(training=training, evaluation=evaluation)
    assert findings(report)["evaluation", "exactOverlap"][:2] == ("error", 5)


@pytest.mark.parametrize(("copied", "severity"), [(1, "warning"), (2, "error")])
def test_one_percent_of_exact_overlap_is_tolerated(write, copied, severity):
    training = write(*(pair(text(seed)) for seed in range(50)), name="t.jsonl")
    evaluation = write(*(pair(text(seed)) for seed in [*range(copied), *range(1000, 1100 - copied)]), name="e.jsonl")
    report = check_files(training=training, evaluation=evaluation)
    assert findings(report)["evaluation", "exactOverlap"][:2] == (severity, copied)


def test_exact_means_but_for_case_spacing_and_unicode_form(write):
    training = write(pair("Caf\u00e9  is OPEN\ntoday"), pair("1 + 1"), name="t.jsonl")
    evaluation = write(pair("cafe\u0301 is open today"), pair("1 - 1"), name="e.jsonl")
    report = check_files(training=training, evaluation=evaluation)
    assert findings(report) == {("evaluation", "exactOverlap"): ("error", 1, [1])}


@pytest.mark.parametrize(
    ("change", "near"),
    [
        (lambda words: [*words[:30], "changed", *words[31:]], True),
        (lambda words: [word.upper() + "," for word in words], True),
        (lambda words: ["Please", "read", *words, "and", "answer"], True),
        (lambda words: [*words[:30], *text("other", 30).split()], False),
        (lambda words: random.Random(1).sample(words, len(words)), False),
    ],
)
def test_near_overlap_is_a_warning(write, change, near):
    prompts = [text(seed) for seed in range(20)]
    training = write(*(pair(" ".join(change(prompt.split()))) for prompt in prompts), name="t.jsonl")
    evaluation = write(*(pair(prompt) for prompt in prompts), name="e.jsonl")
    found = findings(check_files(training=training, evaluation=evaluation))
    # The rule samples shingles, so that a single prompt may fall on the other side of the threshold.
    count = found.get(("evaluation", "nearOverlap"), ("warning", 0, []))[1]
    assert count >= 16 if near else count == 0
    assert all(severity == "warning" for severity, _, _ in found.values())


def test_a_template_that_all_prompts_share_is_no_overlap(write):
    template = text("template", 200)
    training = write(*(pair(f"{template} {text(seed, 30)}") for seed in range(50)), name="t.jsonl")
    evaluation = write(*(pair(f"{template} {text(seed, 30)}") for seed in range(1000, 1040)), name="e.jsonl")
    assert findings(check_files(training=training, evaluation=evaluation)) == {}


def test_validation_prompts_in_the_training_data_are_a_warning(write):
    records = [pair(text(seed)) for seed in range(10)]
    report = check_files(training=write(*records, name="t.jsonl"), validation=write(*records, name="v.jsonl"))
    assert findings(report) == {("validation", "exactOverlap"): ("warning", 10, [1, 2, 3, 4, 5])}


def test_an_evaluation_prompt_inside_a_text_of_continued_pre_training_is_near(write):
    prompt = text("prompt", 40)
    training = write({"input": f"{text('before', 500)} {prompt} {text('after', 500)}"}, name="t.jsonl")
    report = check_files(training=training, evaluation=write(pair(prompt), name="e.jsonl"))
    assert findings(report) == {("evaluation", "nearOverlap"): ("warning", 1, [1])}


def test_scripts_without_spaces_are_compared_by_character(write):
    prompt = "".join(random.Random(1).choices([chr(code) for code in range(0x4E00, 0x5000)], k=60))
    report = check_files(
        training=write(pair(prompt[:30] + "\u4e00" + prompt[31:]), name="t.jsonl"),
        evaluation=write(pair(prompt), name="e.jsonl"),
    )
    assert findings(report) == {("evaluation", "nearOverlap"): ("warning", 1, [1])}


def test_every_line_of_a_repeated_held_out_prompt_is_named():
    index = OverlapIndex()
    for line in (3, 8, 9):
        index.add("The same prompt", line)
    index.meet("the same prompt", 5)
    index.meet("the same prompt", 6)
    assert index.exact == {3: 5, 8: 5, 9: 5}


def test_prompts_beyond_the_index_are_counted(write, monkeypatch):
    monkeypatch.setattr("dataset.overlap.MAXIMUM_PROMPTS", 2)
    records = [pair(text(seed)) for seed in range(5)]
    report = check_files(training=write(*records, name="t.jsonl"), validation=write(*records, name="v.jsonl"))
    assert findings(report)["validation", "overlapPartlyChecked"][:2] == ("warning", 3)
