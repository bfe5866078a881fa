"""XML that asks its reader to fetch, to multiply or to go deep."""

from tests.hostile import packed

S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
FAR_CELL = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>Cats purr.</t></is></c></row>'
WIDE = '</sheetData><dimension ref="A1:XFD1048576"/><sheetData>' + (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>Cats purr.</t></is></c></row>'
)
LINKS = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
HEAD = '<?xml version="1.0"?>'


def laughs(root: str = "r") -> str:
    """Ten entities, each ten of the one before: ten thousand million."""
    entities = ['<!ENTITY a0 "cats purr ">']
    entities += [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)]
    return f"{HEAD}<!DOCTYPE {root} [{''.join(entities)}]>&a9;"


def quadratic() -> str:
    """One long entity, used very often."""
    return f'{HEAD}<!DOCTYPE r [<!ENTITY a "{"x" * 100_000}">]>' + "&a;" * 10_000


def external(address: str) -> str:
    """An entity whose text lies somewhere else."""
    return f'{HEAD}<!DOCTYPE r [<!ENTITY a SYSTEM "{address}">]>&a;'


def external_dtd() -> str:
    """A document type that lies somewhere else."""
    return f'{HEAD}<!DOCTYPE r SYSTEM "http://127.0.0.1:9/hostile.dtd">Cats purr.'


def late(xml: str) -> str:
    """The same, with its document type behind a long comment."""
    return xml.replace(HEAD, HEAD + "<!--" + "x" * 100_000 + "-->")


def _body(xml: str) -> str:
    """What stands before the root stays there; the rest becomes a paragraph."""
    prolog, end, text = xml.rpartition("]>") if "]>" in xml else xml.rpartition('.dtd">')
    return f"{prolog}{end}{packed.BODY}<w:p><w:r><w:t>Cats. {text}</w:t></w:r></w:p>{packed.END}"


def word(xml: str) -> bytes:
    """A Word document that begins with this prolog and holds the text behind it."""
    return packed.word(word__document_xml=_body(xml).encode())


def word_utf16(xml: str) -> bytes:
    """The same in an encoding in which no search for ASCII finds the document type."""
    text = _body(xml).replace(HEAD, '<?xml version="1.0" encoding="UTF-16"?>')
    return packed.word(word__document_xml=text.encode("utf-16"))


def word_ebcdic() -> bytes:
    """The same in the letters of a mainframe."""
    text = _body(external("file:///etc/passwd")).replace(HEAD, '<?xml version="1.0" encoding="IBM037"?>')
    return packed.word(word__document_xml=text.encode("cp037"))


def styled() -> bytes:
    """A Word document whose styles declare entities."""
    styles = f'{HEAD}<!DOCTYPE r [<!ENTITY a "Heading">]><w:styles xmlns:w="{packed.W}">&a;</w:styles>'
    return packed.word(word__styles_xml=styles.encode(), word__document_xml=_plain())


def titled() -> bytes:
    """A Word document whose title is a file of the machine that reads it."""
    core = (
        f'{HEAD}<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/hostname">]><cp:coreProperties xmlns:cp="http://'
        'schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>&a;</dc:title></cp:coreProperties>'
    )
    return packed.word(docProps__core_xml=core.encode(), word__document_xml=_plain())


def forged() -> bytes:
    """A Word document whose title is lines of a log."""
    from tests.hostile.texts import FORGED_XML  # noqa: PLC0415  # texts needs this module

    core = (
        f'{HEAD}<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/'
        f'core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{FORGED_XML}</dc:title>'
        "</cp:coreProperties>"
    )
    return packed.word(docProps__core_xml=core.encode(), word__document_xml=_plain())


def _plain() -> bytes:
    return (packed.BODY + packed.PARAGRAPH + packed.END).encode()


def remote() -> bytes:
    """A Word document with a template and a picture on other machines."""
    kind = f"{R}/attachedTemplate"
    target = "http://169.254.169.254/latest/meta-data"
    rels = (
        f'{HEAD}<Relationships xmlns="{RELS}"><Relationship Id="rId1" Type="{kind}" Target="{target}" '
        'TargetMode="External"/></Relationships>'
    )
    return packed.word(word___rels__settings_xml=rels.encode(), word__document_xml=_plain())


def nested_tables(depth: int) -> bytes:
    """Tables in tables."""
    start, end = "<w:tbl><w:tr><w:tc>", "</w:tc></w:tr></w:tbl>"
    return packed.word_body(start * depth + packed.PARAGRAPH + end * depth)


def huge_cell(chars: int) -> str:
    """A row with one very long cell."""
    text = "cats purr " * (chars // 10)
    return f'<row r="1"><c r="A1" t="inlineStr"><is><t>{text}</t></is></c></row>'


def sheet(cells: str = FAR_CELL, strings: str = "") -> bytes:
    """A workbook of one sheet."""
    return _workbook(1, cells, _wrapped(strings, f'<sst xmlns="{S}"><si><t>', "</t></si></sst>"))


def sheets(count: int) -> bytes:
    """A workbook whose sheets are all the same part."""
    return _workbook(count, WIDE.partition("<sheetData>")[2], "")


def _workbook(count: int, cells: str, strings: str) -> bytes:
    names = "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="rId1"/>' for n in range(1, count + 1))
    office = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    kinds = f'<Override PartName="/xl/workbook.xml" ContentType="{office}.sheet.main+xml"/>'
    kinds += f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{office}.worksheet+xml"/>'
    kinds += f'<Override PartName="/xl/sharedStrings.xml" ContentType="{office}.sharedStrings+xml"/>'
    rels = f'<Relationship Id="rId1" Type="{R}/worksheet" Target="worksheets/sheet1.xml"/>'
    rels += f'<Relationship Id="rId2" Type="{R}/sharedStrings" Target="sharedStrings.xml"/>'
    first = f'<Relationship Id="rId1" Type="{R}/officeDocument" Target="xl/workbook.xml"/>'
    parts = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="{TYPES}">{LINKS}{kinds}</Types>',
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{RELS}">{first}</Relationships>',
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{S}" xmlns:r="{R}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{RELS}">{rels}</Relationships>',
        "xl/worksheets/sheet1.xml": HEAD
        + f'<worksheet xmlns="{S}"><sheetData>{cells}</sheetData></worksheet>',
        "xl/sharedStrings.xml": strings or f'{HEAD}<sst xmlns="{S}"/>',
    }
    return packed.archive({name: text.encode() for name, text in parts.items()})


def _wrapped(xml: str, start: str, end: str) -> str:
    prolog, mark, text = xml.rpartition("]>")
    return f"{prolog}{mark}{start}{text}{end}" if xml else ""


def slide(xml: str) -> bytes:
    """A presentation whose main part multiplies entities."""
    p = "http://schemas.openxmlformats.org/presentationml/2006/main"
    main = _wrapped(xml, f'<p:presentation xmlns:p="{p}">', "</p:presentation>")
    first = f'<Relationship Id="rId1" Type="{R}/officeDocument" Target="ppt/presentation.xml"/>'
    kind = "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
    main_type = f'<Override PartName="/ppt/presentation.xml" ContentType="{kind}"/>'
    types = f'<Types xmlns="{TYPES}">{LINKS}{main_type}</Types>'
    parts = {
        "[Content_Types].xml": HEAD + types,
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{RELS}">{first}</Relationships>',
        "ppt/presentation.xml": main,
    }
    return packed.archive({name: text.encode() for name, text in parts.items()})
