"""Choose the best of many generated images: what the discriminator believes, and no two alike.

Discriminator rejection (Azadi et al., 2019) keeps what the discriminator takes for real; on its own
it keeps many images of the kinds that are easiest. So the better half is thinned out to those that
lie farthest from each other in the features of a network (Gonzalez, 1985).
"""

import torch
from torch import Tensor

from ganvas.evaluation.features import FeatureNetwork
from ganvas.generate.pipeline import Pipeline
from ganvas.generate.trained import Trained
from ganvas.imaging.alpha import straight
from ganvas.models import AdversarialModel, UnsuitableOptionError

BETTER = 0.5  # of all images, by score, from which is chosen; more where so many are wanted
AT_ONCE = 64  # images


def best(scores: Tensor, features: Tensor, count: int) -> list[int]:
    """Which `count` of N images to take, the highest score first: of scores (N,) and features
    (N, D).

    From the image with the highest score on, each next one is the farthest from all that are taken.
    Raises ValueError where there are not so many.
    """
    if not 0 < count <= len(scores):
        raise ValueError(f"there are {len(scores)} images to choose {count} of")
    kept = scores.argsort(descending=True)[: max(count, round(BETTER * len(scores)))]
    places = features[kept].double()
    taken = [0]
    nearest = (places - places[0]).square().sum(1)
    while len(taken) < count:
        nearest[taken] = -1.0
        chosen = int(nearest.argmax())
        taken.append(chosen)
        nearest = torch.minimum(nearest, (places - places[chosen]).square().sum(1))
    return sorted((int(kept[place]) for place in taken), key=lambda one: -float(scores[one]))


def best_seeds(
    found: Trained,
    pipeline: Pipeline,
    network: FeatureNetwork,
    seeds: list[int],
    count: int,
    label: str | None = None,
) -> list[int]:
    """The seeds of the best `count` images of these; raises UnsuitableOptionError of a model that
    has no discriminator."""
    model = found.scoring()
    if model is None:
        raise UnsuitableOptionError(
            f"{found.name} has no discriminator that could choose the best; name a run or a "
            "checkpoint of a GAN, or leave --best out."
        )
    scores, features = [], []
    for part in (seeds[first : first + AT_ONCE] for first in range(0, len(seeds), AT_ONCE)):
        latents = pipeline.latents(part, label)
        with torch.inference_mode():
            images = pipeline.generator(latents)[-1].float()
            scores.append(_scores(model, images, latents[:, pipeline.generator.latent :]))
        features.append(network.features(straight(images)))
    return [seeds[place] for place in best(torch.cat(scores), torch.cat(features), count)]


def _scores(model: AdversarialModel, images: Tensor, labels: Tensor) -> Tensor:
    return model.scores(images, labels).flatten()
