"""What ranks results beside the query and the documents; part of every cache key."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from haylift.domain.search import MAX_TOP_K
from haylift.services.fusion import LEAST_LEG_DEPTH, RECIPROCAL_RANK_CONSTANT, Fusion, leg_depth
from haylift.services.sentence_choice import CONTEXT_WEIGHT, PASSAGE_WEIGHT

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RERANKER = "ms-marco-MiniLM-L-12-v2"
"""The cross-encoder of the model endpoint; a test holds it to the stages' `RERANK_MODEL`."""


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """The parameters that a search is ranked with, as the modules that use them have them.

    Args:
        fusion: how `haylift.pipelines.query.query_pipeline` joins the legs unless it is told otherwise.
    """

    fusion: Fusion = field(default_factory=Fusion)
    least_leg_depth: int = LEAST_LEG_DEPTH
    largest_leg_depth: int = leg_depth(MAX_TOP_K)
    reciprocal_rank_constant: int = RECIPROCAL_RANK_CONSTANT


@dataclass(frozen=True, kw_only=True)
class SentenceRanking:
    """The parameters that the sentences of found passages are ranked with."""

    reranker: str = RERANKER
    passage_weight: float = PASSAGE_WEIGHT
    context_weight: float = CONTEXT_WEIGHT


def answer_version(form: str, *parameters: "DataclassInstance") -> str:
    """The version of a cached answer: its form, and a digest of the dataclasses that ranked it.

    Another value of any field gives another version, so that no answer of other parameters is found.

    >>> answer_version("1", Ranking()) == answer_version("1", Ranking(least_leg_depth=10))
    False
    """
    fields = [asdict(one) for one in parameters]
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
    return f"{form}:{digest[:16]}"
