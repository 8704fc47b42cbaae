"""Files that are replaced at once."""

from __future__ import annotations

from pathlib import Path


def write_whole(path: Path, text: str, *, is_private: bool = False) -> None:
    """Write a file, and its folder where there is none.

    Readers see the old text or the new one, and a power cut leaves one of them.

    Parameters
    ----------
    is_private : bool
        Whether only this user may read it.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.part")
    if is_private:
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
