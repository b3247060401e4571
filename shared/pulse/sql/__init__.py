"""The statements that Athena runs, a file each, in the subset that Trino and DuckDB share."""

from importlib.resources import files


def statement(folder: str, name: str) -> str:
    """The text of `folder/name.sql`; `:name` in it stands for a parameter."""
    return files(__package__).joinpath(folder, f"{name}.sql").read_text("utf-8")
