"""Before anything is printed: every comparison of two counts in the whole output, judged together.

The same two counts may stand behind several analyses, a curve and a table. What is printed of them anywhere is
attacked as one. Comparisons of nested groups, and groups that add up to everybody, are attacked together: where a
small count could be worked out from the difference, the smaller comparison is withheld.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from evalkit.disclosure.attack import rounding_range
from evalkit.disclosure.comparisons import Printing, measure_of, pairs_of
from evalkit.disclosure.curves import is_curve
from evalkit.disclosure.pairs import Lattice, Pair, choose
from evalkit.disclosure.policy import Policy
from evalkit.errors import Refused
from evalkit.results import Result

Range = tuple[int, int]
ROUNDS = 20


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`printings`: how each pair of counts is printed. `counts`: how often the rounding each (count, total) of a pair
    is rounded to, 0 where it is withheld everywhere. `totals`: the numbers of people that everybody knows."""

    printings: dict[Pair, Printing] = field(default_factory=dict)
    counts: dict[tuple[float, float], int] = field(default_factory=dict)
    totals: frozenset[int] = frozenset()


@dataclass(kw_only=True)
class _Seen:
    """Where one pair of counts is printed: beside which measures, in which analyses and groups, in a table, a curve."""

    measures: list[str] = field(default_factory=list)
    homes: list[tuple[int, str, str | None]] = field(default_factory=list)
    level: float = 0.95
    heights: bool = False
    counted: bool = False


def make_plan(
    results: Sequence[Result], policy: Policy, nested: frozenset[tuple[str, str]] = frozenset()
) -> Plan:
    """How the comparisons of these results are printed. The results are those about people; `nested` are outcomes,
    inner and outer, of which nobody has the first alone."""
    seen = _collected(results)
    printings, ranges = {}, {}
    for pair, found in seen.items():
        lattice = _lattice(pair, found, policy)
        printings[pair] = _printing(pair, found, lattice, policy)
        ranges[pair] = _ranges(pair, printings[pair], lattice, policy)
    for pair in _outer_shown(seen, ranges, policy, nested):
        printings[pair] = replace(printings[pair], step=None, times=0)
        ranges[pair] = _open(pair)
    for pair in _given_away(seen, ranges, policy):
        printings[pair] = replace(printings[pair], step=None, times=0)
        ranges[pair] = _open(pair)
    left = _given_away(seen, ranges, policy)
    if left:
        raise _refused(left, seen, results)
    return Plan(printings=printings, counts=_counts(printings), totals=_totals(results))


def _refused(pairs: Sequence[Pair], seen: dict[Pair, _Seen], results: Sequence[Result]) -> Refused:
    """Names the analyses, and the groups of them, whose comparisons give one another away."""
    homes = dict.fromkeys(home for pair in pairs for home in seen[pair].homes)
    names = list(dict.fromkeys(f"analyses.{results[place].analysis}" for place, _, _ in homes))
    groups = list(dict.fromkeys(group for _, _, group in homes if group is not None))
    merge = f"Merge groups ({', '.join(groups)})" if groups else "Leave one of them out"
    return Refused(
        "comparisons of overlapping people would give a small count away",
        where=f"disclosure, {', '.join(names)}",
        do=f"{merge}, compare the same people in each, or use a preset under agreement",
    )


def _collected(results: Iterable[Result]) -> dict[Pair, _Seen]:
    seen: dict[Pair, _Seen] = {}
    for place, result in enumerate(results):
        curved = any(is_curve(frame) for frame in result.detail.values())
        whole = set(pairs_of(replace(result, estimates=())))
        for group, pair in pairs_of(result).items():
            found = seen.setdefault(pair, _Seen())
            found.homes.append((place, result.outcome, group))
            found.heights |= curved and group is None
            found.counted |= group in whole or group is None
            for each in result.estimates:
                measure = measure_of(each)
                if each.group == group and measure is not None and each.estimate is not None:
                    found.measures.append(measure)
                    found.level = each.level
    return seen


def _lattice(pair: Pair, found: _Seen, policy: Policy) -> Lattice:
    return choose(
        pair, found.measures[:1], policy, level=found.level, counted=found.counted, heights=found.heights
    )


def _printing(pair: Pair, found: _Seen, lattice: Lattice, policy: Policy) -> Printing:
    step, times = lattice.printed_as(pair)
    if pair.small(policy):
        # Both counts go: were one printed, the other would be known to be the small one.
        times = 0
    lead = found.measures[0] if found.measures else None
    return Printing(step=step, times=times, lead=lead, middle=lattice.middle(pair))


def _ranges(pair: Pair, how: Printing, lattice: Lattice, policy: Policy) -> tuple[Range, Range]:
    """The least and greatest whole number that each count can be, by what is printed of this pair alone."""
    if how.step is not None:
        return tuple((int(x.min()), int(x.max())) for x in lattice.fits(pair))  # type: ignore[return-value]
    if how.times == 0:
        return _open(pair)
    return tuple(rounding_range(x, policy) for x, _ in pair.counts)  # type: ignore[return-value]


def _open(pair: Pair) -> tuple[Range, Range]:
    return tuple((0, 10**9 if pair.events else n) for _, n in pair.counts)  # type: ignore[return-value]


def _given_away(
    seen: dict[Pair, _Seen], ranges: dict[Pair, tuple[Range, Range]], policy: Policy
) -> list[Pair]:
    """The pairs that must go because, with the others, they bring a small count within reach."""
    known = {(pair, arm): ranges[pair][arm] for pair in seen for arm in (0, 1)}
    links = [*_nested(seen), *_sums(seen)]
    for _ in range(ROUNDS):
        before = dict(known)
        for whole, parts, rest in links:
            _narrow(known, whole, parts, rest)
        if known == before:
            break
    weak = {pair for (pair, arm), ends in known.items() if not _wide(pair, arm, ends, policy)}
    weak = {pair for pair in weak if _narrower(pair, known, ranges)}
    weak |= {_later(link, seen) for link in links if _rest_shows(link, known, policy)}
    together = {each for whole, parts, _ in links for each in ((whole, *parts))}
    groups = [
        pair for pair in seen if any((pair, arm) in together for arm in (0, 1)) and _of_group(seen[pair])
    ]
    return [pair for pair in seen if pair in weak or (weak and pair in groups)]


def _narrow(known: dict, whole: tuple[Pair, int], parts: Sequence[tuple[Pair, int]], rest: int) -> None:
    """whole = the sum of parts and between 0 and `rest` more: each range as far as the others leave it."""
    lows, highs = [known[each][0] for each in parts], [known[each][1] for each in parts]
    low, high = known[whole]
    known[whole] = max(low, sum(lows)), min(high, sum(highs) + rest)
    low, high = known[whole]
    for each in parts:
        own_low, own_high = known[each]
        others_low, others_high = sum(lows) - own_low, sum(highs) - own_high
        known[each] = max(own_low, low - rest - others_high), min(own_high, high - others_low)


def _rest_shows(link: tuple, known: dict, policy: Policy) -> bool:
    """Whether those in the whole and in none of its parts, whom no table shows, are a small count within reach."""
    (pair, arm), parts, people = link
    events = pair.counts[arm][0] - sum(each.counts[of][0] for each, of in parts)
    if pair.events or not people or not policy.small(events, people):
        return False
    low = max(0, known[pair, arm][0] - sum(known[each][1] for each in parts))
    high = min(people, known[pair, arm][1] - sum(known[each][0] for each in parts))
    return high - low < min(policy.protection, people)


def _outer_shown(
    seen: dict[Pair, _Seen], ranges: dict[Pair, tuple[Range, Range]], policy: Policy,
    nested: frozenset[tuple[str, str]],
) -> list[Pair]:  # fmt: skip
    """Of two outcomes, one within the other, the later comparison where the few with only the wider one show."""
    weak = []
    for inner, outer in ((one, other) for one in seen for other in seen if one is not other):
        if not any(
            (h[1], k[1]) in nested and h[2] == k[2] for h in seen[inner].homes for k in seen[outer].homes
        ):
            continue
        for arm in (0, 1):
            (less, n), (more, of) = inner.counts[arm], outer.counts[arm]
            alone = more - less
            if n != of or alone <= 0 or not policy.small(alone):
                continue
            low = max(0, ranges[outer][arm][0] - ranges[inner][arm][1])
            high = ranges[outer][arm][1] - ranges[inner][arm][0]
            if high - low < policy.protection or alone - low < min(policy.protection, alone - 1):
                weak.append(_later(((inner, arm), ((outer, arm),), 0), seen))
    return list(dict.fromkeys(weak))


def _later(link: tuple, seen: dict[Pair, _Seen]) -> Pair:
    """The comparison of a link that comes last in the study: the one to give up."""
    return max(
        [link[0][0], *(pair for pair, _ in link[1])], key=lambda pair: min(h[0] for h in seen[pair].homes)
    )


def _nested(seen: dict[Pair, _Seen]) -> list[tuple]:
    """Comparisons of the same outcome among nearly the same people: one is taken to lie within the other."""
    links = []
    pairs = list(seen)
    for one in pairs:
        for other in pairs:
            if one is other or one.events or other.events or not _same_outcome(seen[one], seen[other]):
                continue
            for arm in (0, 1):
                (x, n), (inner_x, inner_n) = one.counts[arm], other.counts[arm]
                if inner_n <= n and 0 <= x - inner_x <= n - inner_n:
                    links.append(((one, arm), ((other, arm),), n - inner_n))
    return links


def _sums(seen: dict[Pair, _Seen]) -> list[tuple]:
    """Groups of one analysis beside everybody in it."""
    links = []
    for place in sorted({home[0] for found in seen.values() for home in found.homes}):
        groups = [
            p for p, found in seen.items() if any(h[0] == place and h[2] is not None for h in found.homes)
        ]
        whole = [p for p, found in seen.items() if any(h[0] == place and h[2] is None for h in found.homes)]
        for pair in whole if groups else []:
            for arm in (0, 1):
                rest = pair.counts[arm][1] - sum(each.counts[arm][1] for each in groups)
                left = pair.counts[arm][0] - sum(each.counts[arm][0] for each in groups)
                if 0 <= left <= rest:
                    links.append(((pair, arm), tuple((each, arm) for each in groups), rest))
    return links


def _same_outcome(one: _Seen, other: _Seen) -> bool:
    """Whether the two are of one outcome, and neither is of a group."""
    ours, theirs = ({h[1] for h in each.homes if h[2] is None} for each in (one, other))
    return bool(ours & theirs)


def _of_group(found: _Seen) -> bool:
    return all(group is not None for _, _, group in found.homes)


def _wide(pair: Pair, arm: int, ends: Range, policy: Policy) -> bool:
    x, n = pair.counts[arm]
    if not policy.small(x, None if pair.events else n):
        return True
    floor = 0 if policy.hide_zeros else 1
    top = 10**9 if pair.events else n - floor
    low, high = ends
    return x - low >= min(policy.protection, max(x - floor, 0)) and high - x >= min(
        policy.protection, max(top - x, 0)
    )


def _narrower(pair: Pair, known: dict, ranges: dict[Pair, tuple[Range, Range]]) -> bool:
    return any(known[pair, arm] != ranges[pair][arm] for arm in (0, 1))


def _counts(printings: dict[Pair, Printing]) -> dict[tuple[float, float], int]:
    """By count and total, and for their complements: an outcome and its absence are one number."""
    counts: dict[tuple[float, float], int] = {}
    for pair, how in printings.items():
        for x, n in pair.counts:
            for key in ((x, n),) if pair.events else ((x, n), (n - x, n)):
                counts[key] = _coarsest(counts.get(key, how.times), how.times)
        if how.step is not None and how.times == 0:
            both = sum(x for x, _ in pair.counts), sum(n for _, n in pair.counts)
            counts[both] = 0
    return counts


def _coarsest(first: int, second: int) -> int:
    return 0 if 0 in (first, second) else max(first, second)


def _totals(results: Iterable[Result]) -> frozenset[int]:
    sizes = {n for result in results for each in result.estimates for n in (each.n_treated, each.n_control)}
    return frozenset(n for n in sizes if n)
