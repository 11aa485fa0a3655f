"""What was thought before, as an officer writes it down."""

from __future__ import annotations

import pytest

from tearline.terms import BadInput
from tearline.trace.prior import read_prior

PARTNERS = ("AUS", "CAN", "USA")


def test_weights_are_shared_out_and_leave_room_for_somebody_else() -> None:
    assert read_prior("p", "", PARTNERS) == dict.fromkeys(PARTNERS, 1 / 4)
    prior = read_prior("p", "CAN = 5  # a guess\nUSA = 0.0\nsomebody-else = 4\n", PARTNERS)
    assert prior == {"AUS": 0.1, "CAN": 0.5, "USA": 0.0}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("USA", "it is not TOML"),
        ("USA = 1\nUSA = 2", "it is not TOML"),
        ("XXX = 1", "not a partner"),
        ("USA = -1", "below 0"),
        ("USA = inf", "beyond all bounds"),
        ("USA = nan", "beyond all bounds"),
        ("USA = true", "not a number"),
        ('USA = "much"', "not a number"),
        ("[USA]\nweight = 1", "not a number"),
        ("somebody-else = 0", "nobody else cannot be known"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(text: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as refused:
        read_prior("prior.toml", text, PARTNERS)
    assert str(refused.value).startswith("prior.toml")
    assert "\n" not in str(refused.value)
