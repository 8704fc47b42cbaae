"""The little of MPEG audio that libsndfile leaves to others: where a stream that is joined anywhere begins.

Frame headers are those of ISO 11172-3, section 2.4.1.3, and 13818-3; layer III only.
"""

from __future__ import annotations

_KBITS = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_HZ = {0: (11_025, 12_000, 8_000), 2: (22_050, 24_000, 16_000), 3: (44_100, 48_000, 32_000)}
_HEADER_BYTES = 4
LENGTH_HEADERS = (b"Xing", b"Info", b"VBRI")
"""In its first frame a file may tell how many there are."""


def first_frame(data: bytes) -> int | None:
    """Return where the first frame begins that another one follows, None if there is none."""
    start = data.find(b"\xff")
    while start >= 0:
        length = frame_bytes(data[start : start + _HEADER_BYTES])
        if length and frame_bytes(data[start + length : start + length + _HEADER_BYTES]):
            return start
        start = data.find(b"\xff", start + 1)
    return None


def frame_bytes(header: bytes) -> int:
    """Return the length of the frame with this header, 0 if it is none of layer III."""
    if len(header) < _HEADER_BYTES or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0
    version = header[1] >> 3 & 3
    rates_hz, speed, rate = _RATES_HZ.get(version), header[2] >> 4, header[2] >> 2 & 3
    if rates_hz is None or rate == 3 or speed in (0, 15):
        return 0
    generation, scale = (1, 144) if version == 3 else (2, 72)
    return scale * 1000 * _KBITS[generation][speed] // rates_hz[rate] + (header[2] >> 1 & 1)


def tag_bytes(data: bytes) -> int:
    """Return the length of the ID3v2 tag that the data begin with, 0 without one."""
    if len(data) < 10 or data[:3] != b"ID3":
        return 0
    return 10 + sum((byte & 0x7F) << 7 * place for place, byte in enumerate(reversed(data[6:10])))
