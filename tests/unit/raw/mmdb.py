"""Writes small MaxMind databases for tests.

https://maxmind.github.io/MaxMind-DB/ is the format; 24-bit records, no pointers.
"""

from collections.abc import Mapping
from ipaddress import IPv4Network, ip_network
from typing import Any

_Node = list[Any]  # two children: a node, the offset of a record, or None


def database(records: Mapping[str, Any], *, ip_version: int = 6) -> bytes:
    """The bytes of a database that gives each network (as text) its record."""
    root: _Node = [None, None]
    data = b""
    for text, record in records.items():
        _insert(root, _bits(text, ip_version), len(data))
        data += _encode(record)
    nodes = _numbered(root)
    tree = b"".join(
        _record(child, nodes).to_bytes(3, "big") for node in nodes.values() for child in node[1]
    )
    metadata = {
        "binary_format_major_version": (5, 2),
        "binary_format_minor_version": (5, 0),
        "build_epoch": (9, 1),
        "database_type": "Test",
        "description": {"en": "made by a test"},
        "ip_version": (5, ip_version),
        "languages": ["en"],
        "node_count": (6, len(nodes)),
        "record_size": (5, 24),
    }
    return tree + b"\0" * 16 + data + b"\xab\xcd\xefMaxMind.com" + _encode(metadata)


def _bits(text: str, ip_version: int) -> str:
    network = ip_network(text)
    bits = format(int(network.network_address), f"0{network.max_prefixlen}b")[: network.prefixlen]
    in_ipv6 = isinstance(network, IPv4Network) and ip_version == 6
    return "0" * 96 + bits if in_ipv6 else bits


def _insert(root: _Node, bits: str, offset: int) -> None:
    node = root
    for bit in map(int, bits[:-1]):
        if node[bit] is None:
            node[bit] = [None, None]
        node = node[bit]
    node[int(bits[-1])] = offset


def _numbered(root: _Node) -> dict[int, tuple[int, _Node]]:
    """The nodes by identity with their numbers, the root being 0."""
    found: dict[int, tuple[int, _Node]] = {}
    waiting = [root]
    while waiting:
        node = waiting.pop(0)
        found[id(node)] = (len(found), node)
        waiting += [child for child in node if isinstance(child, list)]
    return found


def _record(child: Any, nodes: dict[int, tuple[int, _Node]]) -> int:
    if isinstance(child, list):
        return nodes[id(child)][0]
    return len(nodes) if child is None else len(nodes) + 16 + int(child)


def _encode(value: Any) -> bytes:
    """A field: text, map, list, or a number as (type, value)."""
    if isinstance(value, str):
        raw = value.encode()
        return bytes([2 << 5 | len(raw)]) + raw
    if isinstance(value, dict):
        body = b"".join(_encode(name) + _encode(member) for name, member in value.items())
        return bytes([7 << 5 | len(value)]) + body
    if isinstance(value, list):
        return bytes([len(value), 11 - 7]) + b"".join(map(_encode, value))
    kind, number = value
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    head = bytes([kind << 5 | len(raw)]) if kind < 8 else bytes([len(raw), kind - 7])
    field: bytes = head + raw
    return field
