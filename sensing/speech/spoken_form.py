"""Written text as it is spoken: the words of a transcript that writes digits and signs."""

from __future__ import annotations

import re
from functools import cache

from unicode_rbnf import RbnfEngine

_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_SIGNS = {"%": " percent ", "°": " degrees ", "&": " and ", "\u2019": "'"}
_MOST_DIGITS = 12
"""Longer numbers are not amounts; their digits are said one by one."""


def spoken_words(text: str) -> list[str]:
    """Return the words of an English text in lower case, numbers and signs written out.

    ``"Set it to 20%."`` becomes ``set it to twenty percent``.
    """
    for sign, words in _SIGNS.items():
        text = text.replace(sign, words)
    return _WORD.findall(_NUMBER.sub(lambda found: f" {_said(found.group())} ", text.lower()))


def _said(number: str) -> str:
    if len(number) > _MOST_DIGITS:
        return " ".join(_said(digit) for digit in number if digit != ".")
    said: str = _numbers().format_number(number).text
    return said.replace("-", " ")


@cache
def _numbers() -> RbnfEngine:
    return RbnfEngine.for_language("en")
