"""What a public host reads from the repository is well formed, and agrees with the project."""

import re
import tomllib
import zipfile
from pathlib import Path

import pytest
import release
import smoke
import yaml

import ganvas

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").rglob("action.yml"))
YAML = [
    *sorted((ROOT / ".github").rglob("*.yml")),
    ROOT / ".pre-commit-config.yaml",
    ROOT / "CITATION.cff",
    ROOT / "mkdocs.yml",
]
PYTHON = "Programming Language :: Python :: "
TARGET = re.compile(r"^make ([\w-]+)(?: [A-Z]+=\S+)*$")
SCRIPT = re.compile(r"^python (tools/\w+\.py)(?: --\w+)*$")


def named(path):
    return path.relative_to(ROOT).as_posix()


def loaded(path):
    return yaml.safe_load(path.read_text("utf-8"))


def jobs(path):
    return loaded(path)["jobs"]


def steps(path):
    return [step for job in jobs(path).values() for step in job.get("steps", [])]


def targets():
    """What the Makefile makes, with what it says about it."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    return dict(re.findall(r"^([a-z-]+):[^\n#]*(?:## (.+))?$", makefile, re.MULTILINE))


def locked(name):
    """The exact version of a package in requirements.lock."""
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    return re.search(rf"^{re.escape(name)}==(\S+)$", lock, re.MULTILINE)[1]


@pytest.mark.parametrize("path", YAML, ids=named)
def test_every_yaml_file_is_a_mapping(path):
    assert isinstance(loaded(path), dict)


@pytest.mark.parametrize("path", WORKFLOWS, ids=named)
def test_workflows_run_what_a_contributor_can_run(path):
    for step in steps(path):
        if "run" not in step:
            continue
        command = step["run"].strip()
        make, script = TARGET.match(command), SCRIPT.match(command)
        assert make or script, command
        if make:
            assert make[1] in targets(), command
        else:
            assert (ROOT / script[1]).is_file(), command


@pytest.mark.parametrize("path", WORKFLOWS, ids=named)
def test_workflows_have_few_rights_and_little_time(path):
    assert loaded(path)["permissions"] == {"contents": "read"}
    assert "concurrency" in loaded(path)
    for name, job in jobs(path).items():
        assert "uses" in job or job["timeout-minutes"] <= 90, name
        writes = "write" in job.get("permissions", {}).values()
        assert not writes or "environment" in job, name


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=named)
def test_actions_of_others_are_pinned_to_a_commit(path):
    """The publisher alone is not: its authors keep a branch for users."""
    for used in re.findall(r"uses: (\S+)", path.read_text("utf-8")):
        if used.startswith("./"):
            assert (ROOT / used).exists(), used
        elif used != "pypa/gh-action-pypi-publish@release/v1":
            assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", used), used


def test_the_versions_of_python_are_the_same_everywhere():
    found = [name.removeprefix(PYTHON) for name in PROJECT["project"]["classifiers"]]
    declared = [version for version in found if re.fullmatch(r"3\.\d+", version)]
    checks = jobs(ROOT / ".github/workflows/checks.yml")
    assert checks["test"]["strategy"]["matrix"]["python"] == declared
    wheel = jobs(ROOT / ".github/workflows/wheel.yml")
    assert wheel["install"]["strategy"]["matrix"]["python"] == [declared[0], declared[-1]]
    assert PROJECT["project"]["requires-python"] == f">={declared[0]}"
    assert PROJECT["tool"]["ruff"]["target-version"] == "py" + declared[0].replace(".", "")
    for path in ACTIONS:
        assert loaded(path)["inputs"]["version"]["default"] == declared[0]


def test_hooks_use_the_ruff_of_the_lock():
    hooks = loaded(ROOT / ".pre-commit-config.yaml")["repos"][0]["hooks"]
    asked = [package for hook in hooks for package in hook["additional_dependencies"]]
    assert {name for name in asked if name.startswith("ruff")} == {f"ruff=={locked('ruff')}"}


@pytest.mark.parametrize("extra", ["dev", "lesson"])
def test_a_lock_has_every_package_of_its_extra(extra):
    locks = [(ROOT / f"requirements{name}.lock").read_text("utf-8") for name in ("", "-lesson")]
    exact = {
        re.split("==", line)[0].lower().replace("_", "-")
        for line in "\n".join(locks).splitlines()
        if "==" in line and not line.startswith("#")
    }
    for wanted in PROJECT["project"]["optional-dependencies"][extra]:
        assert re.match(r"[\w-]+", wanted)[0].lower().replace("_", "-") in exact, wanted


def test_one_version_is_named_everywhere():
    assert release.differences() == []
    assert release.differences(f"v{ganvas.__version__}") == []
    assert PROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "ganvas.__version__"}


def test_a_tag_of_another_version_is_told():
    (told,) = release.differences("v99.0")
    assert "version 99.0" in told
    assert ganvas.__version__ in told


def test_the_changelog_has_room_for_what_comes_next():
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"^## (.+)$", changelog, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert len(release.RELEASED.findall(changelog)) == len(headings) - 1


def test_the_package_data_covers_every_asset():
    package = ROOT / "src" / "ganvas"
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["ganvas"]
    covered = {path for pattern in patterns for path in package.glob(pattern)}
    assets = [path for path in package.joinpath("assets").rglob("*") if path.is_file()]
    assert len(assets) > 5
    assert covered.issuperset([*assets, *(package / name for name in smoke.NEEDED)])


@pytest.fixture
def wheel(tmp_path):
    """Writes a wheel that holds all it should, but for what is named."""

    def write(*missing, **sizes):
        path = tmp_path / "ganvas-0.1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for name in {*smoke.NEEDED} - {*missing}:
                archive.writestr(f"ganvas/{name}", "x")
            for asset in smoke.ASSETS.iterdir():
                if asset.name not in missing:
                    size = sizes.get(asset.stem, asset.stat().st_size)
                    archive.writestr(f"ganvas/assets/{asset.name}", bytes(size))
        return path

    return write


def test_a_whole_wheel_is_accepted_and_its_assets_are_listed(wheel, capsys):
    package = smoke.contents(wheel())
    smoke.show_assets(package)
    *lines, total = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[:1]] == ["assets/emoji.zip"]
    assert total.split()[0] == f"{sum(path.stat().st_size for path in smoke.ASSETS.iterdir()):,}"


@pytest.mark.parametrize("name", ["py.typed", "__init__.pyi", "vgg19.safetensors"])
def test_what_a_wheel_lacks_is_named(name, wheel):
    with pytest.raises(smoke.SmokeError, match=re.escape(name)):
        smoke.contents(wheel(name))


def test_an_asset_that_was_cut_off_is_named(wheel):
    with pytest.raises(smoke.SmokeError, match=r"asset digits\.npz has 7 bytes"):
        smoke.contents(wheel(digits=7))


def test_a_folder_without_a_wheel_says_what_to_do(tmp_path):
    with pytest.raises(smoke.SmokeError, match="0 wheels instead of one: run `make wheel`"):
        smoke.only_wheel(tmp_path)


def test_a_command_that_fails_is_told_with_its_last_words(tmp_path):
    command = [smoke.sys.executable, "-c", "import sys; sys.exit('no room')"]
    with pytest.raises(smoke.SmokeError, match="exits with 1, and says last: no room"):
        smoke.called(command, tmp_path, smoke.clean_environment(tmp_path))


def test_images_that_are_none_are_told(tmp_path):
    (tmp_path / "0.png").write_bytes(b"GIF89a")
    with pytest.raises(smoke.SmokeError, match="is no PNG"):
        smoke.images(tmp_path, count=1)
    with pytest.raises(smoke.SmokeError, match="1 images instead of 2"):
        smoke.images(tmp_path, count=2)


def test_every_target_says_what_it_does_and_is_no_file():
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)[1]
    assert set(phony.split()) == set(targets())
    assert all(targets().values())
