"""A document's text out of its file."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from bot.writing import files
from bot.writing.files import DocumentTooBig, WrongDocument, text_of


def written(words: str, password: str = "") -> bytes:
    """A PDF with one line of text."""
    file, pdf = io.BytesIO(), PdfWriter()
    page = pdf.add_blank_page(400, 200)
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
            NameObject("/Encoding"): NameObject("/WinAnsiEncoding"),
        }
    )
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})})
    stream = DecodedStreamObject()
    stream.set_data(b"BT /F1 12 Tf 20 100 Td (" + words.encode("cp1252") + b") Tj ET")
    page[NameObject("/Contents")] = pdf._add_object(stream)
    if password:
        pdf.encrypt(password, algorithm="RC4-128")
    pdf.write(file)
    return file.getvalue()


async def test_a_pdf_is_read_whatever_it_is_called() -> None:
    assert (await text_of(written("Garantía de un año"), "manual")).strip() == "Garantía de un año"


async def test_a_locked_one_is_not() -> None:
    with pytest.raises(WrongDocument):
        await text_of(written("secreto", password="x"), "a.pdf")


async def test_one_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PATIENCE", 0.0)
    with pytest.raises(DocumentTooBig):
        await text_of(written("x"), "a.pdf")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
async def test_plain_text_of_any_editor(encoding: str) -> None:
    assert await text_of("Mañana, ¿sí?".encode(encoding), "a.MD") == "Mañana, ¿sí?"
