"""Restricts pyarrow to the Parquet codecs that AWS's layer has: snappy and gzip.

aws-sdk-pandas builds the Arrow of its layer with ARROW_WITH_SNAPPY and ARROW_WITH_ZLIB
(building/lambda/build-lambda-layer.sh there). The pyarrow that is installed here knows all codecs,
so without this an object would be written here that no function on AWS can read.

`install` makes this process's pyarrow.parquet refuse all other codecs, whenever it is imported; it
imports nothing itself. The workers of the embedded stack's functions run this file by its path,
because they cannot import this package.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

CODECS = frozenset({"snappy", "gzip", "none", "uncompressed"})

_MODULE = "pyarrow.parquet.core"
_READERS = ("read", "read_row_group", "read_row_groups", "iter_batches", "scan_contents")


def install() -> None:
    """Make pyarrow refuse to read or write Parquet of another codec, with its own error."""
    if _MODULE in sys.modules:
        _narrow(sys.modules[_MODULE])
    elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds pyarrow.parquet.core as usual, and restricts it once it is loaded."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _MODULE:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec and spec.loader:
            _narrow_once_loaded(spec.loader)
        return spec


def _narrow_once_loaded(loader: Loader) -> None:
    load = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        load(module)
        _narrow(module)

    loader.exec_module = exec_module  # type: ignore[method-assign]


def _narrow(parquet: Any) -> None:
    """Make all of the module's functions that read or write check the codecs first."""
    if getattr(parquet, "_is_narrowed", False):
        return
    parquet._is_narrowed = True
    file, dataset, writer = parquet.ParquetFile, parquet.ParquetDataset, parquet.ParquetWriter
    for name in _READERS:
        setattr(file, name, _checked(getattr(file, name), _codecs_of_file))
    dataset.read = _checked(dataset.read, _codecs_of_dataset)
    writer.__init__ = _checked(writer.__init__, _codecs_asked_for)


def _checked(method: Any, codecs_of: Callable[..., Iterable[str]]) -> Any:
    @wraps(method)
    def narrowed(self: Any, *args: Any, **options: Any) -> Any:
        for codec in sorted({codec.lower() for codec in codecs_of(self, **options)} - CODECS):
            raise _not_built(codec)
        return method(self, *args, **options)

    return narrowed


def _not_built(codec: str) -> Exception:
    """The error of a pyarrow without the codec."""
    from pyarrow import ArrowNotImplementedError

    return ArrowNotImplementedError(f"Support for codec '{codec}' not built")


def _codecs_of_file(file: Any, **_: Any) -> set[str]:
    return _codecs_in(file.metadata)


def _codecs_of_dataset(dataset: Any, **_: Any) -> set[str]:
    return {codec for fragment in dataset.fragments for codec in _codecs_in(fragment.metadata)}


def _codecs_in(metadata: Any) -> set[str]:
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    return {
        group.column(place).compression for group in groups for place in range(group.num_columns)
    }


def _codecs_asked_for(
    writer: Any, *, compression: str | dict[str, str] | None = "snappy", **_: Any
) -> list[str]:
    if isinstance(compression, dict):
        return [codec or "none" for codec in compression.values()]
    return [compression or "none"]
