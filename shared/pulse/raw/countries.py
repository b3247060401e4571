"""The country of an address, from a MaxMind database (MMDB) that is on disk or in the lake.

Two layouts are read: MaxMind's own (`country.iso_code`) and the flat one (`country_code`). A
record without a country gives None, even where it has a `registered_country`: that is where the
network's owner sits, not its user.
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
        """The database that an object holds. Raises SettingsError if it is no MMDB."""
        # maxminddb's fast reader maps a file; a mapped file may lose its name at once
        with tempfile.NamedTemporaryFile(suffix=".mmdb") as file:
            file.write(content)
            file.flush()
            return cls(Path(file.name), name)

    def of(self, address: str | None) -> str | None:
        """The ISO 3166 code of the address's country; None where it is not known.

        A record that cannot be read counts as CountryLookupsFailed.
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
    """The address; an IPv4 one that is written as IPv6 (::ffff:a.b.c.d) as IPv4.

    A plain IPv4 address stays the text that it is: it need not be taken apart twice.
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
    except (OSError, ValueError):  # not one; not even ASCII
        return False
    return True


def _country(record: Any) -> str | None:
    if not isinstance(record, dict):
        return None
    nested = record.get("country")
    code = nested.get("iso_code") if isinstance(nested, dict) else record.get("country_code")
    return country(code) if isinstance(code, str) else None
