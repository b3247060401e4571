"""Tests on Athena's own engine, which run where PULSE_ENGINE is trino (make test-trino)."""

from local.athena.engine import engine_name

collect_ignore_glob = [] if engine_name() == "trino" else ["test_*.py"]
