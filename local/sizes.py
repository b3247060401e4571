"""Prints the size of each built function with its layers, at the end of `make build`.

    python -m local.sizes [FOLDER]

FOLDER is the output of `sam build`, by default .aws-sam/build. Lambda's limit for a function's code
and layers is 250 MiB, unzipped. ingest has a lower limit, because people wait for its cold start.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.template import read_yaml

MIB = 1024 * 1024
LIMIT = 250 * MIB
LIMITS: Mapping[str, int] = {"Ingest": 25 * MIB}
"""The limits in bytes of functions that have a lower one than Lambda's, by logical id."""
BY_ARN: Mapping[str, int] = {"PandasLayer": 204 * MIB}
"""The sizes in bytes of layers that are named by a parameter. AWS's layer had 167 MiB up to 3.16.0
and 204 MiB in 3.16.1 (https://github.com/aws/aws-sdk-pandas/issues/3331): the larger counts."""


def weights(folder: Path) -> dict[str, int]:
    """The bytes of each function with its layers, by logical id.

    If the template chooses between layers, the largest counts. Raises KeyError for a layer that is
    neither built nor in BY_ARN, and OSError if nothing is built.
    """
    template = read_yaml((folder / "template.yaml").read_text("utf-8"))
    shared = template["Globals"]["Function"]["Layers"]
    return {
        name: _bytes(folder / name)
        + sum(
            _layer(folder, layer) for layer in [*shared, *resource["Properties"].get("Layers", [])]
        )
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


def _layer(folder: Path, layer: Mapping[str, Any]) -> int:
    if "Fn::If" in layer:
        _, *choices = layer["Fn::If"]
        return max(_layer(folder, choice) for choice in choices)
    name = layer["Ref"]
    return _bytes(folder / name) if (folder / name).is_dir() else BY_ARN[name]


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main(folder: Path) -> int:
    """Print every function's size; return 1 if one is above its limit, otherwise 0."""
    heavy = False
    for name, weight in weights(folder).items():
        limit = LIMITS.get(name, LIMIT)
        heavy |= weight > limit
        verdict = "  too heavy" if weight > limit else ""
        print(f"{name:16}{weight / MIB:7.1f} of {limit // MIB:3} MiB{verdict}")  # noqa: T201
    return int(heavy)


if __name__ == "__main__":
    sys.exit(main(Path(*sys.argv[1:] or [".aws-sam/build"])))
