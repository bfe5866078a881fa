"""Files of the formats that need a writer, made here."""

import io
import zipfile
from collections.abc import Mapping
from email.message import EmailMessage

from openpyxl import Workbook
from openpyxl.styles import Font
from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches


def slides() -> bytes:
    """Three slides: text with notes, a table and a chart in a group's company, a title alone."""
    presentation = Presentation()
    first = presentation.slides.add_slide(presentation.slide_layouts[1])
    first.shapes.title.text = "Harbour tariffs"
    first.placeholders[1].text = "Berths cost more in summer.\nWinter is cheap."
    first.notes_slide.notes_text_frame.text = "Mention the discount."
    second = presentation.slides.add_slide(presentation.slide_layouts[5])
    second.shapes.title.text = "Prices"
    frame = second.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1))
    for cell, text in zip(frame.table.iter_cells(), ("berth", "price", "A1", "12"), strict=True):
        cell.text = text
    group = second.shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, Inches(1), Inches(1)).text_frame.text = "In a group."
    data = CategoryChartData()
    data.categories = ["May", "June"]
    data.add_series("Ships", (3, 5.5))
    second.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(3), Inches(4), Inches(3), data)
    third = presentation.slides.add_slide(presentation.slide_layouts[5])
    third.shapes.title.text = "Thank you"
    return _saved(presentation)


def picture_slides() -> bytes:
    """A slide without any text."""
    presentation = Presentation()
    presentation.slides.add_slide(presentation.slide_layouts[6])
    return _saved(presentation)


def sheets(row_count: int = 3) -> bytes:
    """Two sheets: a caption, a header and rows; a formula that no program has computed."""
    workbook = Workbook()
    workbook.properties.title = "Berths 2026"
    prices = workbook.active
    prices.title = "Prices"
    prices.append(["All prices in euros"])
    prices.append(["berth", "price", "from", "free"])
    for cell in prices[2]:
        cell.font = Font(bold=True)
    import datetime  # noqa: PLC0415  # only here

    for number in range(row_count):
        prices.append([f"A{number}", 0.1 + 0.2, datetime.datetime(2026, 5, 1), True])
    sums = workbook.create_sheet("Sümme 合計")
    sums.append(["total", "=SUM(Prices!B3:B5)"])
    sums.sheet_state = "hidden"
    return _saved(workbook)


def _saved(document: object) -> bytes:
    file = io.BytesIO()
    document.save(file)  # type: ignore[attr-defined]
    return file.getvalue()


def mail(*, html: str = "", attachments: Mapping[str, bytes] | None = None) -> bytes:
    """A letter with umlauts in its headers."""
    message = EmailMessage()
    message["From"] = "Jörg <joerg@example.com>"
    message["To"] = "office@example.com"
    message["Date"] = "Mon, 02 Mar 2026 10:00:00 +0100"
    message["Subject"] = "Schlüssel verloren"
    message["Message-ID"] = "<1@example.com>"
    message.set_content("The key of berth A1 is lost.\n\nPlease send another one.\n")
    if html:
        message.add_alternative(html, subtype="html")
    for name, data in (attachments or {}).items():
        if name.endswith(".eml"):
            from email import message_from_bytes, policy  # noqa: PLC0415  # only here

            message.add_attachment(message_from_bytes(data, policy=policy.default), filename=name)
        else:
            message.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


CONTAINER = (
    '<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
PACKAGE = (
    '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/">'
    "<metadata><dc:title>Das Buch</dc:title></metadata><manifest>"
    '<item id="b" href="two.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="a" href="one%20first.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="c" href="missing.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="s" href="style.css" media-type="text/css"/></manifest>'
    '<spine><itemref idref="a"/><itemref idref="b"/>{more}</spine></package>'
)
CHAPTER = (
    '<?xml version="1.0" encoding="UTF-8"?><html xmlns="http://www.w3.org/1999/xhtml">'
    "<head><title/><script src='x'/></head><body><h1>{heading}</h1><p>{text}</p></body></html>"
)


def book(*, is_locked: bool = False, is_torn: bool = False) -> bytes:
    """Two chapters whose order only the spine tells; a third one that is missing when torn."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("OPS/book.opf", PACKAGE.format(more='<itemref idref="c"/>' if is_torn else ""))
        archive.writestr("OPS/two.xhtml", CHAPTER.format(heading="Second", text="日本語の本文。"))
        archive.writestr("OPS/one first.xhtml", CHAPTER.format(heading="First", text="Es war einmal."))
        if is_locked:
            archive.writestr(
                "META-INF/encryption.xml",
                '<encryption xmlns="urn:x"><CipherReference URI="OPS/two.xhtml"/></encryption>',
            )
    return file.getvalue()
