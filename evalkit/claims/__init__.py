"""What may be said: the evidence level of a result, and the sentences that it allows."""

from __future__ import annotations

from evalkit.claims.amounts import size_word
from evalkit.claims.evidence import evidence, prior_offending
from evalkit.claims.shapes import Evidence, Facts, Statement
from evalkit.claims.verbs import allowed_verbs, lint, obligatory_sentence, refused_verbs
from evalkit.claims.wording import decision, statement

__all__ = [
    "Evidence", "Facts", "Statement", "allowed_verbs", "decision", "evidence", "lint", "obligatory_sentence",
    "prior_offending", "refused_verbs", "size_word", "statement",
]  # fmt: skip
