"""The country of a network address, from a MaxMind database (MMDB) on disk or in the lake.

Two layouts are read: MaxMind's own (`country.iso_code`) and the flat one (`country_code`). A
record without a country gives None, even if it has a `registered_country`: that is the country of
the network's owner, not of its user.
"""

import socket
import sys
import tempfile
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any, Self

import maxminddb
from maxminddb import InvalidDatabaseError

from pulse.errors import SettingsError
from pulse.iso3166 import country
from pulse.observe import count

DEFAULT_FILE = "country.mmdb"
"""Looked for on sys.path: the enrich layer holds it."""


class Countries:
    """A country database, open for look-ups."""

    def __init__(self, path: Path, name: str) -> None:
        """Open the file; errors call it `name`. Raises SettingsError if it is no MMDB."""
        try:
            self._reader = maxminddb.open_database(path)
        except (InvalidDatabaseError, OSError, ValueError) as error:
            raise SettingsError(f"country database {name} cannot be read: {error}") from error
        self._has_ipv6 = self._reader.metadata().ip_version == 6

    @classmethod
    def built_in(cls) -> Self:
        """The database of the enrich layer. Raises SettingsError where sys.path has none."""
        for folder in sys.path:
            path = Path(folder) / DEFAULT_FILE
            if path.is_file():
                return cls(path, str(path))
        raise SettingsError(f"country database {DEFAULT_FILE} is not on the path of Python")

    @classmethod
    def from_bytes(cls, content: bytes, name: str) -> Self:
        """The database with these bytes. Raises SettingsError if it is no MMDB."""
        # maxminddb's fast reader maps a file into memory; after that the file may be removed
        with tempfile.NamedTemporaryFile(suffix=".mmdb") as file:
            file.write(content)
            file.flush()
            return cls(Path(file.name), name)

    def of(self, address: str | None) -> str | None:
        """The ISO 3166 code of the address's country; None if it is not known.

        A record that cannot be read is counted in the metric CountryLookupsFailed.
        """
        ip = _parse(address)
        if ip is None or (isinstance(ip, IPv6Address) and not self._has_ipv6):
            return None
        try:
            return _country(self._reader.get(ip))
        except InvalidDatabaseError:
            count("CountryLookupsFailed")
            return None


def _parse(address: str | None) -> str | IPv4Address | IPv6Address | None:
    """The address as maxminddb takes it, with IPv4 in IPv6 form (::ffff:a.b.c.d) as IPv4.

    A plain IPv4 address is returned as text: maxminddb parses it again. None for anything else.
    """
    if address and _is_ipv4(address):
        return address
    try:
        ip = ip_address(address or "")
    except ValueError:
        return None
    return ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip


def _is_ipv4(address: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET, address)
    except (OSError, ValueError):  # OSError: no IPv4 address; ValueError: not ASCII
        return False
    return True


def _country(record: Any) -> str | None:
    if not isinstance(record, dict):
        return None
    nested = record.get("country")
    code = nested.get("iso_code") if isinstance(nested, dict) else record.get("country_code")
    return country(code) if isinstance(code, str) else None
