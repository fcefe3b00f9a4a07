"""Settings: derived options, run files that read back, and errors that name the option."""

import re

import pytest
import yaml

from ganvas import config
from ganvas.config import Request, resolve
from ganvas.config import yaml as run_yaml
from ganvas.config.resolve import NOMINAL, check
from ganvas.errors import GanvasError
from ganvas.models import MODELS
from ganvas.runtime.validation import SettingsError


def of(content):
    """The configuration that follows from a run.yaml."""
    return resolve(check(Request.of({"source": "digits"} | content)), NOMINAL, 10)


def resolved(**options):
    return of(config.nest(options))


@pytest.mark.parametrize("model", MODELS)
def test_a_run_file_reads_back_as_the_same_run(model, tmp_path):
    settings = resolved(model=model, seed=7, budget="2h", size="64x96", channels="4")
    run_yaml.write(tmp_path / "run.yaml", settings)
    assert of(run_yaml.read_whole(tmp_path / "run.yaml")) == settings


@pytest.mark.parametrize(
    ("since", "then"),
    [
        (("doublings",), {"discriminator": "both", "match": 3.0}),
        (("match", "heads_noise"), {"discriminator": "both", "match": 0.0, "heads_noise": 0.0}),
        (("discriminator", "lr_heads", "match", "heads_noise"), {"discriminator": "own"}),
    ],
)
def test_a_run_file_from_before_an_option_describes_what_it_began(since, then, tmp_path):
    path = tmp_path / "run.yaml"
    run_yaml.write(path, resolved(model="compact"))
    lines = path.read_text("utf-8").splitlines()
    kept = [line for line in lines if line.strip().split(":")[0] not in since]
    assert len(kept) == len(lines) - len(since)
    path.write_text("\n".join(kept), "utf-8")
    game = of(run_yaml.read_whole(path)).game
    assert {name: getattr(game, name) for name in then} == then


def doublings_of(content, shape):
    """How often images of this shape double in size in a run of `compact`."""
    request = Request.of({"source": "digits", "model": "compact"} | content)
    return resolve(check(request), shape, 10).network.doublings


def test_images_of_a_run_from_before_they_doubled_do_not(tmp_path):
    path, shape = tmp_path / "run.yaml", (3, 128, 128)
    run_yaml.write(path, resolve(Request.of({"source": "digits", "model": "compact"}), shape, 10))
    assert doublings_of(run_yaml.read_whole(path), shape) == 2
    path.write_text(re.sub("  doublings: 2.*\n", "", path.read_text("utf-8")), "utf-8")
    assert doublings_of(run_yaml.read_whole(path), shape) == 0


@pytest.mark.parametrize(
    ("shape", "options", "doublings"),
    [
        ((3, 32, 32), {}, 0),
        ((3, 48, 96), {}, 0),
        ((4, 64, 64), {}, 0),
        ((3, 64, 128), {}, 0),
        ((3, 128, 128), {}, 2),
        ((3, 256, 256), {}, 2),
        ((3, 136, 200), {}, 1),  # sides that are halved three times only
        ((1, 128, 128), {}, 0),
        ((4, 128, 192), {}, 2),
        ((3, 128, 128), {"discriminator": "own"}, 0),
        ((3, 128, 128), {"discriminator": "pretrained"}, 2),
        ((3, 128, 128), {"doublings": 0}, 0),
        ((3, 64, 64), {"doublings": 1}, 1),
    ],
    ids=str,
)
def test_images_double_in_size_where_a_pretrained_network_teaches(shape, options, doublings):
    assert doublings_of(config.nest(options), shape) == doublings


def test_a_run_file_written_by_hand_leaves_the_rest_to_ganvas(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("source: emoji\nmodel: compact\ngame: {lr_g: 0.01}\n", "utf-8")
    assert of(run_yaml.read(path)).game.discriminator == "both"


def test_every_option_has_help_and_a_place():
    options = config.options()
    assert {"for", "images", "batch", "lr-g", "lr-d", "d-steps", "skip-d-below"} <= options.keys()
    assert {"label-smoothing", "instance-noise", "ema", "seed", "precision"} <= options.keys()
    assert {"device", "size", "channels", "background", "width"} <= options.keys()
    for option in options.values():
        assert option.info.description
        assert option.section in ("data", "network", "game", "training", "doctor", "evaluation")


def test_an_option_for_some_models_names_them():
    games = {name: entry.trainer for name, entry in MODELS.items()}
    adversarial = tuple(name for name in games if games[name] == "adversarial")
    assert config.options()["lr-g"].users == adversarial
    assert config.options()["lr"].users == ("vae",)
    assert config.options()["seed"].users == tuple(MODELS)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("60s", 60), ("10m", 600), ("2h", 7200), ("1h30m", 5400), ("90", 90), (45, 45), ("1.5m", 90)],
)
def test_times_are_understood(written, seconds):
    assert resolved(budget=written).training.budget == seconds


@pytest.mark.parametrize(
    ("written", "count"), [("200k", 200_000), ("1.5m", 1_500_000), ("5000", 5000), (12, 12)]
)
def test_counts_are_understood(written, count):
    settings = resolved(images=written)
    assert settings.training.images == count
    assert settings.training.budget is None  # who counts images has not asked for a clock


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"budget": "soon"}, r"--for soon: 'soon' is not a time such as 60s, 10m or 2h\."),
        ({"images": "many"}, r"--images many: 'many' is not a number such as"),
        ({"batch": 1}, r"--batch 1: .*greater than or equal to 2"),
        ({"lr_g": 0}, r"--lr-g 0: .*greater than 0"),
        ({"label_smoothing": 0.7}, r"--label-smoothing 0\.7: .*less than 0\.5"),
        ({"precision": "fp8"}, r"--precision fp8: .*'auto', 'fp32' or 'bf16'"),
        ({"size": "big"}, r"--size big: size must be like 64 or 64x96"),
        ({"loss": "hinge", "label_smoothing": 0.1}, "--label-smoothing means nothing"),
        ({"learning_rate": 1}, r"no option is called 'learning_rate'"),
        ({"lrg": 1}, r"did you mean 'lr-g'\?"),
        ({"model": "vae", "lr_g": 1e-3}, r"game has no setting called 'lr_g'"),
        ({"model": "dcgna"}, r"did you mean 'dcgan'\?"),
    ],
)
def test_mistakes_are_answered_in_one_sentence(options, message):
    with pytest.raises(GanvasError, match=message) as caught:
        resolved(**options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"trainnig": {}}, r"no section is called 'trainnig'; did you mean 'training'\?"),
        ({"training": {"btach": 3}}, r"did you mean 'batch'\?"),
        ({"training": 3}, "training must hold settings"),
        ({"source": None}, "a run needs a source"),
    ],
)
def test_mistakes_in_a_run_file_are_named(content, message):
    with pytest.raises(SettingsError, match=message):
        of(content)


@pytest.mark.parametrize("content", ["- a list", "a: [", "\x00"])
def test_a_file_that_holds_no_settings_is_refused(content, tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text(content)
    with pytest.raises(SettingsError, match=r"run\.yaml"):
        run_yaml.read(path)


def test_a_missing_run_file_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        run_yaml.read(tmp_path / "run.yaml")


def test_overrides_come_last_and_are_parsed():
    given = config.with_overrides({"network": {"width": 8}}, ["network.width=48", "game.beta1=0"])
    settings = of(given)
    assert (settings.network.width, settings.game.beta1) == (48, 0.0)


@pytest.mark.parametrize("assignment", ["network.width", "width"])
def test_an_override_without_a_value_is_refused(assignment):
    with pytest.raises(SettingsError, match=r"section\.name=value"):
        config.with_overrides({}, [assignment])


def test_an_override_that_cannot_be_read_is_refused():
    with pytest.raises(SettingsError, match="cannot be read as a value"):
        config.with_overrides({}, ["network.width=["])


def test_the_lesson_s_gan_has_the_lesson_s_numbers():
    settings = resolved(model="fc")
    assert (settings.game.lr_g, settings.game.lr_d) == (2e-4, 2e-4)
    assert (settings.game.beta1, settings.game.beta2) == (0.5, 0.999)
    assert settings.game.weight_decay == 8e-9
    assert settings.training.batch == 256


def test_differences_are_found_and_judged():
    before, after = resolved(seed=1, lr_g=1e-3), resolved(seed=2, lr_g=2e-3)
    found = {difference.path: difference for difference in config.differences(before, after)}
    assert found.keys() == {"training.seed", "game.lr_g"}
    assert not found["training.seed"].allowed
    assert found["game.lr_g"].allowed
    assert str(found["game.lr_g"]) == "game.lr_g 0.001 -> 0.002"
    (longer,) = config.differences(resolved(budget="1s"), resolved(budget="1234.56789s"))
    assert str(longer) == "training.budget 1 -> 1234.57"


def test_a_run_file_is_plain_yaml(tmp_path):
    run_yaml.write(tmp_path / "run.yaml", resolved())
    assert yaml.safe_load((tmp_path / "run.yaml").read_text())["model"] == "compact"


def test_old_names_of_settings_are_read():
    stored = {"training": {"images": 100}, "doctor": {"exam_every": 64}}
    assert of(stored).doctor.probe_every == 64


def test_what_took_the_place_of_a_setting_is_said(tmp_path):
    for name in ("race", "trials"):
        with pytest.raises(SettingsError, match="ganvas sweep SOURCE --trials"):
            config.nest({name: 4})
        with pytest.raises(SettingsError, match="ganvas sweep SOURCE --trials"):
            of({"training": {name: 3}})
        assert run_yaml.as_begun({"training": {name: 3, "seed": 1}}) == {"training": {"seed": 1}}


def test_old_names_of_options_work_with_a_notice():
    with pytest.warns(DeprecationWarning, match="--exam-every is called --probe-every now"):
        assert config.nest({"exam_every": 4}) == {"doctor": {"probe_every": 4}}
