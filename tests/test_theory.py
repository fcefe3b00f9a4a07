"""The numbers and claims of docs/lesson/theory.md, by the code of the product where it has some."""

import math
from pathlib import Path

import pytest
import torch

from ganvas.config.resolve import usual_learning_rate
from ganvas.losses import ADVERSARIAL_LOSSES
from ganvas.losses.regularization import zero_centred
from ganvas.models import MODELS, build
from ganvas.style.losses import moments

PAGE = (Path(__file__).parents[1] / "docs/lesson/theory.md").read_text("utf-8")
STROKE, YELLOW = (1.0, 0.0, 2.0, 1.0), (0.0, 1.0, 2.0, 1.0)


def gradient(name, logit):
    fake = torch.tensor([logit], requires_grad=True)
    ADVERSARIAL_LOSSES[name].loss.generator(torch.zeros(1), fake).backward()
    return float(fake.grad)


@pytest.mark.parametrize("logit", [-6.0, -2.0, 0.0, 2.0])
def test_the_table_of_gradients(logit):
    numbers = [1 / (1 + math.exp(-logit)), gradient("saturating", logit), gradient("bce", logit)]
    written = " | ".join(f"{number:.3f}" for number in numbers).replace("-", "\N{MINUS SIGN}")
    (line,) = [
        x for x in PAGE.splitlines() if x.startswith(f"| {logit:g}".replace("-", "\N{MINUS SIGN}"))
    ]
    assert line.endswith(f"| {written} |")


def test_the_best_discriminator_and_its_loss():
    output = torch.linspace(0.001, 0.999, 999)
    for real, fake, best in ((0.8, 0.2, 0.8), (0.3, 0.3, 0.5)):
        value = real * output.log() + fake * (1 - output).log()
        assert float(output[value.argmax()]) == pytest.approx(best, abs=1e-3)
    chance = ADVERSARIAL_LOSSES["bce"].loss.chance
    assert f"{chance:.2f}" == "1.39"
    assert f"{chance / 2:.2f}" == "0.69"
    assert "1.39" in PAGE
    assert "0.69" in PAGE


def test_the_learning_rates_of_dcgan_and_compact():
    assert usual_learning_rate((3, 64, 64)) == 0.001
    assert MODELS["compact"].recipe["game"]["lr_g"] == 0.02
    assert "`dcgan` trains with a learning rate of 0.001 and `compact` with 0.02" in PAGE
    model = build("compact", MODELS["compact"].settings(), (3, 64, 64))
    weights = dict(model.named_parameters())
    multipliers = model.lr_multipliers()
    assert len(multipliers) > 10
    for name, multiplier in multipliers.items():
        size = float(weights[name].detach().std())
        assert size == pytest.approx(multiplier, rel=0.3) or size == 0, name


def distances(steps, rate, weight=0.0):
    """How far the smallest GAN of all is from its equilibrium after each step."""
    place = torch.tensor(0.1, dtype=torch.double, requires_grad=True)
    slope = torch.tensor(0.1, dtype=torch.double, requires_grad=True)
    found = []
    for _ in range(steps):
        found.append(math.hypot(float(place.detach()), float(slope.detach())))
        value = torch.nn.functional.logsigmoid(-slope * place) - math.log(2)
        real = torch.zeros(1, 1, 1, 1, dtype=torch.double, requires_grad=True)
        penalty = weight * zero_centred((slope * real).flatten(), [real])
        up, down = torch.autograd.grad(value - penalty, [slope, place])
        with torch.no_grad():
            slope += rate * up
            place -= rate * down
    return found


def test_two_players_circle_and_r1_leads_them_inwards():
    free, penalised = distances(200, 0.1), distances(200, 0.1, weight=0.5)
    assert free[1] / free[0] == pytest.approx(math.sqrt(1 + 0.1**2 / 4), rel=1e-4)
    assert free == sorted(free)
    assert penalised[-1] < 0.05 * penalised[0]


def test_pairs_do_not_mind_a_constant():
    loss = ADVERSARIAL_LOSSES["relativistic"].loss
    real, fake = torch.randn(2, 8, generator=torch.Generator().manual_seed(0))
    for player in (loss.generator, lambda r, f: loss.discriminator(r, f, 1.0)):
        torch.testing.assert_close(player(real + 5, fake + 5), player(real, fake))
        assert float(player(real, real)) == pytest.approx(math.log(2))


def test_the_gram_matrix_square_by_square():
    gram = moments(torch.tensor([STROKE, YELLOW]).T).second
    assert gram.tolist() == [[1.5, 1.25], [1.25, 1.5]]
    shuffled = moments(torch.tensor([STROKE, YELLOW]).T[[2, 0, 3, 1]]).second
    assert torch.equal(gram, shuffled)
    for channel in (STROKE, YELLOW):
        assert " | ".join(f"{value:g}" for value in channel) in PAGE
    assert "= 1.5 |" in PAGE
    assert "= 1.25 |" in PAGE
