"""Text of others as people may see it: nothing in it that a terminal obeys, or that misleads.

Names of agents, channels and tenants come from whoever may write. A control character moves the
cursor, a newline makes a line of its own, and Unicode's bidirectional controls show text in another
order than it has (unicode.org/reports/tr36, "Bidirectional Text Spoofing").
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
"""Categories of characters that show as nothing: controls, formats, separators of lines."""
_JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""Without these some scripts, and emojis of several parts, cannot be written."""


def harmless(text: str) -> str:
    """The text of one line or several, with � for what a terminal would obey or show elsewhere."""
    return text.replace("\r\n", "\n").translate(_OBEYED)


def visible(value: str) -> str:
    """The value on one line, with an escape such as \\n or \\u202e for what shows as nothing."""
    return value if value.isprintable() else "".join(map(_escaped, value))


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _UNSEEN or character in _JOINERS:
        return character
    return character.encode("unicode_escape").decode()
