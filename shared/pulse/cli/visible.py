"""Makes other people's text safe to print, so that it neither controls a terminal nor misleads.

Names of agents, channels and tenants come from anybody who may send events. A control character
moves the cursor, a newline makes a line of its own, and Unicode's bidirectional controls change the
order in which text is shown (unicode.org/reports/tr36, "Bidirectional Text Spoofing").
"""

import unicodedata
from itertools import chain

_OBEYED = dict.fromkeys(
    {
        *chain(range(0x20), range(0x7F, 0xA0)),  # control characters
        *chain(range(0x202A, 0x202F), range(0x2066, 0x206A)),  # embeddings, overrides, isolates
        *(0x2028, 0x2029),  # separators of lines and paragraphs
    }
    - set(map(ord, "\t\n")),
    "\N{REPLACEMENT CHARACTER}",
)
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""The categories of invisible characters: controls, formats, separators of lines."""
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""Without these some scripts, and emojis of several parts, cannot be written."""


def harmless(text: str) -> str:
    """A text of any number of lines, with � for control and bidirectional characters."""
    return text.replace("\r\n", "\n").translate(_OBEYED)


def visible(value: str) -> str:
    """The value on one line, with escapes such as \\n or \\u202e for invisible characters."""
    return value if value.isprintable() else "".join(map(_escaped, value))


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _UNSEEN or character in _JOINERS:
        return character
    return character.encode("unicode_escape").decode()
