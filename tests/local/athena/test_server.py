"""The embedded Athena inside the process of moto's server."""

from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from local.athena import install
from tests.local.athena.conftest import Lake


@pytest.fixture
def served() -> Iterator[Lake]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    install(endpoint_url=url)
    yield Lake(url, aws_access_key_id="AKIASERVED", aws_secret_access_key="secret").create()
    server.stop()
    install()


def test_a_server_executes_what_it_is_asked(served: Lake) -> None:
    served.table("t", {"n": "bigint"}, {"dt": "string"})
    served.put("t/dt=2026-01-01/a.parquet", {"n": [1, 2]})
    served.partition("t", ["2026-01-01"], "s3://lake/t/dt=2026-01-01/")
    assert served.rows("SELECT sum(n), dt FROM t GROUP BY dt") == [("3", "2026-01-01")]
    assert "COLUMN_NOT_FOUND" in served.reason("SELECT nope FROM t")
    sql = "UNLOAD (SELECT n FROM t) TO 's3://lake/out/' WITH (format = 'PARQUET')"
    assert served.run(sql).state == "SUCCEEDED"
    assert len(served.keys("out/")) == 1
