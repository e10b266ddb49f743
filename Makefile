# `make` sets up and runs everything; `make help` lists the rest.
.DEFAULT_GOAL := run
SHELL := /bin/bash
# Brought where there is no uv.
UV_VERSION := 0.13.9
PYTEST := OMP_NUM_THREADS=1 python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: run
run: setup ## set up, then run the whole pipeline (the default)
	@if python stages/download.py --check; then \
	  spoken-digits run; \
	else status=$$?; [ $$status -eq 3 ] || exit $$status; \
	  echo "The corpus of params.yaml is not in reach from here: running on synthetic speech instead."; \
	  echo "Every figure and picture of this run says so; params.yaml is left as it is."; \
	  kept=$$(mktemp) && cp params.yaml $$kept && trap 'cp '$$kept' params.yaml; rm '$$kept EXIT; \
	  dvc exp run -S corpus.name=synthetic; \
	fi
	@echo "Figures: dvc metrics show    Pictures: dvc plots show    Compare: dvc metrics diff"

.PHONY: test
test: lint ## run lint, type checks and the tests
	$(PYTEST)

.PHONY: lint
lint: setup ## run ruff and mypy
	ruff check .
	ruff format --check .
	mypy

.PHONY: test-all
test-all: setup ## run all tests, including the slow ones that `make test` leaves out
	$(PYTEST) -m "exhaustive or not exhaustive"

.PHONY: setup
setup: .venv/.complete ## create .venv from requirements.txt

.venv/.complete: requirements.txt pyproject.toml
	@rm -f $@
	@if command -v uv > /dev/null; then \
	  uv venv --quiet --allow-existing .venv; \
	else \
	  python3 -m venv .venv && .venv/bin/pip install --quiet uv==$(UV_VERSION); \
	fi
	@# Compile once here: if Python cannot write its caches, every stage would compile PyTorch again.
	uv pip install --quiet --python .venv --compile-bytecode --require-hashes -r requirements.txt
	uv pip install --quiet --python .venv --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: crossval
crossval: setup ## train the studied models with several seeds and on unseen speakers, one stage per core
	spoken-digits run
	spoken-digits run --studies

.PHONY: ablation
ablation: setup ## train `micro` without each step of its augmentation on inner folds, one stage per core: 2 hours and more
	spoken-digits run --ablation

.PHONY: verify
verify: setup ## compare outputs and cache with dvc.lock, then run all stages again in a clone and compare
	python stages/verify.py

.PHONY: record
record: setup ## run the pipeline and record which machine ran it
	dvc repro
	python stages/verify.py --write-record

.PHONY: results
results: setup ## make docs/results.md, the model cards and the tables in README and docs/ from the committed metrics
	python stages/report.py

.PHONY: page
page: setup ## make report.html, one page about all recorded models that opens offline
	python stages/report_page.py

.PHONY: tour
tour: setup ## make docs/tour/README.md and its pictures from docs/tour/tour.py and the trained `tiny`
	python docs/make_tour.py

.PHONY: demo
demo: setup ## make and serve export/demo.html, which listens in a browser with every integer model
	spoken-digits demo

.PHONY: benchmark
benchmark: setup ## measure speed relative to the reference, into benchmarks/results.json
	python benchmarks/run.py
	python benchmarks/quantizers.py
	python stages/report.py

.PHONY: mutation
mutation: setup ## plant small faults in the numeric core and count those that tests notice, into benchmarks/mutation.json: 15 minutes
	nice -n 15 python benchmarks/mutation.py

.PHONY: audiomnist
audiomnist: setup ## run at AudioMNIST's full size on synthetic speech, in a clone beside this one: 10 GB, 40 minutes with bfloat16, 2 hours without
	python benchmarks/audiomnist.py --folder ../spoken-digits-audiomnist
	python stages/report.py

.PHONY: prove firmware-test
prove: setup ## prove that NumPy and C agree bit for bit on every clip, compiler and emulated processor
	python stages/prove.py
	python stages/prove_streams.py tiny_open int8
firmware-test: prove

.PHONY: fuzz
fuzz: setup ## fuzz every integer model in C with samples and blocks, 10 minutes each
	python stages/prove.py --fuzz 600

.PHONY: format
format: setup ## format all code
	ruff check --fix .
	ruff format .

.PHONY: sbom
sbom: setup ## list the dependencies and their licences, also as CycloneDX, in build/
	python .ci/sbom.py

.PHONY: requirements
requirements: ## pin all dependencies again in requirements.txt, with hashes
	uv pip compile --quiet --universal --generate-hashes --python-version 3.10 --all-extras --group dev \
	  --no-annotate --no-emit-index-url --custom-compile-command "make requirements" \
	  --upgrade pyproject.toml -o requirements.txt

.PHONY: clean
clean: ## remove the files of a run, except DVC's cache
	rm -rf .fuzz data/raw data/features data/split.csv models export .resume dvc_plots report.html plots/report.html

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22
