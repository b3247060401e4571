"""Writes template.yaml for this machine's architecture, so that `sam build` makes what runs here.

    python -m tests.runtime.architecture FILE

Everything else is the template's own, word for word.
"""

import platform
import re
import sys
from pathlib import Path

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
LAMBDA_NAMES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
"""What Lambda calls a machine that calls itself so."""

_PROPERTY = re.compile(
    r"^( *(?:Architectures|BuildArchitecture|CompatibleArchitectures): )(.+)$", re.M
)


def for_architecture(template: str, architecture: str) -> str:
    """The text of `template`, whose functions and layers are for arm64, for another architecture.

    Raises ValueError if it names arm64 where it would be left in place.
    """
    changed = _PROPERTY.sub(lambda m: m[1] + m[2].replace("arm64", architecture), template)
    left = [line for line in changed.splitlines() if re.search(r"\barm64\b", line)]
    if architecture != "arm64" and left:
        raise ValueError(f"arm64 is left in: {left[0].strip()}")
    return changed


def main(target: Path) -> None:
    """Write the copy."""
    architecture = LAMBDA_NAMES[platform.machine().lower()]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(for_architecture(TEMPLATE.read_text("utf-8"), architecture), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
