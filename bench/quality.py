"""What looking at the rows costs a download: `python -m bench.quality [PAIRS [FLAG …]]`.

Serves a simulated market from a process of its own, and downloads a trade date of SPXW every
minute, the nearest expirations, in turn with the check and without it. Prints for each format and
order of Greeks the seconds of the processor that the download took (the median; not the
Terminal's), by how much the check adds to them (the median over the pairs), and the peak of its
memory. With flags, such as `--derive gamma`, it is what these add to a download of first order.
"""

import statistics
import sys
import tempfile

from bench.processes import download, terminal

SIZE = ("--interval", "1m", "--max_dte", "5")
CASES = [("csv", "first_order"), ("parquet", "first_order"), ("csv", "all"), ("parquet", "all")]


def run(url: str, form: str, order: str, flags: list[str]) -> tuple[float, float, int]:
    """Returns the processor's seconds, the peak of memory in MiB, and the rows of a download."""
    with tempfile.TemporaryDirectory() as folder:
        more = ("--format", form, "--greeks", order, *flags)
        summary, seconds = download(folder, url, *SIZE, *more)
        return seconds, summary["peak_memory_usage"], summary["total_records"]


def main() -> None:
    """Prints the table."""
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    given = sys.argv[2:]
    with_, without = (given, []) if given else (["--check"], ["--no_check"])
    print("| format | Greeks | rows | without | with | added | MiB without | MiB with |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    with terminal() as url:
        for form, order in CASES[: 2 if given else None]:
            run(url, form, order, without)  # the market's prices are made once
            off: list[tuple[float, float, int]] = []
            on: list[tuple[float, float, int]] = []
            for n in range(pairs):
                for flags in (with_, without)[:: 1 if n % 2 else -1]:
                    (on if flags is with_ else off).append(run(url, form, order, flags))
            added = statistics.median(a[0] / b[0] - 1 for a, b in zip(on, off, strict=True))
            seconds = [statistics.median(one[0] for one in some) for some in (off, on)]
            peaks = [statistics.median(one[1] for one in some) for some in (off, on)]
            print(
                f"| {form} | {order} | {on[0][2]:,} | {seconds[0]:.2f} s | {seconds[1]:.2f} s | "
                f"{added:.1%} | {peaks[0]:.0f} | {peaks[1]:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
