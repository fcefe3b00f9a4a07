# Everything a newcomer needs. `make demo` and `make test` do their own set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= logical --maxprocesses 4
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile
READY := $(VENV)/.ready
LESSON := $(VENV)/.lesson
LAB := $(VENV)/.lab
BROWSER := $(VENV)/.browser
TRACKERS := $(VENV)/.trackers
CLUSTER := $(VENV)/.cluster
RUNS ?= runs

.PHONY: demo test test-notebooks test-browser test-trackers test-cluster test-all coverage lint check format bench figures notebooks lab studio site wheel release-check clean

demo: $(READY)  ## train on the built-in digits for a minute and leave images in demo/
	rm -rf demo
	$(BIN)/ganvas demo --out demo

test: $(LESSON)  ## run the tests; WORKERS=0 runs them in one process
	$(PYTEST)

test-notebooks: $(LESSON)  ## run every notebook on small budgets
	$(PYTEST) --dist worksteal -m notebooks

test-browser: $(BROWSER)  ## test the studio in Chromium, which must be installed
	$(PYTEST) --dist load -m browser tests/studio/test_browser.py

test-trackers: $(TRACKERS)  ## test TensorBoard, MLflow and Weights & Biases
	$(BIN)/python -m pytest tests/integrations/test_trackers.py

test-cluster: $(CLUSTER)  ## test jobs on Slurm, Ray and two machines in one, as root on Debian
	$(BIN)/python -m pytest -m cluster tests/cluster

test-all: $(LESSON)  ## run the tests, every combination of the catalogues, and the notebooks
	$(PYTEST) -m "" --hypothesis-profile=full

coverage: $(LESSON)  ## run the tests, or ONLY=FILES, and report which lines and branches they reach
	$(PYTEST) $(ONLY) --cov --cov-report=term-missing

lint: $(READY)  ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test  ## format, lint, types and tests: what must pass before a commit

format: $(READY)  ## put everything into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)  ## the short benchmarks; the long ones are named in benchmarks/README.md
	$(BIN)/python benchmarks/throughput.py
	$(BIN)/python benchmarks/preparation.py

figures: $(READY)  ## make benchmarks/RESULTS.md anew from the stored results
	$(BIN)/python benchmarks/figures.py

notebooks: $(LESSON)  ## run the lesson's notebooks, or ONLY=NAME, and write their pages in docs/lesson
	$(BIN)/python tools/notebooks.py run $(ONLY)

lab: $(LAB)  ## open copies of the lesson's notebooks in JupyterLab; they stay in lab/
	mkdir -p lab
	for name in notebooks/*.ipynb; do test -e lab/$${name##*/} || cp $$name lab/; done
	$(BIN)/jupyter lab --notebook-dir=lab --LabApp.news_url=None --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate

studio: $(READY)  ## open the studio over the runs of RUNS, in the browser
	mkdir -p $(RUNS)
	$(BIN)/ganvas studio --workspace $(RUNS)

site: $(LESSON)  ## build the documentation: open site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

wheel: $(READY)  ## build dist/, and try the wheel in a virtual environment of its own
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/python tools/smoke.py

release-check: $(READY)  ## check that changelog, citation and TAG, if given, name the same version
	$(BIN)/python tools/release.py $(if $(TAG),"$$TAG")

clean:  ## remove what make made
	rm -rf $(VENV) demo site dist build .coverage .mypy_cache .ruff_cache .pytest_cache

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check torch  # CUDA's libraries, which its CPU build does without
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(LESSON): $(READY) requirements-lesson.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-lesson.lock
	touch $@

$(BROWSER): $(READY) requirements-browser.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-browser.lock
	touch $(BROWSER)

$(TRACKERS): $(LESSON) requirements-trackers.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-trackers.lock
	touch $(TRACKERS)

$(CLUSTER): $(TRACKERS) requirements-cluster.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-cluster.lock
	touch $(CLUSTER)

$(LAB): $(LESSON) requirements-lab.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-lab.lock
	touch $@
