"""`make build` reports functions that Lambda would refuse for their size."""

from pathlib import Path

import pytest

from local import sizes

TEMPLATE = """
Globals: {Function: {Layers: [!Ref CodeLayer]}}
Resources:
  CodeLayer: {Type: AWS::Serverless::LayerVersion}
  Ingest: {Type: AWS::Serverless::Function, Properties: {}}
  WriteRaw: {Type: AWS::Serverless::Function, Properties: {Layers: [!Ref PandasLayer]}}
  Queue: {Type: AWS::SQS::Queue}
"""


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Two functions and the layer that they share, as `sam build` leaves them."""
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    for name, megabytes in {"CodeLayer": 20, "Ingest": 4, "WriteRaw": 6}.items():
        (tmp_path / name / "inner").mkdir(parents=True)
        with (tmp_path / name / "inner" / "file").open("wb") as file:
            file.truncate(megabytes * sizes.MIB)
    return tmp_path


def test_a_function_weighs_what_it_holds_and_its_layers(built: Path) -> None:
    mib = {name: weight // sizes.MIB for name, weight in sizes.weights(built).items()}
    assert mib == {"Ingest": 24, "WriteRaw": 6 + 20 + 204}


def test_of_two_layers_to_choose_from_the_heavier_counts(built: Path) -> None:
    """AWS's layer weighs 204 MiB; the weight of ours depends on where it is built."""
    text = (built / "template.yaml").read_text()
    choice = "!If [OwnPandasLayer, !Ref PandasOwnLayer, !Ref PandasLayer]"
    (built / "template.yaml").write_text(text.replace("!Ref PandasLayer", choice))
    (built / "PandasOwnLayer").mkdir()
    for megabytes, counted in ((190, 204), (220, 220)):
        with (built / "PandasOwnLayer" / "file").open("wb") as file:
            file.truncate(megabytes * sizes.MIB)
        assert sizes.weights(built)["WriteRaw"] // sizes.MIB == 6 + 20 + counted


def test_every_function_is_told_with_its_limit(
    built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sizes.main(built) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["Ingest", "24.0", "of", "25", "MiB"],
        ["WriteRaw", "230.0", "of", "250", "MiB"],
    ]


@pytest.mark.parametrize(("name", "more"), [("Ingest", 2), ("WriteRaw", 21)])
def test_too_heavy_a_function_fails_the_build(
    built: Path, name: str, more: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with (built / name / "more").open("wb") as file:
        file.truncate(more * sizes.MIB)
    assert sizes.main(built) == 1
    (told,) = [line for line in capsys.readouterr().out.splitlines() if "too heavy" in line]
    assert told.startswith(name)


def test_a_layer_that_nobody_knows_is_not_taken_for_weightless(built: Path) -> None:
    text = (built / "template.yaml").read_text().replace("PandasLayer", "OtherLayer")
    (built / "template.yaml").write_text(text)
    with pytest.raises(KeyError, match="OtherLayer"):
        sizes.weights(built)
