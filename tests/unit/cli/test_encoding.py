"""Guessing the encoding of texts as short as a column of a small file."""

import pytest

from pulse.cli.encoding import UnknownEncodingError, find_encoding

FILES = ("date;comment\n2026-03-02;{}\n", "a,b\n1,{} and some more English text around it\n")
WESTERN = (
    *("Straße", "é", "Übung", "Zürich", "année", "São Paulo", "mañana", "Å", "Älä osta"),
    *("smørrebrød", "L’équipe", "“quoted”", "it’s, don’t", "5 €", "100 °C", "naïve café"),
    *("¡Hola!", "Ça va", "Größe", "œuvre", "Ñandú", "10½", "£5", "ÆØÅ", "não", "coração"),
    *("più", "città", "Ö", "Ärger über Öl"),
)
JAPANESE = (
    *("良い", "日本", "悪い", "満足", "ありがとう", "テスト", "㈱サンプル", "髙橋さん", "はい"),
    *("とても満足", "東京都", "電話番号,評価", "対応が早かったです。", "ｻﾎﾟｰﾄの対応がとても良い"),
)


def found(content: bytes) -> str:
    return find_encoding(content[:4096], content.splitlines(keepends=True)).codec


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("text", WESTERN)
def test_short_western_texts_are_windows_1252(text: str, file: str) -> None:
    assert found(file.format(text).encode("cp1252")) == "cp1252"


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("text", JAPANESE)
def test_short_japanese_texts_are_shift_jis(text: str, file: str) -> None:
    assert found(file.format(text).encode("cp932")) == "cp932"


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("Zażółć gęślą jaźń", "cp1250"),
        ("Příliš žluťoučký kůň", "cp1250"),
        ("Спасибо за помощь", "cp1251"),
        ("服务很快，谢谢", "gb18030"),
        ("매우 좋아요", "cp949"),
        ("非常好，謝謝", "big5"),
        ("対応が早かったです", "euc_jp"),
        ("شكرا جزيلا", "cp1256"),
    ],
)
def test_texts_of_others_are_not_guessed(text: str, codec: str) -> None:
    with pytest.raises(UnknownEncodingError):
        found(FILES[0].format(text).encode(codec))


@pytest.mark.parametrize("text", [*WESTERN, *JAPANESE, "plain", "Zażółć", "Спасибо", "谢谢", "🙂"])
def test_utf_8_is_never_guessed(text: str) -> None:
    for file in FILES:
        assert found(file.format(text).encode()) == "utf-8"


def test_broken_lines_of_utf_8_do_not_make_it_another_encoding() -> None:
    for line in (b"x;\xff\n", b"x;Gr\xfc\xdfe\n"):
        assert found("a;Größe\nb;Grüße\n".encode() + line) == "utf-8"
