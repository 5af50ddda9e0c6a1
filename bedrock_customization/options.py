"""The small frozen types that callers pass to the constructs."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self

from aws_cdk import aws_lambda as lambda_

from bedrock_customization.argument_checks import check_flag, check_fraction, check_type, check_whole_number
from bedrock_customization.construct_checks import FUNCTION, check_interface

# The longest response text of a record must leave room for the other models' in a child's 256 KiB state.
MAX_TOKENS_LIMIT = 4096


class ServingMode(Enum):
    """How a custom model answers: what Bedrock offers to serve it with."""

    AUTOMATIC = "automatic"
    ON_DEMAND = "on-demand"
    PROVISIONED = "provisioned"


class OnSuccess(Enum):
    """What becomes of the serving of a custom model that is better; the model itself is kept either way."""

    KEEP_SERVING = "keep-serving"
    """It stays, so that the model can be asked at once; provisioned throughput goes on to be paid by the hour."""
    RELEASE_SERVING = "release-serving"
    """It is released: only the model's storage is paid for until somebody serves it."""


class Commitment(Enum):
    """A term for which provisioned throughput is bought: it is cheaper, and paid to the end whatever happens."""

    ONE_MONTH = "OneMonth"
    SIX_MONTHS = "SixMonths"


@dataclass(frozen=True, kw_only=True)
class Serving:
    """How custom models are served while they are evaluated, and after the gate kept one.

    Use the factories `automatic`, `on_demand` and `provisioned`.

    Args:
        mode: What serves the model.
        model_units: Model units of provisioned throughput; not used by on-demand deployments.
        commitment: The term of provisioned throughput; none by default.
        release_automatically: Whether what a run does not keep is deleted; only False allows a commitment.
    """

    mode: ServingMode
    model_units: int = 1
    commitment: Commitment | None = None
    release_automatically: bool = True

    def __post_init__(self) -> None:
        check_type("mode", self.mode, ServingMode, "Serving.on_demand() or Serving.provisioned()")
        check_type("commitment", self.commitment, Commitment, "Commitment.ONE_MONTH or Commitment.SIX_MONTHS")
        check_flag("release_automatically", self.release_automatically)
        if not isinstance(self.model_units, int) or isinstance(self.model_units, bool) or self.model_units < 1:
            raise ValueError(
                f"model_units: got {self.model_units!r}; it must be a whole number of at least 1, "
                "the number of model units that provisioned throughput buys by the hour."
            )
        if self.commitment is not None and self.mode is not ServingMode.PROVISIONED:
            raise ValueError(
                f"commitment: got {self.commitment.value} for {self.mode.value} serving; only provisioned has one."
            )
        if self.commitment is not None and self.release_automatically:
            raise ValueError(
                f"commitment: got {self.commitment.value}, but Bedrock deletes provisioned throughput only after its "
                "term, so a run could not release it. Leave commitment out, or pass release_automatically=False to "
                "pay for every served candidate to the end of the term, whatever the verdict."
            )
        if self.commitment is None and not self.release_automatically:
            raise ValueError(
                "release_automatically: got False without a commitment; what is paid by the hour is always released."
            )

    @classmethod
    def automatic(cls) -> Self:
        """On demand where Bedrock offers it for the base model, provisioned throughput by the hour elsewhere.

        The catalogue of models decides; a base model that is not in it is refused before training.
        """
        return cls(mode=ServingMode.AUTOMATIC)

    @classmethod
    def on_demand(cls) -> Self:
        """A custom model deployment: nothing to pay while nobody asks it. Bedrock offers it for a few base models."""
        return cls(mode=ServingMode.ON_DEMAND)

    @classmethod
    def provisioned(
        cls, *, model_units: int = 1, commitment: Commitment | None = None, release_automatically: bool = True
    ) -> Self:
        """Provisioned throughput, by default without commitment: paid by the hour until it is deleted.

        Args:
            model_units: Model units to buy. The account's quota for no-commitment units is 0 until AWS raises it.
            commitment: A term to buy for; it cannot be released before its end, whatever the verdict.
            release_automatically: Must be False with a commitment, as a way to say that this is known. What a run
                bought is then tagged as kept from the beginning, and no release touches it.

        Raises:
            ValueError: A commitment together with automatic release.
        """
        return cls(
            mode=ServingMode.PROVISIONED,
            model_units=model_units,
            commitment=commitment,
            release_automatically=release_automatically,
        )


@dataclass(frozen=True, kw_only=True)
class Inference:
    """How every model is asked: the same parameters for all, so that answers can be compared.

    Args:
        max_tokens: The longest answer in tokens, 1 to 4096. Always sent: without it Bedrock reserves the model's
            maximum against the quota.
        temperature: 0 to 1; 0 by default, so that a repeated run gives the same answers.
        top_p: 0 to 1; not sent by default.
        max_concurrency: Records that are asked at the same time, 1 to 1,000.
        requests_per_minute: The most requests a minute to each model; no limit of our own by default. On-demand
            deployments of custom models can have a quota of as little as 4 a minute. Without a limit a throttled model
            is asked again until it answers, which costs state transitions and changes no score.
    """

    max_tokens: int = 512
    temperature: float = 0.0
    top_p: float | None = None
    max_concurrency: int = 5
    requests_per_minute: int | None = None

    def __post_init__(self) -> None:
        check_whole_number("max_tokens", self.max_tokens, 1, MAX_TOKENS_LIMIT)
        check_whole_number("max_concurrency", self.max_concurrency, 1, 1000)
        check_fraction("temperature", self.temperature)
        if self.top_p is not None:
            check_fraction("top_p", self.top_p)
        if self.requests_per_minute is not None:
            check_whole_number("requests_per_minute", self.requests_per_minute, 1, 100_000)

    def to_json(self) -> dict[str, Any]:
        """The parameters as the dataset function's event names them."""
        optional = {"topP": self.top_p, "requestsPerMinute": self.requests_per_minute}
        return {
            "maxTokens": self.max_tokens,
            "temperature": self.temperature,
            **{name: value for name, value in optional.items() if value is not None},
        }


@dataclass(frozen=True, kw_only=True)
class QualityGate:
    """When a candidate is really better than the baseline.

    A candidate passes when the confidence interval of its paired mean improvement lies above `min_improvement`; a tie
    is not an improvement. When fewer records counted than `min_coverage` asks for, nothing is decided.

    Args:
        metric: The score that decides, for example `bertscore_f1`, `rouge_l` or an evaluator's name.
        min_improvement: The least improvement of the metric's mean, in the metric's unit; 0 means any real one.
        confidence: The interval's confidence, above 0.5 and below 1.
        min_coverage: The least share of records that every model answered completely, 0 to 1.
    """

    metric: str = "bertscore_f1"
    min_improvement: float = 0.0
    confidence: float = 0.95
    min_coverage: float = 0.99

    def __post_init__(self) -> None:
        check_type("metric", self.metric, str, '"bertscore_f1", the name of a score')
        if self.metric == "answer_length" or not _SCORE_NAME.fullmatch(self.metric):
            raise ValueError(
                f"metric: got {self.metric!r}; the gate can decide on one of {', '.join(SCORES)}, or on an evaluator."
            )
        if not _is_number(self.min_improvement) or not math.isfinite(self.min_improvement):
            raise ValueError(f"min_improvement: got {self.min_improvement!r}; it must be a finite number, 0 or more.")
        if self.min_improvement < 0:
            raise ValueError(
                f"min_improvement: got {self.min_improvement}; below 0 a worse model would pass. Use 0 or more."
            )
        if not _is_number(self.confidence) or not 0.5 < self.confidence < 1:
            raise ValueError(f"confidence: got {self.confidence!r}; it must be above 0.5 and below 1, such as 0.95.")
        check_fraction("min_coverage", self.min_coverage)


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric that the scoring function computes for every answer. Use the factories.

    Args:
        name: The name that the scoring function knows.
        idf: BERTScore only: weigh words by their rarity in the references.
        rescale: BERTScore only: rescale with the encoder's baseline.
        precision: BERTScore only: how the encoder is computed, `fp32` or `bf16`.
        stemmer: ROUGE only: reduce words to their stems.
    """

    name: str
    idf: bool = False
    rescale: bool = False
    precision: str = "fp32"
    stemmer: bool = False

    def __post_init__(self) -> None:
        check_type("name", self.name, str, '"rouge", for example')
        if self.name not in _SCORES_OF_METRIC:
            raise ValueError(
                f"name: got {self.name!r}; it must be one of {', '.join(_SCORES_OF_METRIC)}. Pass Metric.rouge() or "
                "another factory; for a metric of your own, pass an Evaluator as one of `evaluators`."
            )
        for option in ("idf", "rescale", "stemmer"):
            check_flag(option, getattr(self, option))
        if self.precision not in _PRECISIONS:
            raise ValueError(f"precision: got {self.precision!r}; it must be one of {', '.join(_PRECISIONS)}.")

    @classmethod
    def bertscore(cls, *, idf: bool = False, rescale: bool = False, precision: str = "fp32") -> Self:
        """BERTScore: `bertscore_precision`, `bertscore_recall` and `bertscore_f1`.

        Args:
            idf: Weigh words by their rarity in the references.
            rescale: Rescale with the encoder's baseline, which spreads the scores and changes no ranking.
            precision: `fp32`, by default, gives bert-score's numbers. `bf16` computes the encoder in bfloat16 wherever
                the function runs on a processor with instructions for it, which is quicker and moves scores by about
                0.001; the score's signature says which it was and how far scores moved.

        Raises:
            ValueError: Another precision.
        """
        return cls(name="bertscore", idf=idf, rescale=rescale, precision=precision)

    @classmethod
    def rouge(cls, *, stemmer: bool = False) -> Self:
        """ROUGE: `rouge_1`, `rouge_2` and `rouge_l`, F-measures; of texts that are not in Latin letters there is none.

        Args:
            stemmer: Reduce English words to their stems (Porter) before they are compared.
        """
        return cls(name="rouge", stemmer=stemmer)

    @classmethod
    def exact_match(cls) -> Self:
        """`exact_match`: 1 when the answer is the reference, else 0."""
        return cls(name="exact_match")

    @classmethod
    def quasi_exact_match(cls) -> Self:
        """`quasi_exact_match`: as `exact_match`, after lower case and without punctuation, articles and extra space."""
        return cls(name="quasi_exact_match")

    @classmethod
    def token_f1(cls) -> Self:
        """`token_f1`: the F-measure of shared words, after the normalisation of `quasi_exact_match`."""
        return cls(name="token_f1")

    @classmethod
    def answer_length(cls) -> Self:
        """`answer_length`: words in the answer. It describes; it cannot decide."""
        return cls(name="answer_length")

    @property
    def scores(self) -> tuple[str, ...]:
        """The names of the scores that the metric gives."""
        return _SCORES_OF_METRIC[self.name]

    def to_json(self) -> dict[str, object]:
        """The metric as the scoring function's event names it."""
        precision = {"precision": self.precision} if self.precision != "fp32" else {}
        options: dict[str, dict[str, object]] = {
            "bertscore": {"idf": self.idf, "rescale": self.rescale, **precision},
            "rouge": {"stemmer": self.stemmer},
        }
        return {"name": self.name, **options.get(self.name, {})}


@dataclass(frozen=True, kw_only=True)
class Evaluator:
    """A metric of your own: a Lambda function that gets rows and returns a number for each answer.

    Its event is `{"name", "models": ["<model>", ...], "rows": [{"id", "category"?, "system"?, "messages", "references":
    [...], "responses": {"<model>": "<text>"}}]}`: a part of a shard, at most some 2 MiB, with complete answers only. It
    returns `{"values": {"<id>": {"<model>": number or null}}}` with every row and model of the event. More is better.
    Null says that an answer cannot be judged; the record does not count then, if the gate decides on this metric.

    Args:
        name: What the score is called; lower case letters, digits and underscores, at most 40 characters.
        function: The function; the scoring function is allowed to invoke it.
    """

    name: str
    function: lambda_.IFunction

    def __post_init__(self) -> None:
        check_type("name", self.name, str, '"politeness", for example')
        check_interface("function", self.function, FUNCTION)
        if not _SCORE_NAME.fullmatch(self.name) or self.name in (*SCORES, "answer_length"):
            raise ValueError(
                f"name: got {self.name!r}; it must be lower case letters, digits and underscores, at most 40 "
                f"characters, begin with a letter, and be none of {', '.join(SCORES)} or answer_length."
            )

    def to_json(self) -> dict[str, object]:
        """The evaluator as the scoring function's event names it."""
        return {"name": self.name, "function": self.function.function_arn}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_PRECISIONS = ("fp32", "bf16")
_SCORE_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SCORES_OF_METRIC = {
    "bertscore": ("bertscore_precision", "bertscore_recall", "bertscore_f1"),
    "rouge": ("rouge_1", "rouge_2", "rouge_l"),
    "exact_match": ("exact_match",),
    "quasi_exact_match": ("quasi_exact_match",),
    "token_f1": ("token_f1",),
    "answer_length": ("answer_length",),
}
SCORES = tuple(score for name, scores in _SCORES_OF_METRIC.items() if name != "answer_length" for score in scores)
