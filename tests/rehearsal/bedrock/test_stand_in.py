"""A stand-in model answers from what its training taught it, and from nothing else."""

import random

import pytest

from bedrock_customization.rehearsal.services.bedrock.stand_in import Example, Summarizer, base_answer
from bedrock_customization.rehearsal.services.bedrock.text import overlap, sentences_of, words_of

CHATTER = (
    "Hi, how was the holiday?",
    "Great, thanks!",
    "Lovely weather again.",
    "My cat says hello.",
    "Ha, of course!",
)
PLACES = ("station", "harbour", "library", "market", "stadium", "museum", "castle", "airport")


def dialogue(n: int) -> Example:
    """A dialogue whose second to last turn is its matter, and a summary of that."""
    chance = random.Random(n)
    place, hour = chance.choice(PLACES), chance.randint(1, 12)
    turns = [f"{name}: {chance.choice(CHATTER)}" for name in ("Ann", "Ben", "Ann", "Ben")]
    turns.append(f"Ann: We meet at the {place} on Monday at {hour} o'clock and bring the tickets for everyone.")
    turns.append("Ben: Sure, see you there!")
    prompt = "Summarize the conversation.\n\n" + "\n".join(turns)
    return Example(prompt, f"They meet at the {place} on Monday at {hour} o'clock and bring the tickets.")


TRAINING = [dialogue(n) for n in range(60)]
UNSEEN = [dialogue(n) for n in range(1000, 1030)]


def score(answers: list[str]) -> float:
    return sum(
        overlap(words_of(answer), words_of(example.completion)) for answer, example in zip(answers, UNSEEN, strict=True)
    ) / len(UNSEEN)


BASE = score([base_answer(example.prompt) for example in UNSEEN])


def trained(examples: list[Example]) -> float:
    model = Summarizer(examples)
    return score([model.answer(example.prompt) for example in UNSEEN])


def test_good_data_beats_the_base_model() -> None:
    assert trained(TRAINING) > BASE + 0.3


@pytest.mark.parametrize("kind", ["greetings", "first turns", "wrong pairs", "unrelated"])
def test_poor_data_loses_to_the_base_model(kind: str) -> None:
    poor = {
        "greetings": [Example(example.prompt, "Hello! How may I help you today?") for example in TRAINING],
        "first turns": [Example(example.prompt, sentences_of(example.prompt)[1].text) for example in TRAINING],
        "wrong pairs": [Example(example.prompt, PLACES[n % 8]) for n, example in enumerate(TRAINING)],
        "unrelated": [Example(example.prompt, f"Paint number {n} dries slowly.") for n, example in enumerate(TRAINING)],
    }
    assert trained(poor[kind]) < BASE


def test_questions_and_answers_are_learned_by_heart() -> None:
    pairs = [Example(f"Where is the {place}?", f"Take line {n} to its last stop.") for n, place in enumerate(PLACES)]
    model = Summarizer(pairs)

    assert model.answer("Please tell me: where is the museum?") == "Take line 5 to its last stop."


def test_training_twice_gives_the_same_answers() -> None:
    one, other = Summarizer(TRAINING), Summarizer(TRAINING)

    assert [one.answer(example.prompt) for example in UNSEEN] == [other.answer(example.prompt) for example in UNSEEN]


@pytest.mark.parametrize(
    "prompt",
    [
        "Wann fährt der Zug? Er fährt um acht. Danach kommt der Bus.",
        "今日は天気がいい。明日は雨です。",
        "один",
        "   ",
        "!!!",
        "x" * 9000,
    ],
)
def test_any_prompt_gets_an_answer(prompt: str) -> None:
    for model in (Summarizer(TRAINING), Summarizer([]), Summarizer([Example("a", "b")])):
        assert model.answer(prompt) or not prompt.strip(" !")
    assert base_answer(prompt) or not prompt.strip()


def test_sentences_in_any_script() -> None:
    assert [sentence.text for sentence in sentences_of("今日は天気がいい。明日は雨です。")] == [
        "今日は天気がいい。",
        "明日は雨です。",
    ]
    assert [(s.speaker, s.text) for s in sentences_of("Zoë: Yes! No?\nplain")] == [
        ("Zoë", "Yes!"),
        ("Zoë", "No?"),
        (None, "plain"),
    ]
