"""Single resources of a made-up account, for tests that need no whole stack."""

from pulse.store.clients import client

OPEN_DOOR = {"PULSE_ORIGIN_SECRET": "", "PULSE_ONLY_THROUGH_PAGES": "false"}
NO_LIMITS = {
    f"PULSE_{whose}_{what}_PER_MINUTE": "0"
    for whose in ("KEY", "TENANT")
    for what in ("WRITES", "READS", "EXPORTS")
}
OPEN_TO_ALL = {
    "PULSE_RAW_RETENTION_DAYS": "0",
    **OPEN_DOOR,
    **NO_LIMITS,
    "PULSE_REMEMBER_SECONDS": "60",
    "PULSE_DATABASE": "pulse",
    "PULSE_WORKGROUP": "pulse",
    "PULSE_MOST_COMMENTS": "1000000",
}
"""The settings of functions with routes about their callers."""


def make_table() -> str:
    """Make an empty table as template.yaml declares it; return its name."""
    client("dynamodb").create_table(
        TableName="pulse",
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return "pulse"


def make_bucket(name: str = "lake") -> str:
    """Make an empty bucket; return its name."""
    client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    return name
