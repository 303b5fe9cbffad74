"""What a method would refuse in the frame that it is given, found before anything is estimated."""

from __future__ import annotations

import warnings

from evalkit.errors import EvalkitError
from evalkit.options import read_options
from evalkit.pipeline.estimate import at_analysis, option_values, series_of
from evalkit.pipeline.gather import Gathered
from evalkit.pipeline.methods import method
from evalkit.study import Analysis, Study


def frame_errors(study: Study, gathered: Gathered) -> list[EvalkitError]:
    """One error for each analysis whose method cannot read its frame; frames with problems of their own are left out.

    Panels are read and no more. Descriptive methods, whose reading is all their work, are called, and what they
    return is thrown away.
    """
    found = []
    for analysis in study.analyses.values():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _look(study, analysis, gathered)
        except EvalkitError as error:
            found.append(type(error)(at_analysis(each, analysis) for each in error.problems))
    return found


def _look(study: Study, analysis: Analysis, gathered: Gathered) -> None:
    where = f"analyses.{analysis.name}"
    row = method(analysis.method, where=where)
    named = [each for each in (analysis.data, analysis.options.get("series")) if isinstance(each, str)]
    if row.looks is None or not named or not set(named) <= gathered.sound():
        return
    values = option_values(study, analysis)
    values |= series_of(values, gathered.frames)
    options = read_options(row.options, values, where=f"study.yml, {where}")
    row.looks(gathered.frames.get(analysis.data or ""), options)
