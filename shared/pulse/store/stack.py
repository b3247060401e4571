"""What commands need of a deployed stack: CloudFormation's outputs, and AWS's errors in words."""

from dataclasses import dataclass, fields
from typing import Self

from botocore import exceptions as aws

from pulse.errors import SettingsError
from pulse.store.clients import client

_DENIED = (
    "AccessDenied",
    "AccessDeniedException",
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
)
_WITHOUT_CREDENTIALS = (
    aws.CredentialRetrievalError,
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.ProfileNotFound,
    aws.SSOError,
    aws.TokenRetrievalError,
)


@dataclass(frozen=True)
class StackOutputs:
    """The outputs of template.yaml: `api_url` is the output ApiUrl, and so on."""

    api_url: str
    pages_url: str
    pages_bucket: str
    lake_bucket: str
    table: str
    database: str
    workgroup: str
    queue_url: str
    dead_letter_queue_url: str
    event_source: str
    metrics_namespace: str
    build_daily: str
    finance_bucket: str
    finance_close_days: str
    public_values: str
    largest_tenant_rows: str
    link_days: str
    raw_retention_days: str

    @classmethod
    def of(cls, stack: str) -> Self:
        """The outputs of a stack in the account and region of the caller's credentials.

        Raises SettingsError if there is no such stack or it is not one of Pulse.
        """
        try:
            found = client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        except aws.ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            raise SettingsError(
                f"there is no stack {stack!r} in this account and region"
            ) from error
        given = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", ())}
        names = {field.name: _camel(field.name) for field in fields(cls)}
        missing = [name for name in names.values() if name not in given]
        if missing:
            raise SettingsError(
                f"the stack {stack!r} has no output {', '.join(missing)}: is it Pulse's own?"
            )
        return cls(**{field: given[name] for field, name in names.items()})


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


@dataclass(frozen=True)
class AwsRefusal:
    """Why AWS refused a call, as a sentence for the command's user."""

    denied: bool
    """Whether the credentials are missing or expired, or may not do this."""
    message: str


def aws_refusal(error: Exception) -> AwsRefusal | None:
    """The refusal that an exception of an AWS client means; None for any other exception."""
    if isinstance(error, _WITHOUT_CREDENTIALS):
        return AwsRefusal(True, f"No AWS credentials to work with: {error}")
    if isinstance(error, aws.ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        return AwsRefusal(code in _DENIED, f"AWS refused: {error}")
    if isinstance(error, aws.BotoCoreError):
        return AwsRefusal(False, f"AWS cannot be reached: {error}")
    return None
