"""The ids of CloudFront's managed policies, taken from AWS's CDK into managed_policies.json.

    pip download --no-deps aws-cdk-lib
    python -m tests.managed_policies aws_cdk_lib-*.whl

The wheel holds them as JavaScript and weighs 60 MB: so tests read the small file, which lies in
tests/contract and names the wheel that it comes from.
"""

import io
import json
import re
import sys
import tarfile
import zipfile
from pathlib import Path

FILE = Path(__file__).parent / "contract" / "managed_policies.json"
KINDS = {
    "CachePolicyId": "cache-policy",
    "OriginRequestPolicyId": "origin-request-policy",
    "ResponseHeadersPolicyId": "response-headers-policy",
}
"""Property of a distribution's behaviour → the file that declares that kind of policy."""

_CONSTANT = re.compile(r'([A-Z][A-Z0-9_]*)=\w+\.fromManaged\w+Policy\("([0-9a-f-]{36})"\)')


def read_ids(wheel: Path) -> dict[str, dict[str, str]]:
    """By kind and by CDK's name of the policy. Raises ValueError where a kind has none."""
    with zipfile.ZipFile(wheel) as files:
        (name,) = (n for n in files.namelist() if re.search(r"_jsii/aws-cdk-lib@.*\.tgz$", n))
        inner = io.BytesIO(files.read(name))
    found = {}
    with tarfile.open(fileobj=inner) as package:
        for kind, file in KINDS.items():
            code = package.extractfile(f"package/aws-cloudfront/lib/{file}.js")
            assert code is not None
            found[kind] = dict(sorted(_CONSTANT.findall(code.read().decode())))
            if not found[kind]:
                raise ValueError(f"{wheel}: {file}.js declares no managed policy")
    return found


def main(wheel: Path) -> None:
    """Write the file anew, with its source."""
    content = {"source": wheel.name, "ids": read_ids(wheel)}
    FILE.write_text(json.dumps(content, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
