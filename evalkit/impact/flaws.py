"""The commonest fatal flaws of a comparison, each as a Check over the frame of people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from evalkit.errors import DataError, StudyError
from evalkit.inference import two_sided
from evalkit.intervals import chi_square_p
from evalkit.options import require_columns
from evalkit.results import Check

LARGEST_GAP_DAYS, LARGEST_SHARE_GAP = 7.0, 0.05


def immortal_time(
    people: pd.DataFrame, *, index_date: str, programme_start: str, treated: str = "treated"
) -> Check:
    """Whether treated people had to stay free of the outcome between their index date and the programme's
    start.

    `index_date` and `programme_start` are date columns; a control person's start may be blank. Statistic:
    the mean days from index to start in the treated arm, during which nobody treated can have failed.
    """
    require_columns(people, [index_date, programme_start, treated], where="immortal_time")
    arm = people[people[treated] == 1]
    days = (_dates(arm, programme_start) - _dates(arm, index_date)).dt.days.dropna()
    if days.empty:
        raise DataError("no treated person has both dates", where="immortal_time")
    wait, before = float(days.mean()), int((days < 0).sum())
    clean = wait <= LARGEST_GAP_DAYS
    return Check(
        name="immortal_time",
        null="the clock of treated people starts when the programme does",
        statistic=wait,
        threshold=LARGEST_GAP_DAYS,
        passed=clean,
        reading=f"Treated people start on average {wait:.0f} days after the index date (median {days.median():.0f}); "
        f"they cannot be counted as failing before they start. {before} started before their index date.",
        next_step=""
        if clean
        else "Match on risk sets: give each control the start of a person still free that day.",
    )


def court_delay(
    people: pd.DataFrame,
    *,
    index_date: str,
    follow_up: int,
    waiting: int,
    delays: Sequence[tuple[date, date]],
    treated: str = "treated",
) -> Check:
    """Whether courts were slow during one arm's proof window more than during the other's.

    `follow_up` and `waiting` are months; `delays` are declared periods (first day, last day). Statistic:
    the gap between the arms in the mean share of their window (index date to follow-up plus waiting)
    inside such a period.
    """
    require_columns(people, [index_date, treated], where="court_delay")
    if not delays:
        raise StudyError("`delays` needs at least one period", where="court_delay")
    start = _dates(people, index_date)
    end = start + pd.DateOffset(months=follow_up + waiting)
    length = (end - start).dt.days.to_numpy(float)
    inside = np.zeros(len(people))
    for first, last in delays:
        low = start.clip(lower=pd.Timestamp(first))
        high = end.clip(upper=pd.Timestamp(last))
        inside += np.maximum((high - low).dt.days.to_numpy(float), 0)
    shares = pd.Series(inside / length).groupby(people[treated].to_numpy()).mean()
    if len(shares) < 2:
        raise DataError("both arms need people", where="court_delay")
    gap = float(abs(shares[1] - shares[0]))
    return Check(
        name="court_delay",
        null="delays of the courts fell equally on the two arms",
        statistic=gap,
        threshold=LARGEST_SHARE_GAP,
        passed=gap <= LARGEST_SHARE_GAP,
        reading=f"Of the time in which an offence could be proven, {shares[1]:.0%} in the treated and "
        f"{shares[0]:.0%} in the control arm lies in a declared period of delay.",
        next_step="" if gap <= LARGEST_SHARE_GAP else "Compare arms on offences, or match on calendar time.",
    )


def detection(
    people: pd.DataFrame, *, outcome: str, source: str, treated: str = "treated"
) -> tuple[Check, pd.DataFrame]:
    """Whether the arms' outcomes were found through different sources (police, self-report, programme
    staff).

    `source` names, for people with the outcome, how it came to be known. Returns the Check (chi-square of
    source by arm) and a frame with columns source, n_treated, n_control.
    """
    require_columns(people, [outcome, source, treated], where="detection")
    rows = people[people[outcome] == 1]
    table = pd.crosstab(rows[source].fillna("not known").astype(str), rows[treated] == 1)
    table = table.reindex(columns=[True, False], fill_value=0)
    counts = table.to_numpy(float)
    frame = pd.DataFrame(
        {
            "source": table.index.astype(str),
            "n_treated": table[True].to_numpy(),
            "n_control": table[False].to_numpy(),
        }
    )
    if (counts.sum(axis=0) == 0).any() or len(counts) < 2:
        reading = "The outcomes come from one source, or one arm has none, so sources are not compared."
        return Check(name="detection", null="both arms were observed alike", reading=reading), frame
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    statistic, free = float(((counts - expected) ** 2 / expected).sum()), len(counts) - 1
    p = chi_square_p(statistic, free)
    check = Check(
        name="detection",
        null="an outcome is as likely to be noticed, by the same sources, in both arms",
        statistic=statistic,
        passed=bool(p >= 0.05),
        reading=f"Sources by arm: chi-square {statistic:.2f} on {free} degrees of freedom, p = {p:.3f}.",
        next_step=""
        if p >= 0.05
        else "Give results by source, and lead with one that watches both arms alike.",
    )
    return check, frame


def time_at_liberty(
    people: pd.DataFrame, *, days_in_custody: str, follow_up_days: float, treated: str = "treated"
) -> Check:
    """Whether one arm spent more of the follow-up in custody, where it could not reoffend in the community.

    Statistic: the difference of mean days at liberty, treated minus control. The remedy is `rates` with
    `measure: rate_ratio` and `exposure` set to the days at liberty.
    """
    require_columns(people, [days_in_custody, treated], where="time_at_liberty")
    free = follow_up_days - people[days_in_custody].to_numpy(float)
    if (free < 0).any():
        raise DataError(
            f"column `{days_in_custody}` exceeds the follow-up for some people", where="time_at_liberty"
        )
    arm = people[treated].to_numpy() == 1
    one, nought = free[arm], free[~arm]
    if min(len(one), len(nought)) < 2:
        raise DataError("both arms need two people or more", where="time_at_liberty")
    gap = float(one.mean() - nought.mean())
    error = float(np.sqrt(one.var(ddof=1) / len(one) + nought.var(ddof=1) / len(nought)))
    p = two_sided(gap / error) if error > 0 else 1.0
    share = abs(gap) / follow_up_days
    return Check(
        name="time_at_liberty",
        null="both arms were free to reoffend for equally long",
        statistic=gap,
        threshold=LARGEST_SHARE_GAP * follow_up_days,
        passed=share <= LARGEST_SHARE_GAP,
        reading=f"Mean days at liberty: {one.mean():.0f} treated, {nought.mean():.0f} control (p = {p:.3f}).",
        next_step=""
        if share <= LARGEST_SHARE_GAP
        else "Give rates per day at liberty (`exposure`) beside the risk.",
    )


def start_inside_window(*, window_from: date, window_to: date, start: date) -> Check:
    """Whether the period that was measured lies after the programme's start."""
    share = (start - window_from).days / max((window_to - window_from).days, 1)
    inside = start > window_from
    return Check(
        name="start_inside_window",
        null="the whole of the period measured lies after the start",
        statistic=min(max(share, 0.0), 1.0),
        threshold=0.0,
        passed=not inside,
        reading=f"{min(share, 1.0):.0%} of the period measured lies before the start."
        if inside
        else "The period measured begins at or after the start.",
        next_step="Measure from the start on: what came before cannot be its effect." if inside else "",
    )


def start_inside_period(label: object, *, inside: bool) -> Check:
    """Whether the programme began in the middle of the period `label`, the first that a series counts as after it."""
    return Check(
        name="start_inside_window",
        null="the programme began where a period begins",
        passed=not inside,
        reading=f"The start lies inside the period {label}, all of which is counted as after it."
        if inside
        else f"The first period after the start is {label}.",
        next_step="Leave that period out, or use shorter periods" if inside else "",
    )


def risk_set_starts(
    people: pd.DataFrame, *, index_date: str, programme_start: str, event_days: str, treated: str = "treated",
    seed: int = 0,
) -> pd.Series:  # fmt: skip
    """A start date for every person, so that both arms' clocks begin while free of the event.

    Treated people keep theirs. Each control gets the wait (days from index to start) of a treated person
    drawn at random among the waits that end before the control's own event (`event_days`, blank where none
    was seen); a control whose event comes before every wait has no start (NaT) and cannot serve as one.
    """
    require_columns(people, [index_date, programme_start, event_days, treated], where="risk_set_starts")
    index, start = _dates(people, index_date), _dates(people, programme_start)
    waits = np.sort((start - index).dt.days[people[treated] == 1].dropna().to_numpy(float))
    if not len(waits):
        raise DataError("no treated person has both dates", where="risk_set_starts")
    generator = np.random.default_rng(seed)
    free_until = people[event_days].astype(float).fillna(np.inf).to_numpy()
    fits = np.searchsorted(waits, free_until, side="left")
    chosen = np.floor(generator.random(len(people)) * fits).astype(int)
    drawn = np.where(fits > 0, waits[np.minimum(chosen, len(waits) - 1)], np.nan)
    given = index + pd.to_timedelta(pd.Series(drawn, index=people.index), unit="D")
    return start.where(people[treated] == 1, given)


def _dates(frame: pd.DataFrame, name: str) -> pd.Series:
    values = pd.to_datetime(frame[name], errors="coerce")
    if (values.isna() & frame[name].notna()).any():
        raise DataError(f"column `{name}` must hold dates")
    return values
