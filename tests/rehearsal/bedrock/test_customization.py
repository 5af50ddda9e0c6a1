"""What a model customization job takes as its data."""

import json

import pytest

from bedrock_customization.rehearsal.services.bedrock.customization import read_prompts, read_training_data
from bedrock_customization.rehearsal.services.bedrock.foundation_models import MODELS


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\u0085"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_only_a_line_feed_ends_a_record(character: str, end: str) -> None:
    """JSON may have the other line separators of Unicode in its texts as they are."""
    prompt = f"one{character}two"
    record = json.dumps({"prompt": prompt, "completion": "three"}, ensure_ascii=False)
    text = record + end

    data = read_training_data(text, MODELS[0], 1, 10)

    assert (data.problem, [example.prompt for example in data.examples]) == (None, [prompt])
    assert [example.prompt for example in read_prompts(text)] == [prompt]
