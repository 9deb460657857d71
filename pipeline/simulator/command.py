"""`greeks terminal`: runs the stand-in until it is ended. The market is imported when it runs."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from pipeline.simulator.flags import DEFAULT_PORTS


def serve(args: argparse.Namespace) -> int:
    """Runs the stand-in until SIGINT, SIGTERM or, if asked, the end of standard input.

    Prints one line with its address once it answers.

    Args:
        args: as the flags of `add_arguments` are parsed.

    Returns:
        The exit code: 0, or 1 if the port is taken.
    """
    from pipeline.simulator.formats import STYLES
    from pipeline.simulator.market.market import DEFAULT_LAST_DATE, Market
    from pipeline.simulator.server import TerminalServer

    port = DEFAULT_PORTS[args.api] if args.port is None else args.port
    market = Market(args.seed, args.symbols, args.last_date or DEFAULT_LAST_DATE)
    try:
        server = TerminalServer(
            market,
            port=port,
            api=args.api,
            latency=args.latency,
            style=STYLES[args.style],
            slots=args.concurrency,
            queue=args.queue,
            row_limit=args.row_limit,
            tick_limit=args.tick_limit,
            page_expire=args.page_expire,
            page_header=args.page_header,
            chaos=args.chaos,
            chaos_limit=args.chaos_limit,
            retry_after=args.retry_after,
        )
    except OSError as error:
        print(f"port {port} cannot be used: {error.strerror}; see --port", file=sys.stderr)
        return 1
    end = threading.Event()
    with _ended_by_signals(end), server:
        if args.exit_with_stdin:
            threading.Thread(target=_await_stdin, args=(end,), daemon=True).start()
        print(f"stand-in Theta Terminal at {server.url}", flush=True)
        end.wait()
    return 0


@contextmanager
def _ended_by_signals(end: threading.Event) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        end.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _await_stdin(end: threading.Event) -> None:
    # Not by way of sys.stdin: its lock would still be held when the interpreter ends.
    while os.read(0, 4096):
        pass
    end.set()
