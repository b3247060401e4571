"""Codecs that AWS's layer lacks are refused in this process and in functions' workers."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from local import layer_codecs

KNOWN: tuple[Any, ...] = ("snappy", "gzip", None, "none")
UNKNOWN = ("zstd", "lz4", "brotli")
TABLE = pa.table({"a": [1, 2], "b": ["x", "y"]})


def written_elsewhere(folder: Path, codec: str) -> Path:
    """An object as something writes it that knows every codec."""
    path = folder / f"{codec}.parquet"
    script = (
        "import sys, pyarrow as pa; from pyarrow import parquet; "
        "parquet.write_table(pa.table({'a': [1, 2]}), sys.argv[1], compression=sys.argv[2])"
    )
    subprocess.run([sys.executable, "-c", script, path, codec], check=True)
    return path


@pytest.mark.parametrize("codec", KNOWN)
def test_what_the_layer_has_is_written_and_read(tmp_path: Path, codec: Any) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(TABLE, path, compression=codec)
    assert parquet.ParquetFile(path).read() == TABLE
    assert parquet.read_table(path) == TABLE


@pytest.mark.parametrize("codec", UNKNOWN)
def test_what_it_lacks_is_not_written(tmp_path: Path, codec: Any) -> None:
    refused = pytest.raises(pa.ArrowNotImplementedError, match=f"'{codec}' not built")
    path = tmp_path / "a.parquet"
    with refused:
        parquet.write_table(TABLE, path, compression=codec)
    with refused:
        parquet.write_table(TABLE, path, compression={"a": "snappy", "b": codec})
    with refused:
        parquet.ParquetWriter(path, TABLE.schema, compression=codec.upper())
    with refused:
        pd.DataFrame({"a": [1]}).to_parquet(path, compression=codec)


@pytest.mark.parametrize("codec", UNKNOWN)
def test_what_it_lacks_is_not_read(tmp_path: Path, codec: str) -> None:
    path = written_elsewhere(tmp_path, codec)
    refused = pytest.raises(pa.ArrowNotImplementedError, match=f"'{codec}' not built")
    file = parquet.ParquetFile(path)
    assert file.metadata.num_rows == 2  # as on AWS: what is not compressed can be read
    with refused:
        file.read()
    with refused:
        file.read_row_group(0, ["a"])
    with refused:
        list(file.iter_batches())
    with refused:
        parquet.read_table(path)
    with refused:
        parquet.ParquetDataset(path).read()
    with refused:
        pd.read_parquet(path)


def test_it_imports_nothing_itself() -> None:
    script = (
        "import runpy, sys; runpy.run_path(sys.argv[1])['install'](); "
        "assert not any(name.startswith('pyarrow') for name in sys.modules); "
        "from pyarrow import parquet; parquet.ParquetWriter('a', None, compression='zstd')"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, layer_codecs.__file__],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ArrowNotImplementedError: Support for codec 'zstd' not built" in run.stderr
