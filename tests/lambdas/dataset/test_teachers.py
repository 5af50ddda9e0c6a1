"""Which teacher can teach which student in a distillation."""

import pytest

from dataset.candidates import plan_candidates
from dataset.teachers import problems_with_teachers, teachers, unknown_pairs

FIELD = "customizationConfig.distillationConfig.teacherModelConfig.teacherModelIdentifier"
MODELS = {
    "maker.small:0:8k": {"serving": ["on-demand"], "inferenceId": "maker.small", "teachers": {
        "maker.large-v1:0": ["on-demand", "inference-profile"],
        "maker.largest-v1:0": ["inference-profile"],
        "maker.old-v1:0": ["on-demand"],
    }},
    "maker.tiny:0:8k": {"serving": ["on-demand"], "inferenceId": "maker.tiny", "teachers": {
        "maker.middle-v1:0": ["on-demand"],
    }},
}  # fmt: skip


def planned(teacher, student="maker.small:0:8k", kind="DISTILLATION"):
    config = {"distillationConfig": {"teacherModelConfig": {"teacherModelIdentifier": teacher}}}
    return plan_candidates(
        {"baseModelIdentifier": student, "customizationType": kind, "customizationConfig": config}, MODELS, "on-demand"
    )


def problems(*arguments):
    return list(problems_with_teachers(planned(*arguments), MODELS))


def unknown(*arguments):
    return list(unknown_pairs(planned(*arguments), MODELS))


@pytest.mark.parametrize(
    "teacher",
    [
        "maker.large-v1:0",
        "us.maker.large-v1:0",
        "eu.maker.largest-v1:0",
        "arn:aws:bedrock:us-east-1::foundation-model/maker.large-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.maker.largest-v1:0",
    ],
)
def test_a_known_pair_is_right_in_every_form_that_it_may_have(teacher):
    assert problems(teacher) == []
    assert unknown(teacher) == []


@pytest.mark.parametrize(
    ("teacher", "remedy"),
    [
        ("maker.largest-v1:0", "Give an inference profile, such as 'us.maker.largest-v1:0'."),
        ("us.maker.old-v1:0", "Give the model's id 'maker.old-v1:0'."),
    ],
)
def test_a_teacher_that_is_named_as_it_cannot_be_is_refused(teacher, remedy):
    assert problems(teacher) == [f"{FIELD}: {teacher!r} cannot be asked in a distillation. {remedy}"]


@pytest.mark.parametrize("teacher", ["maker.middle-v1:0", "us.other.giant-v1:0"])
def test_a_pair_that_cannot_be_is_refused_with_those_that_can(teacher):
    assert problems(teacher) == [
        f"{FIELD}: {teacher!r} cannot teach 'maker.small:0:8k'. Allowed: maker.large-v1:0, us.maker.largest-v1:0, "
        "maker.old-v1:0. Choose one of them, or another model to be taught."
    ]


def test_an_inference_profile_of_ones_own_is_refused():
    teacher = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdefghijkl"
    (problem,) = problems(teacher)
    assert problem.startswith(f"{FIELD}: {teacher!r} is an inference profile of your own")
    assert teachers(planned(teacher)) == []


def test_an_unknown_teacher_of_the_same_maker_is_a_warning():
    assert problems("maker.new-v9:0") == []
    assert unknown("maker.new-v9:0") == [
        "it is not known whether 'maker.new-v9:0' can teach 'maker.small:0:8k'; known are maker.large-v1:0, "
        "us.maker.largest-v1:0, maker.old-v1:0"
    ]


def test_an_unknown_student_may_have_any_teacher():
    assert problems("maker.middle-v1:0", "new.model:0") == []
    assert unknown("maker.middle-v1:0", "new.model:0") == []


def test_only_a_distillation_has_a_teacher():
    assert problems("maker.middle-v1:0", "maker.small:0:8k", "FINE_TUNING") == []
    assert teachers(planned("us.maker.large-v1:0")) == ["maker.large-v1:0"]
    assert teachers(planned("us.maker.large-v1:0", "maker.small:0:8k", "FINE_TUNING")) == []
