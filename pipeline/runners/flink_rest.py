"""A Flink cluster's own interface, as far as a run ends its job there.

Beam's job server answers a request to cancel and lets the cluster run the job on (seen with 2.62.0,
on a job that waits for slots). So a run names its job after itself, and ends it where it runs.
https://nightlies.apache.org/flink/flink-docs-release-1.19/docs/ops/rest_api/
"""

import sys

import requests
from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    GoogleCloudOptions,
    PipelineOptions,
)

from pipeline.runners.choose import name_of

_SECONDS = 5.0
_ENDED = frozenset({"FINISHED", "CANCELED", "FAILED", "CANCELLING"})


def name_job(options: PipelineOptions, run_id: str) -> None:
    """Names the job after the run: `greeks-RUN_ID`, or the `--job_name` given in place of `greeks`.

    Does nothing for another runner than Flink.
    """
    if _is_flink(options):
        named = options.view_as(GoogleCloudOptions)
        named.job_name = f"{named.job_name or 'greeks'}-{run_id}"


def end_job(options: PipelineOptions) -> None:
    """Cancels the run's job on its cluster, if it is there and has not ended.

    Does nothing without a cluster: an embedded Flink ends with its job server. A cluster that does
    not answer is named on standard error, with the remaining steps.
    """
    master = options.view_as(FlinkRunnerOptions).flink_master
    if not _is_flink(options) or master.startswith("["):
        return
    url = master if "://" in master else f"http://{master}"
    name = options.view_as(GoogleCloudOptions).job_name
    try:
        with requests.Session() as session:
            answer = session.get(f"{url}/jobs/overview", timeout=_SECONDS)
            answer.raise_for_status()
            for job in answer.json()["jobs"]:
                if job["name"] == name and job["state"] not in _ENDED:
                    session.patch(
                        f"{url}/jobs/{job['jid']}", params={"mode": "cancel"}, timeout=_SECONDS
                    ).raise_for_status()
    except (requests.RequestException, LookupError) as error:
        print(
            f"greeks download: look for the job {name} at {url}, and cancel it if it is still "
            f"there: {error}",
            file=sys.stderr,
        )


def _is_flink(options: PipelineOptions) -> bool:
    return name_of(options).lower() == "flinkrunner"
