"""What the quality checks said while the rows passed by: counts, findings and examples."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import altair as alt

from pipeline.inspection.assumptions import assumptions_of
from pipeline.inspection.entries import known_entry
from pipeline.inspection.file_quality import quality_of
from pipeline.inspection.files import UnreadableFile
from pipeline.reports.figure import Figure, Section, Table, base
from pipeline.reports.source import Source, whole
from pipeline.text import count
from transforms.audit.assumptions import Assumptions
from transforms.metrics.summary import LISTED
from transforms.quality.findings import named
from transforms.quality.limits import MISSING_DATES

Quality = dict[str, Any]

_WORDS = {
    "unsolved_iv": "implied volatility 0: not solved",
    "no_price": "no price: iv_error 100",
    "zero_greeks": "every Greek 0",
    "zero_bids": "bid 0",
    "empty_quotes": "bid and ask 0",
    "crossed_quotes": "bid above ask",
    "locked_quotes": "bid equals ask",
    "stale_underlying": "underlying's price stale",
    "duplicates": "row twice",
    "out_of_order": "row out of order",
    "holes": "row missing",
}
_MOST_EXAMPLES = 30


@dataclass
class FoundQuality:
    """What the checks found in the rows of all files, added up file by file.

    Attributes:
        rows: that were checked.
        files: that hold them, and expirations that were kept back for their findings.
        counts: rows of each statistic.
        findings: of each rule that was broken: rows, files and meaning.
        examples: of each rule, the first ones, as (rule, contract, time, values).
        more: examples that are not kept.
        here: files that the report checked itself, for no download did.
    """

    rows: int = 0
    files: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    findings: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    examples: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    more: int = 0
    here: int = 0

    @classmethod
    def of(
        cls, source: Source, track: Callable[[Sequence[str]], Iterable[str]] = iter
    ) -> "FoundQuality":
        """Returns the quality of each file's rows: by its manifest, by the run, or by a check.

        Args:
            source: the files.
            track: yields the files that it is given, and shows how many are done.
        """
        found = cls()
        # For files without an entry, as those of an earlier version of this program.
        of_run: dict[str, Quality] = {}
        for result in source.results():
            if not result.get("quality"):
                continue
            if result["path"] and len(of_run) < LISTED:
                of_run[whole(result["path"])] = result["quality"]
            elif not result["path"]:
                # What was kept back for its findings has no file.
                found.add([result["quality"]])
        for path in track(source.files):
            entry = known_entry(path)
            known = (entry.quality if entry else None) or of_run.get(whole(path))
            if known:
                found.add([known])
                continue
            with contextlib.suppress(UnreadableFile):  # it is reported with the figures
                checked = quality_of(path, assumptions_of(path, Assumptions()))
                found.add([each.describe() for each in checked])
                found.here += 1
        return found

    @property
    def total(self) -> int:
        """How many rows broke a rule."""
        return sum(rows for rows, _, _ in self.findings.values())

    def add(self, qualities: Sequence[Quality]) -> None:
        """Adds the qualities of one file."""
        self.files += 1
        for quality in qualities:
            self.rows += quality["rows"]
            for name, each in quality.get("statistics", {}).items():
                self.counts[name] += each["count"]
            for finding in quality.get("findings", []):
                rule = finding["rule"]
                rows, files, _ = self.findings.get(rule, (0, 0, ""))
                self.findings[rule] = rows + finding["count"], files + 1, finding.get("says", "")
                kept = self.examples.setdefault(rule, [])
                room = _MOST_EXAMPLES - len(kept)
                kept += [_example(rule, each) for each in finding.get("examples", [])[:room]]
                self.more += max(len(finding.get("examples", [])) - room, 0)


def quality_section(found: FoundQuality) -> Section:
    """Returns the part of the report about what was found in the rows."""
    title = "Quality"
    if not found.rows:
        absent = "There are no rows that could be checked."
        return Section.without("quality", title, "Not checked", absent)
    facts = [
        ("checked", f"{count(found.rows, 'row')} in {count(found.files, 'file')}, all trade dates"),
        (
            "findings",
            f"{count(found.total, 'row')} against {count(len(found.findings), 'rule')}"
            if found.findings
            else "none",
        ),
    ]
    if found.here:
        facts.append(("checked by this report", f"{count(found.here, 'file')} of no download"))
    tables = [_finding_table(found), *([_examples(found)] if found.findings else [])]
    return Section("quality", title, facts, [_counts(found)], tables)


def _example(rule: str, example: dict[str, Any]) -> tuple[str, ...]:
    contract, stamp = named(example["key"])
    values = ", ".join(f"{name} {value}" for name, value in example["values"].items())
    return rule, contract, stamp[:19].replace("T", " "), values


def _counts(found: FoundQuality) -> Figure:
    title = "Statistics of the quality check: share of the rows"
    if not found.counts:
        return Figure("quality-counts", title, absent="The check counted nothing.", wide=True)
    data: list[dict[str, Any]] = [
        {
            "name": _WORDS.get(name, name.replace("_", " ")),
            "share": number / found.rows,
            "n": number,
            "label": f"{number:,}",
        }
        for name, number in found.counts.items()
    ]
    bars = base().encode(
        y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=190)),
        x=alt.X(
            "share:Q",
            title="share of rows",
            axis=alt.Axis(format=".0%", tickCount=5),
            scale=alt.Scale(domainMax=max(0.01, 1.6 * max(r["share"] for r in data))),
        ),
        tooltip=[
            alt.Tooltip("name:N", title="what"),
            alt.Tooltip("n:Q", title="rows", format=","),
            alt.Tooltip("share:Q", format=".3%"),
        ],
    )
    chart = bars.mark_bar(cornerRadius=2) + bars.mark_text(align="left", dx=4).encode(
        text="label:N"
    )
    caption = (
        "Deep in the money, no volatility is usual; so are no bid far out of the money, and "
        "no quote at 09:30."
    )
    return Figure("quality-counts", title, caption, chart, data, wide=True, height=22 * len(data))


def _finding_table(found: FoundQuality) -> Table:
    heads = ("rule", "rows", "share", "files", "meaning")
    ordered = sorted(found.findings.items(), key=lambda item: -item[1][0])
    return Table(
        "Findings: what no convention of ThetaData explains",
        heads,
        [
            (
                name,
                f"{number:,}",
                "-" if name == MISSING_DATES else f"{number / found.rows:.4%}",
                f"{files:,}",
                says,
            )
            for name, (number, files, says) in ordered
        ],
        absent="No finding: nothing that the conventions do not explain.",
    )


def _examples(found: FoundQuality) -> Table:
    """The examples: every rule's first before any rule's second."""
    ranked = [(place, row) for rows in found.examples.values() for place, row in enumerate(rows)]
    kept = [row for _, row in sorted(ranked)[:_MOST_EXAMPLES]]
    of = len(ranked) + found.more
    caption = f"{_MOST_EXAMPLES} of {of}." if of > _MOST_EXAMPLES else ""
    return Table(
        "Examples of the findings",
        ("rule", "contract", "time", "values"),
        sorted(kept),
        caption,
        "The checks kept no example.",
    )
