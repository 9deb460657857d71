"""What a translated pipeline does with the batches that are fetched."""

from typing import Any

from apache_beam.portability import common_urns


def takers_of_batches(components: Any) -> list[str]:
    """Returns the names of the steps that take what is fetched."""
    fetched = {
        output
        for transform in components.transforms.values()
        if transform.spec.urn == common_urns.primitives.PAR_DO.urn
        and "FetchBatches" in transform.unique_name
        for tag, output in transform.outputs.items()
        if tag != "withdrawn"
    }
    return [
        transform.unique_name
        for transform in components.transforms.values()
        if set(transform.inputs.values()) & fetched and not transform.subtransforms
    ]
