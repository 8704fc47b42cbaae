"""The phones of American English in ARPAbet, as the acoustic model numbers them."""

from __future__ import annotations

from collections.abc import Iterable

BLANK = 0
"""The label of a frame in which no phone is heard (connectionist temporal classification)."""
PHONES = (
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY",
    "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y",
    "Z", "ZH",
)  # fmt: skip
"""Label 1 is the first of them."""
LABELS = 1 + len(PHONES)
"""Values of a frame: the blank and the phones."""

_LABEL_OF = {phone: label for label, phone in enumerate(PHONES, start=1)}


def phone_labels(phones: Iterable[str]) -> tuple[int, ...]:
    """Return the labels of ARPAbet phones without stress marks.

    Raises
    ------
    ValueError
        A phone is not one of `PHONES`.
    """
    try:
        return tuple(_LABEL_OF[phone] for phone in phones)
    except KeyError as error:
        raise ValueError(f"{error.args[0]!r} is not an ARPAbet phone") from error
