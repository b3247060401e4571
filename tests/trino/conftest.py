"""Tests of Athena's own engine: they run where PULSE_ENGINE says trino (make test-trino)."""

from local.athena.engine import engine_name

collect_ignore_glob = [] if engine_name() == "trino" else ["test_*.py"]
