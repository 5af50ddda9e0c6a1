"""Lower precision: whether the CPU has it, and how much it changes scores."""

from math import ceil, log10

import torch

from scoring.bertscore.matching import EncodedText, Pair, match
from scoring.bertscore.packed_encoder import PackedEncoder
from scoring.bertscore.tokens import TextTokenizer

TEXTS = (
    "The customer asks for a refund because the parcel arrived damaged.",
    "The buyer wants the money back, as the package was broken on delivery.",
    "Anna and Tom agree to meet at the station at half past six.",
    "They will go to the cinema on Saturday evening.",
    "Please restart the router and wait until the green light stops blinking.",
    "No.",
    "In 2024 revenue grew by 12.5 % to 3.4 million euros.",
    "The meeting was moved from Tuesday to Thursday since two engineers are ill.",
)


def bfloat16_available() -> bool:
    """Return whether the CPU multiplies bfloat16 in hardware; without it, bfloat16 is ten times slower."""
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name, False) for name in ("amx_bf16", "avx512_bf16", "bf16"))


def measured_deviation(tokenizer: TextTokenizer, exact: PackedEncoder, lower: PackedEncoder) -> float:
    """Measure how far scores move when the encoder is computed in lower precision.

    Args:
        tokenizer: The encoder's tokenizer.
        exact: The encoder in single precision.
        lower: The same encoder in lower precision.

    Returns:
        The largest change of precision, recall or F1 over all pairs of some sentences, rounded up to a power of ten.
    """
    texts = tokenizer.tokenize(TEXTS)
    weights = [torch.tensor([float(token not in tokenizer.special_ids) for token in text.ids]) for text in texts]
    scores = []
    for encoder in (exact, lower):
        encoded = [
            EncodedText(*text) for text in zip(encoder.encode([text.ids for text in texts]), weights, strict=True)
        ]
        scores.append(match([Pair(candidate, reference) for candidate in encoded for reference in encoded]))
    deviation = (scores[0] - scores[1]).abs().max().item()
    return float(10.0 ** ceil(log10(deviation))) if deviation else 0.0
