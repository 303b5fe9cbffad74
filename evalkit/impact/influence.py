"""What each independent unit of a two-group comparison adds to its headline, under the unit's own label."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evalkit.impact.measures import Means, contrast
from evalkit.impact.sample import Sample

ROW, APART = "row", "\x1f"
Influence = tuple[np.ndarray, pd.Index]


def by_unit(people: pd.DataFrame, sample: Sample, means: Means, options: Any) -> Influence | None:
    """Influences on the difference or the log ratio, summed within what the errors take to be independent.

    The index of labels is named for what the units are: `person_id`, a person's index date, the column of matched sets
    or of clusters, or `row` where people have no ids. None where the estimate does not exist, was pooled over
    imputations, or two units bear one label.
    """
    influence = contrast(means, options.measure)[1]
    if options.missing == "mice" or not np.isfinite(influence).all():
        return None
    labels = _labels(people, sample, options)
    if sample.clusters is not None:
        influence = np.bincount(sample.clusters, weights=influence)
        labels = labels[np.unique(sample.clusters, return_index=True)[1]]
    return (influence, labels) if labels.is_unique else None


def _labels(people: pd.DataFrame, sample: Sample, options: Any) -> pd.Index:
    """For each row the label of the unit that it belongs to; a row that stands in no cluster is a unit of its own."""
    rows = _row_labels(people, sample)
    column = options.cluster if sample.named else options.subclass if sample.matched else None
    if column is None:
        return rows
    values = sample.frame[column]
    named = np.where(values.isna(), APART + rows.astype(str), values.astype(str))
    return pd.Index(named, name=column)


def _row_labels(people: pd.DataFrame, sample: Sample) -> pd.Index:
    """People where each is one unit; else each person's index dates, and places in the frame where there are no ids."""
    frame = sample.frame
    if "person_id" not in frame.columns:
        return pd.Index(frame.index, name=ROW)
    person = frame["person_id"].astype(str)
    if sample.weighted or sample.clusters is not None or people["person_id"].is_unique:
        return pd.Index(person, name="person_id")
    if "index_date" not in frame.columns:
        return pd.Index(frame.index, name=ROW)
    return pd.Index(person + APART + frame["index_date"].astype(str), name="person_id and index_date")
