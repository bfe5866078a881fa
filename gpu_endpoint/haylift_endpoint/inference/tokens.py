"""Text to token ids, with truncation that is asked for and told, never silent."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from haylift_endpoint.errors import InputTooLong, StartupError
from haylift_endpoint.ports import Pair, Prepared, Text


@dataclass(frozen=True)
class Vocabulary:
    """A BERT tokenizer: `[CLS] text [SEP]`, or `[CLS] query [SEP] document [SEP]`.

    Special tokens are put in by hand, so that a truncated text keeps its closing `[SEP]` and a query that
    many documents share is tokenised once.
    """

    tokenizer: Tokenizer
    cls_id: int
    sep_id: int
    max_tokens: int
    max_query_tokens: int

    @classmethod
    def load(cls, path: Path, max_tokens: int, *, max_query_tokens: int | None = None) -> "Vocabulary":
        """The tokenizer of a file, with the file's own truncation and padding switched off.

        Raises:
            StartupError: The file is no tokenizer, or has no `[CLS]` and `[SEP]`.
        """
        try:
            tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:
            raise StartupError(f"{path} is not a tokenizer: {error}") from error
        tokenizer.no_truncation()
        tokenizer.no_padding()
        cls_id, sep_id = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
        if cls_id is None or sep_id is None:
            raise StartupError(f"{path} has no [CLS] and [SEP]")
        half = max_tokens // 2
        return cls(tokenizer, cls_id, sep_id, max_tokens, min(max_query_tokens or half, half))

    def prepare_texts(self, texts: Sequence[Text], *, prefix: str, truncate: bool) -> list[Prepared]:
        """Texts in order, queries with `prefix`; see `BatchModel.prepare`."""
        prefixed = [prefix + item.text if item.request_class == "query" else item.text for item in texts]
        room = self.max_tokens - 2
        prepared = []
        for index, ids in enumerate(self._ids(prefixed)):
            if len(ids) > room and not truncate:
                raise self._too_long(f"input[{index}]", len(ids) + 2)
            token_ids = (self.cls_id, *ids[:room], self.sep_id)
            prepared.append(Prepared(token_ids, len(token_ids), is_truncated=len(ids) > room))
        return prepared

    def prepare_pairs(self, pairs: Sequence[Pair], *, truncate: bool) -> list[Prepared]:
        """Pairs in order; see `BatchModel.prepare`.

        Truncation cuts a query to `max_query_tokens`, alike for all its documents so that their scores
        compare, and then each document to the room that is left.
        """
        queries = list(dict.fromkeys(pair.query for pair in pairs))
        ids_by_query = dict(zip(queries, self._ids(queries), strict=True))
        prepared = []
        for index, document in enumerate(self._ids([pair.document for pair in pairs])):
            whole = ids_by_query[pairs[index].query]
            query = whole[: self.max_query_tokens] if truncate else whole
            room = self.max_tokens - 3 - len(query)
            if room < 1:
                raise self._too_long("query", len(query) + 3)
            if len(document) > room and not truncate:
                raise self._too_long(f"documents[{index}]", len(query) + len(document) + 3)
            head = (self.cls_id, *query, self.sep_id)
            token_ids = (*head, *document[:room], self.sep_id)
            is_truncated = len(query) < len(whole) or len(document) > room
            prepared.append(Prepared(token_ids, len(head), is_truncated=is_truncated))
        return prepared

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        return [
            encoding.ids for encoding in self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        ]

    def _too_long(self, param: str, tokens: int) -> InputTooLong:
        return InputTooLong(
            f"{param} has {tokens} tokens with special tokens, the model reads {self.max_tokens}; "
            "shorten it or send truncate: true",
            param=param,
        )
