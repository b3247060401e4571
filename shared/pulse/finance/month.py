"""Brings the files of one month up to date with its present figures.

The files of an open month are rewritten when its figures change. Those of a closed month stay: the
changes of its figures are written beside them as an adjustment. The changes are computed against
the files and adjustments that are in the folder, not against a record of them, so that an
adjustment counts even if its exporter died before it wrote the manifest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce

from pulse import days
from pulse.errors import BuildCheckError
from pulse.finance.figures import Figures, add, difference, totals
from pulse.finance.files import (
    CSV,
    PARQUET,
    adjustment_file,
    adjustment_parquet,
    csv_file,
    parquet_file,
    parquet_of,
    read_adjustment,
    read_parquet,
)
from pulse.finance.folder import Folder, sha256
from pulse.finance.manifest import MANIFEST, Adjustment, File, Manifest, to_the_second


def bring_up_to_date(folder: Folder, figures: Figures, *, as_of: str, closing: bool) -> Manifest:
    """Write the files that the folder lacks for these figures; return its manifest.

    Afterwards the files, and in a closed month the files and adjustments together, have these
    figures; and the month is closed if `closing`. If nothing changes, nothing is written. Raises
    ConflictError if another exporter wrote meanwhile or the time is over, and BuildCheckError if
    files of a closed month were changed by somebody else. The next call does the rest.
    """
    before = folder.manifest
    if before and before.closed:
        return _adjusted(folder, before, figures, as_of)
    if before is None and folder.adjustments:
        raise BuildCheckError(f"{folder.tenant} {folder.month} was closed, but has no manifest")
    return _rewritten(folder, before, figures, as_of, closing)


def figures_in(folder: Folder, manifest: Manifest) -> Figures:
    """The figures that finance reads in a folder: those of the files and listed adjustments.

    Raises BuildCheckError if a file is not as the manifest lists it.
    """
    for file in manifest.files:
        if file.name != PARQUET and not folder.has(file):
            folder.read_listed(file)
    in_files = read_parquet(folder.read_listed(manifest.file(PARQUET)))
    changes = (read_adjustment(folder.read_listed(file)) for file in manifest.adjustments)
    return reduce(add, changes, in_files)


def _rewritten(
    folder: Folder, before: Manifest | None, figures: Figures, as_of: str, closing: bool
) -> Manifest:
    body = csv_file(figures)
    if before and _has_files(folder, before, body):
        if not closing:
            return before
        files = before.files
    else:
        files = (folder.put(CSV, body), folder.put(PARQUET, parquet_file(figures)))
    manifest = Manifest(
        tenant=folder.tenant,
        month=folder.month,
        version=before.version + 1 if before else 1,
        state="closed" if closing else "open",
        closed_at=to_the_second(days.now_us()) if closing else None,
        as_of=as_of,
        rows=len(figures),
        revenue=_revenue(figures),
        files=files,
    )
    folder.put(MANIFEST, manifest.to_json())
    return manifest


def _has_files(folder: Folder, manifest: Manifest, csv: bytes) -> bool:
    """Whether the files are as the manifest lists them, and have these figures."""
    in_place = all(folder.has(file) for file in manifest.files)
    return in_place and manifest.file(CSV).sha256 == sha256(csv)


def _adjusted(folder: Folder, before: Manifest, figures: Figures, as_of: str) -> Manifest:
    known = figures_in(folder, before)
    listed = {file.name for file in before.adjustments}
    adjustments = [*before.adjustments]
    for name in folder.adjustments:
        if name not in listed:  # its exporter died before it wrote the manifest
            body = folder.read(name)
            changes = read_adjustment(body)
            known = add(known, changes)
            adjustments.append(_adjustment(folder.found(name, body), changes, as_of))
    changes = difference(figures, known)
    if changes:
        file = folder.put(folder.next_adjustment, adjustment_file(changes))
        adjustments.append(_adjustment(file, changes, as_of))
    files = [*before.files, *_parquet_beside(folder, before, adjustments)]
    if (len(files), len(adjustments)) == (len(before.files), len(listed)):
        return before
    manifest = replace(
        before,
        version=before.version + 1,
        as_of=as_of if len(adjustments) > len(listed) else before.as_of,
        files=tuple(files),
        adjustments=tuple(adjustments),
    )
    folder.put(MANIFEST, manifest.to_json())
    return manifest


def _parquet_beside(
    folder: Folder, before: Manifest, adjustments: Sequence[Adjustment]
) -> Iterator[File]:
    """Write the Parquet of each adjustment that has none, because an older version wrote it."""
    listed = {file.name for file in before.files}
    for adjustment in adjustments:
        name = parquet_of(adjustment.name)
        if name not in listed:
            changes = read_adjustment(folder.read(adjustment.name))
            yield folder.put(name, adjustment_parquet(changes))


def _adjustment(file: File, changes: Figures, as_of: str) -> Adjustment:
    return Adjustment(**vars(file), as_of=as_of, rows=len(changes), revenue=_revenue(changes))


def _revenue(figures: Figures) -> dict[str, str]:
    return {currency: str(total) for currency, total in totals(figures).items()}
