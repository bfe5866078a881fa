"""The handbook can be read in every format, and its figures are the product's."""

import doctest
import io
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import docx
import pypdf
import pytest
from haylift.domain import filters, search
from haylift.domain.documents import DocumentState
from haylift.domain.errors import REJECTION_REASONS
from haylift.http.edge import MAX_BODY_BYTES
from haylift.services.query_cache import PROCESS_TTL_S, RESULT_TTL_S

from functions.auth.contract import Settings as Auth
from functions.dispatch.contract import Settings as Dispatch
from functions.documents.contract import Settings as Documents
from functions.ingestion.contract import SOURCES as LANES
from functions.ingestion.contract import Settings as Ingestion
from functions.search.contract import Settings as Search
from functions.search.requests import MAX_TIMEOUT_S
from ops.files import collect
from samples import make_binary_samples

SAMPLES = Path(__file__).parents[3] / "samples"
DOCUMENTS = {file.key.path: file.path for file in collect([SAMPLES], tenant="acme")}


def _text(path: Path) -> str:
    if path.suffix == ".pdf":
        text = "\n".join(page.extract_text() for page in pypdf.PdfReader(path).pages)
    elif path.suffix == ".docx":
        text = "\n".join(paragraph.text for paragraph in docx.Document(str(path)).paragraphs)
    else:
        text = path.read_text(encoding="utf-8")
    return " ".join(re.sub(r"<[^>]+>", "", text).replace("`", "").split())


TEXTS = {name: _text(path) for name, path in DOCUMENTS.items()}


def test_at_least_twelve_files_in_all_formats_are_uploaded_and_nothing_else() -> None:
    assert len(DOCUMENTS) >= 12
    assert {path.suffix for path in DOCUMENTS.values()} == {".md", ".html", ".txt", ".pdf", ".docx"}


def test_every_file_has_text_worth_finding() -> None:
    assert [name for name, text in TEXTS.items() if len(text) < 500] == []


def test_the_handbook_has_three_pages_and_a_title() -> None:
    reader = pypdf.PdfReader(DOCUMENTS["operations-handbook.pdf"])

    assert len(reader.pages) >= 3
    assert reader.metadata is not None
    assert reader.metadata.title == "Operations handbook"


@pytest.mark.parametrize("name", make_binary_samples.MAKER_BY_FILE)
def test_binary_samples_are_what_their_script_makes(name: str) -> None:
    """Compared by content: another zlib may compress the same content to other bytes."""
    committed = (SAMPLES / name).read_bytes()

    assert _content(make_binary_samples.make(name), name) == _content(committed, name)


@pytest.mark.parametrize("name", make_binary_samples.MAKER_BY_FILE)
def test_binary_samples_have_the_same_bytes_on_every_run(name: str) -> None:
    assert make_binary_samples.make(name) == make_binary_samples.make(name)


def _content(data: bytes, name: str) -> object:
    if name.endswith(".pdf"):
        return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {entry: archive.read(entry) for entry in archive.namelist()}


def test_the_examples_of_the_script_hold() -> None:
    assert doctest.testmod(make_binary_samples).failed == 0


def test_the_three_questions_name_documents_that_exist() -> None:
    questions = json.loads((SAMPLES / "questions.json").read_text(encoding="utf-8"))

    assert len(questions) == 3
    for question in questions:
        assert question["question"].endswith("?")
        assert question["documents"]
        assert set(question["documents"]) <= DOCUMENTS.keys()


def _minutes(seconds: float) -> int:
    return int(seconds // 60)


MIB = 1_048_576
LANE = {source.name: source for source in LANES}
FACTS: dict[str, tuple[str, ...]] = {
    "limits.txt": (
        f"A search query or a question has at most {search.MAX_QUERY_CHARS:,} characters.",
        f"A request body has at most {MAX_BODY_BYTES // 1024} kB",
        f"The field top_k is between 1 and {search.MAX_TOP_K}.",
        f"An uploaded file has at most {Documents.upload_max_bytes // MIB} MiB.",
        f"An upload form is valid for {_minutes(Documents.upload_expires_s)} minutes.",
        f"A download URL is valid for {_minutes(Documents.download_expires_s)} minutes.",
        f"An access token is valid for {_minutes(Auth.access_token_ttl_s)} minutes.",
        f"A chunk has at most {Ingestion.chunk_max_tokens} tokens.",
        f"A worker owns a document for {Ingestion.lease_s:g} seconds",
        f"The interactive lane works on at most {LANE['interactive'].max_concurrency} documents at once",
        f"the backfill lane on at most {LANE['backfill'].max_concurrency}.",
        f"A worker is given {LANE['interactive'].batch_size} document at a time",
    ),
    "uploading.md": (
        f"A tenant with {Dispatch.interactive_open_limit} or more unfinished documents",
        f"A file of more than {Dispatch.interactive_max_bytes // 1024} KiB always takes the backfill lane",
        f"at most {Ingestion.chunk_max_tokens} tokens",
        f"neighbouring chunks share {Ingestion.chunk_overlap_tokens} tokens",
    ),
    "asking-questions.md": (
        f"The default time-out of a question is {Search.query_timeout_s:g} seconds",
        f"A question may have at most {search.MAX_QUERY_CHARS:,} characters.",
        f"A field timeout above {MAX_TIMEOUT_S:g} is lowered to {MAX_TIMEOUT_S:g}",
    ),
    "rejected-documents.md": (
        f"more than {Ingestion.max_file_bytes // MIB} MiB",
        f"more than {Ingestion.parse_time_s:g} seconds",
        f"more than {Ingestion.parse_memory_bytes // (1024 * MIB)} GiB of memory",
        f"more than {Ingestion.parse_output_chars // 1_000_000} million characters",
    ),
    "roles-and-tokens.html": (
        f"An access token is valid for {_minutes(Auth.access_token_ttl_s)} minutes.",
        f"A refresh token is valid for {Auth.refresh_token_ttl_s // 86_400} days",
    ),
    "filters.md": (
        f"A filter has at most {filters.MAX_FILTER_CONDITIONS} conditions, is nested at most "
        f"{filters.MAX_FILTER_DEPTH} deep, and its lists have at most {filters.MAX_LIST_VALUES} values.",
    ),
    "search-modes.md": (
        f"from 1 to {search.MAX_TOP_K}, and its default is {search.DEFAULT_TOP_K}.",
        f"Each process keeps answers for at most {PROCESS_TTL_S} seconds",
        f"the shared cache keeps them for at most {RESULT_TTL_S:,} seconds.",
    ),
}


def check_the_figures(texts: Mapping[str, str]) -> None:
    """Each sentence with a figure stands in its file, with the figure that the code has."""
    missing = [
        f"{name}: {sentence}"
        for name, sentences in FACTS.items()
        for sentence in sentences
        if sentence not in texts[name]
    ]
    assert missing == []


def test_the_figures_are_the_code_s() -> None:
    check_the_figures(TEXTS)


def test_the_check_of_figures_can_fail() -> None:
    outdated = TEXTS | {"limits.txt": TEXTS["limits.txt"].replace("15 minutes", "20 minutes")}

    with pytest.raises(AssertionError):
        check_the_figures(outdated)


def check_names_are_explained(texts: Mapping[str, str]) -> None:
    """Every state and every reason of a rejection has its explanation."""
    assert len(REJECTION_REASONS) >= 8
    rejected = texts["rejected-documents.md"]
    assert [
        reason for reason in sorted(REJECTION_REASONS) if f"with the reason {reason} when" not in rejected
    ] == []
    states = texts["document-states.md"]
    assert [state for state in DocumentState if f"{state} means that" not in states] == []


def test_every_state_and_reason_is_explained() -> None:
    check_names_are_explained(TEXTS)


def test_the_check_of_explanations_can_fail() -> None:
    silent = TEXTS | {"rejected-documents.md": TEXTS["rejected-documents.md"].replace("encrypted", "")}

    with pytest.raises(AssertionError):
        check_names_are_explained(silent)
