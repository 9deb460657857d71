"""The steps of one run, from its source to its summary."""

from pipeline.folder.lock import output_lock
from pipeline.folder.writers import sweep_dead
from pipeline.history import recent
from pipeline.planning import make_plan, open_source, take_stock
from pipeline.planning.disk import refuse_full_disk
from pipeline.planning.estimate import from_lessons
from pipeline.planning.lessons import learn
from pipeline.run.job import Job
from pipeline.run.messages import announce, announce_skipped
from pipeline.run.session import Session
from transforms.metrics.summary import RunSummary


def execute(session: Session, job: Job) -> RunSummary:
    """Runs a download and returns its summary, in which every request has its result.

    Raises:
        ThetaError: no Terminal answers, or not as one.
        NothingMatched: the Terminal lists nothing that was requested.
        Conflict: something is in the way, and nothing was fetched.
        DryRun: the runner took the job of a dry run.
        Exception: what the runner raises.
    """
    config, layout, stop = session.config, session.layout, session.stop
    messages = session.messages
    with session, open_source(config, stop, messages) as source:
        concurrency = source.concurrency
        session.record |= {"source": source.describe(), "concurrency": concurrency}
        with source.client(stop) as client:
            plan = make_plan(client, config)
        announce(plan, source, config, messages)
        with output_lock(layout, messages):
            sweep_dead(layout, messages)
            session.inventory = take_stock(plan, layout, source.origin, config)
            announce_skipped(session.inventory.skipped, messages)
            work = session.inventory.work
            lessons = learn(config, recent(session.store), data=source.data)
            session.store.rest()
            expected = from_lessons(work, config, lessons, concurrency)
            with source.client(stop) as client:
                refuse_full_disk(client, work, config, expected)
            with session.measure(source, lessons.sizes, expected) as measured:
                summary = job.run(session, source, measured.progress)
    return session.with_skipped(summary)
