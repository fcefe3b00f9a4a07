"""A network through which a model has learnt cannot judge it."""

from collections.abc import Collection

from ganvas.evaluation.features import DEFAULT, FeatureNetwork


def warning(network: FeatureNetwork, teachers: Collection[str]) -> str | None:
    """A sentence for figures of a network that has taught the model; None where it has not.

    `teachers` are the names of the frozen networks through which the model has learnt.
    """
    for teacher in teachers:
        if network.name.startswith(teacher):
            return (
                f"The model has learnt through {teacher}, so scores in its features are better "
                f"than its images; --features {DEFAULT} is impartial."
            )
    return None
