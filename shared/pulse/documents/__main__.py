"""Writes every document that is made from the code."""

from pulse.documents.written import DOCUMENTS

for path, text in DOCUMENTS.items():
    path.write_text(text(), "utf-8")
