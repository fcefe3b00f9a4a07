"""What `ganvas launch` writes and refuses; that engines execute it: tests/cluster."""

import ast
import os
import subprocess

import pytest
import yaml

from ganvas.launch import ENGINES

NAMES = {"torchrun": "torchrun.sh", "slurm": "ganvas.sbatch", "ray": "ray_job.py"}
NAMES["azureml"] = "azureml.yaml"


@pytest.fixture
def launch(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def call(engine, *words):
        return run("launch", engine, *words)

    return call


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_writes_a_job_that_goes_on_when_it_is_handed_in_again(
    engine, launch, tmp_path
):
    own = ("--compute", "big") if "compute" in ENGINES[engine].uses else ()
    options = ("--nodes", 2, "--gpus", 4, *own)
    status, said, errors = launch(engine, *options, "--", "train", "my images", "--out", "it's")
    assert (status, errors) == (0, "")
    content = (tmp_path / NAMES[engine]).read_text()
    assert "8 processes" in said
    assert "--requeue" in content
    assert "ganvas" in content
    again, _, _ = launch(engine, *options, "--", "train", "my images", "--resume", "--out", "it's")
    assert again == 0
    assert "--requeue" not in (tmp_path / NAMES[engine]).read_text().replace("SBATCH --requeue", "")


@pytest.mark.parametrize("engine", ["torchrun", "slurm"])
def test_scripts_are_scripts_whatever_the_names(engine, launch, tmp_path):
    words = ("--", "train", "a 'b' $c", "--out", "d;e", "--only", "*.png")
    assert launch(engine, *words)[0] == 0
    shell = "bash" if engine == "slurm" else "sh"
    done = subprocess.run([shell, "-n", NAMES[engine]], cwd=tmp_path, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_what_the_shell_is_given_arrives_word_by_word(launch, tmp_path):
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    python.chmod(0o755)
    words = ("--", "train", "a 'b' $c", "--out", "d;e", "--only", "*.png")
    assert launch("torchrun", "--processes", 2, "--python", python, *words)[0] == 0
    done = subprocess.run(["sh", "torchrun.sh"], cwd=tmp_path, capture_output=True, text=True)
    said = done.stdout.splitlines()
    assert said[-7:] == ["train", "a 'b' $c", "--out", "d;e", "--only", "*.png", "--requeue"]


def test_rays_script_is_python_with_the_words_of_the_command(launch, tmp_path):
    assert launch("ray", "--gpus", 2, "--", "train", "a 'b'", "--out", "c")[0] == 0
    tree = ast.parse((tmp_path / "ray_job.py").read_text())
    (value,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "ARGUMENTS"
    )
    assert ast.literal_eval(value) == ["train", "a 'b'", "--out", "c", "--requeue"]


def test_azures_images_and_results_lie_in_a_datastore(launch, tmp_path):
    store = "azureml://datastores/mine/paths"
    places = ("--data", f"{store}/in", "--results", f"{store}/out", "--compute", "big")
    assert launch("azureml", *places, "--", "train", "pictures/", "--out", "r")[0] == 0
    job = yaml.safe_load((tmp_path / "azureml.yaml").read_text())
    assert job["inputs"]["images"]["path"] == f"{store}/in"
    assert job["outputs"]["run"]["path"] == f"{store}/out"
    assert "train ${{inputs.images}} --out ${{outputs.run}}" in job["command"]
    assert launch("azureml", "--compute", "big", "--", "train", "digits")[0] == 0
    job = yaml.safe_load((tmp_path / "azureml.yaml").read_text())
    assert "inputs" not in job
    assert job["command"].startswith("python -m ganvas train digits --requeue --out ${{outputs")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("slrm", "--", "train", "digits"), "did you mean 'slurm'"),
        (("slurm", "--", "sample", "run"), "ganvas launch runs ganvas train"),
        (("azureml", "--", "train", "digits"), "--compute NAME"),
        (("slurm", "--", "sweep", "digits"), "call ganvas sweep with the same --out"),
        (("azureml", "--compute", "a", "--", "sweep", "digits"), "--param"),
        (("slurm", "--name", "a b", "--", "train", "digits"), "letters, digits"),
        (("slurm", "--time", "long", "--", "train", "digits"), "--time"),
        (("torchrun", "--time", "4h", "--", "train", "digits"), "--time is for slurm and azureml"),
        (("ray", "--data", "azureml://x", "--", "train", "x"), "--data is for azureml"),
        (("slurm", "--", "train", "digits", "--dry-run"), "--dry-run"),
        (("slurm", "--gpus", 4, "--processes", 3, "--", "train", "digits"), "must divide"),
        (("torchrun", "--", "train", "digits", "--width", "-4"), "width"),
        (
            ("slurm", "--", "train", "digits", "--model", "vae", "--lr-g", "1"),
            "no setting called 'lr_g'",
        ),
        (("slurm", "--", "train", "digits", "-o", "game.lr_q=1"), "lr_q"),
        (("slurm", "--to", "none/job", "--", "train", "digits"), "there is no folder"),
    ],
)
def test_jobs_that_cannot_be_are_refused_in_one_sentence(words, said, launch, tmp_path):
    status, _, errors = launch(*words)
    assert (status, errors.count("\n")) == (1, 1)
    assert said in errors
    assert not list(tmp_path.glob("*.*"))


def test_options_that_train_does_not_have_are_refused_when_the_job_is_written(launch, tmp_path):
    status, _, errors = launch("slurm", "--", "train", "digits", "--sise", "64")
    assert status == 2
    assert "--sise" in errors
    assert not list(tmp_path.iterdir())


def test_a_file_of_another_is_not_overwritten(launch, tmp_path):
    (tmp_path / "ganvas.sbatch").write_text("mine")
    status, _, errors = launch("slurm", "--", "train", "digits")
    assert (status, "choose another --to" in errors) == (1, True)
    assert (tmp_path / "ganvas.sbatch").read_text() == "mine"


def client(folder, name, script):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_client_is_given_the_job_and_what_it_says_is_passed_on(launch, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "none"))
    status, _, errors = launch("slurm", "--submit", "--", "train", "digits")
    assert status == 1
    assert "sbatch is not installed here" in errors
    assert (tmp_path / "ganvas.sbatch").exists()
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/bin{os.pathsep}/usr/bin")
    client(tmp_path / "bin", "sbatch", 'echo "Submitted batch job 7"; test -f "$1"')
    status, said, _ = launch("slurm", "--submit", "--", "train", "digits")
    assert (status, said.splitlines()[-1]) == (0, "Submitted batch job 7")
    client(tmp_path / "bin", "az", 'echo "Please run az login" >&2; exit 1')
    words = ("--compute", "big", "--submit", "--", "train", "digits")
    status, _, errors = launch("azureml", *words)
    assert (status, errors.count("\n")) == (1, 1)
    assert "az did not take the job: Please run az login" in errors
