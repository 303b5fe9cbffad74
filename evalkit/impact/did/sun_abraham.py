"""Sun and Abraham (2021): the interaction-weighted event study."""

from __future__ import annotations

from evalkit.impact.did.found import Found
from evalkit.impact.did.options import DidOptions
from evalkit.impact.did.panel import Panel
from evalkit.impact.did.saturated import against_last_cohort, averaged, cell_effects


def sun_abraham(panel: Panel, options: DidOptions) -> Found:
    """Effects of every cohort and event time in one regression, averaged by cohort size.

    The never treated are the comparison; where there are none, the last cohort until its own start.
    """
    panel = against_last_cohort(panel)
    reference = -1 - options.anticipation
    return averaged(cell_effects(panel, options, reference), panel, options, reference, ("sun2021",))
