"""How English words sound, roughly: words that sound alike have the same key.

A shortened Metaphone (L. Philips, "Hanging on the Metaphone", Computer Language 7(12), 1990): silent letters
go, letters with one sound share a sign, vowels are kept only at the beginning. 0 is the sound of "th", X that
of "sh" and "ch".
"""

from __future__ import annotations

import re
from functools import cache

_RULES = [
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"[^a-z]", ""),
        (r"^(?:kn|gn|pn)", "n"),
        (r"^wr", "r"),
        (r"^wh", "w"),
        (r"^x", "s"),
        (r"mb$", "m"),
        (r"(?:eigh|igh|aigh|ough|augh)(?=t)", "i"),
        (r"(?:eigh|igh|ough)$", "i"),
        (r"gh(?=[aeiou])", "g"),
        (r"gh", ""),
        (r"ph", "f"),
        (r"tch|ch|sh|(?:t|s)i(?=on|an|al)", "X"),
        (r"th", "0"),
        (r"dge?(?=[eiy])|dge$", "j"),
        (r"sch", "sk"),
        (r"c(?=[eiy])", "s"),
        (r"g(?=[eiy][^n])", "j"),
        (r"c?k|c|q", "k"),
        (r"x", "ks"),
        (r"z", "s"),
        (r"v", "f"),
        (r"d", "t"),
        (r"b", "p"),
        (r"g", "k"),
        (r"(?<=[aeiou])h(?![aeiou])", ""),
        (r"w(?![aeiouy])|(?<=[aeiou])y|y(?![aeiou])", ""),
        (r"([a-zX])\1+", r"\1"),
        (r"(?<=.)[aeiouhw]", ""),
        (r"^[aeiouy]", "a"),
        (r"([a-zX0])\1+", r"\1"),
    )
]


@cache
def phonetic_key(word: str) -> str:
    """Return the sounds of a word.

    >>> phonetic_key("night") == phonetic_key("nite")
    True
    """
    key = word.lower()
    for pattern, sound in _RULES:
        key = pattern.sub(sound, key)
    return key.upper()
