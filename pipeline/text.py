"""Text that comes from others: names, comments and ids, made safe for wherever people read them.

Before one reaches a terminal, a digest, a notice or a spreadsheet it passes `one_line`: a newline forges a line of a
digest, an escape sequence rewrites a terminal, and a mark of direction makes a text read backwards.
"""

import re

# Join letters in Persian, Hindi and emoji; invisible, and obeyed by nothing.
_JOINERS = "\u200c\u200d"
# The wide forms count as well: some spreadsheets read them as the narrow ones.
FORMULA_BEGINNINGS = tuple("=+-@＝＋－＠")
# In an address: what stands before the host, and options that hold a secret. A password may hold any sign but a space.
_PASSWORD = re.compile(r"(://[^/\s:@]*):\S*@")
_TOKEN = re.compile(r"://[^/\s:@*]+@")
_OPTION = re.compile(r"(?i)([?&;][a-z_]*(?:password|passwd|secret|token|key)=)[^&;\s\"']+")


def one_line(value: object) -> str:
    """One line that nothing obeys: a space for each line end or tab, � for what cannot be seen (ESC, NUL, bidi)."""
    return "".join(map(_visible, str(value)))


def harmless(text: str) -> str:
    """Text for a cell that no spreadsheet runs: one line, with an apostrophe before a formula."""
    cell = one_line(text)
    return "'" + cell if cell.lstrip().startswith(FORMULA_BEGINNINGS) else cell


def without_passwords(text: str) -> str:
    """Text with the passwords and tokens inside its addresses masked."""
    masked = _PASSWORD.sub(r"\1:***@", text)
    return _OPTION.sub(r"\1***", _TOKEN.sub("://***@", masked))


def _visible(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    return " " if character.isspace() and character not in "\x1c\x1d\x1e\x1f" else "�"
