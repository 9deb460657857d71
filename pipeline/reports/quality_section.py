"""What the quality checks said while the rows passed by: counts, findings and examples."""

from pathlib import Path
from typing import Any

from pipeline.reports.figure import Figure, Section, Table, base
from pipeline.reports.source import Source
from pipeline.text import count
from transforms.output.entry import entry_of_file
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


def quality_section(source: Source) -> Section:
    """Returns the part of the report about what was found in the rows."""
    title = "Quality"
    checked = _qualities(source)
    if not checked:
        absent = (
            "The rows were not checked as they were downloaded. `greeks check` does it on "
            "files that are there."
        )
        return Section("quality", title, tables=[Table("Not checked", (), (), absent=absent)])
    rows = sum(each["rows"] for each in checked.values())
    findings = _findings(checked)
    total = sum(count for _, count, _, _ in findings)
    facts = [
        ("checked", f"{count(rows, 'row')} in {count(len(checked), 'file')}, all trade dates"),
        (
            "findings",
            f"{count(total, 'row')} against {count(len(findings), 'rule')}" if findings else "none",
        ),
    ]
    tables = [_finding_table(findings, rows), *([_examples(checked)] if findings else [])]
    return Section("quality", title, facts, [_counts(checked, rows)], tables)


def finding_total(source: Source) -> int | None:
    """Returns how many rows broke a rule, or None if the rows were not checked."""
    checked = _qualities(source)
    return sum(count for _, count, _, _ in _findings(checked)) if checked else None


def _qualities(source: Source) -> dict[str, Quality]:
    """What is known of each file's rows: by its manifest, else by the run's summary."""
    found: dict[str, Quality] = {}
    for number, result in enumerate((source.run or {}).get("expirations", [])):
        if result.get("quality"):
            # What was kept back for its findings has no file.
            path = result["path"]
            found[str(Path(path).absolute()) if path else str(number)] = result["quality"]
    for path in source.files:
        entry = entry_of_file(path)
        if entry is not None and entry.quality:
            found[str(path.absolute())] = entry.quality
    return found


def _findings(checked: dict[str, Quality]) -> list[tuple[str, int, int, str]]:
    """Returns each rule that was broken: its name, rows, files, and meaning."""
    rules: dict[str, tuple[int, int, str]] = {}
    for quality in checked.values():
        for finding in quality.get("findings", []):
            count, files, _ = rules.get(finding["rule"], (0, 0, ""))
            rules[finding["rule"]] = (
                count + finding["count"],
                files + 1,
                finding.get("says", ""),
            )
    ordered = sorted(rules.items(), key=lambda item: -item[1][0])
    return [(name, *found) for name, found in ordered]


def _counts(checked: dict[str, Quality], rows: int) -> Figure:
    title = "What is worth knowing, finding or not: share of the rows"
    counts: dict[str, int] = {}
    for quality in checked.values():
        for name, each in quality.get("statistics", {}).items():
            counts[name] = counts.get(name, 0) + each["count"]
    if not counts or not rows:
        return Figure("quality-counts", title, absent="The check counted nothing.", wide=True)
    import altair as alt

    data: list[dict[str, Any]] = [
        {
            "name": _WORDS.get(name, name.replace("_", " ")),
            "share": count / rows,
            "n": count,
            "label": f"{count:,}",
        }
        for name, count in counts.items()
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


def _finding_table(findings: list[tuple[str, int, int, str]], rows: int) -> Table:
    heads = ("rule", "rows", "share", "files", "meaning")
    return Table(
        "Findings: what no convention of ThetaData explains",
        heads,
        [
            (
                name,
                f"{count:,}",
                "-" if name == MISSING_DATES else f"{count / rows:.4%}",
                f"{files:,}",
                says,
            )
            for name, count, files, says in findings
        ],
        absent="No finding: nothing that the conventions do not explain.",
    )


def _examples(checked: dict[str, Quality]) -> Table:
    rows: list[tuple[str, ...]] = []
    for quality in checked.values():
        for finding in quality.get("findings", []):
            for example in finding.get("examples", []):
                key = example["key"]
                contract, time = named(key)
                clock = time[:19].replace("T", " ")
                values = ", ".join(f"{name} {value}" for name, value in example["values"].items())
                rows.append((finding["rule"], contract, clock, values))
    rows.sort(key=lambda row: row[0])
    caption = f"{_MOST_EXAMPLES} of {len(rows)}." if len(rows) > _MOST_EXAMPLES else ""
    heads = ("rule", "contract", "time", "values")
    return Table(
        "Examples of the findings",
        heads,
        _from_each_rule(rows),
        caption,
        "The checks kept no example.",
    )


def _from_each_rule(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The rows in an order that shows every rule before any rule's second example."""
    seen: dict[str, int] = {}
    ranked = []
    for row in rows:
        seen[row[0]] = seen.get(row[0], 0) + 1
        ranked.append((seen[row[0]], row))
    kept = sorted(sorted(ranked, key=lambda pair: pair[0])[:_MOST_EXAMPLES], key=lambda p: p[1])
    return [row for _, row in kept]
