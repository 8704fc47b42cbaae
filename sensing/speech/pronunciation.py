"""Pronunciations in ARPAbet, the phones of the recogniser's dictionary (CMUdict)."""

from __future__ import annotations

_ARPABET_OF_IPA = {
    "tʃ": "CH", "dʒ": "JH", "aɪ": "AY", "aʊ": "AW", "eɪ": "EY", "oʊ": "OW", "əʊ": "OW", "ɔɪ": "OY",
    "iə": "IY AH", "n̩": "AH N", "l̩": "AH L",
    "i": "IY", "ɪ": "IH", "ᵻ": "IH", "ɛ": "EH", "e": "EH", "æ": "AE", "a": "AA", "ɑ": "AA", "ɒ": "AA",
    "ɔ": "AO", "o": "OW", "ʊ": "UH", "u": "UW", "ʌ": "AH", "ə": "AH", "ɐ": "AH", "ɚ": "ER", "ɜ": "ER",
    "b": "B", "d": "D", "f": "F", "ɡ": "G", "g": "G", "h": "HH", "j": "Y", "k": "K", "l": "L", "m": "M",
    "n": "N", "ŋ": "NG", "p": "P", "r": "R", "ɹ": "R", "ɾ": "T", "s": "S", "ʃ": "SH", "t": "T", "θ": "TH",
    "ð": "DH", "v": "V", "w": "W", "z": "Z", "ʒ": "ZH", "ʔ": "T", "x": "K", "ç": "HH", "ɬ": "L", "ɲ": "N",
}  # fmt: skip
"""The sounds of American English as espeak-ng writes them; longer ones are tried first."""


def arpabet(ipa: str) -> str:
    """Return ARPAbet phones, separated by spaces, of a word in IPA; stress and length are left out.

    Raises
    ------
    ValueError
        Not one sound of the word is known.
    """
    phones: list[str] = []
    place = 0
    while place < len(ipa):
        for length in (2, 1):
            phone = _ARPABET_OF_IPA.get(ipa[place : place + length])
            if phone is not None:
                phones.append(phone)
                place += length
                break
        else:
            place += 1
    if not phones:
        raise ValueError(f"no sound of {ipa!r} is known")
    return " ".join(phones)
