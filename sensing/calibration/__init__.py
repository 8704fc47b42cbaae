"""Which tone suits this hardware in this room, how loud it must be, and what it can then see."""
