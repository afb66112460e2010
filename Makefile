# The single door. Every target sets up what it needs in .venv by itself.
PYTHON ?= python3
VENV   := .venv
KERNEL := kernel/CMakeLists.txt $(wildcard kernel/install/* kernel/src/*)
BIN    := $(VENV)/bin

# PIP_CONSTRAINT also pins the build backend.
define install
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing ionbox$(1) into $(VENV) ..."
	@PIP_CONSTRAINT=requirements.lock PIP_DISABLE_PIP_VERSION_CHECK=1 \
		$(BIN)/pip install --quiet --editable '.$(1)'
	@touch $@
endef

.PHONY: demo serve test chaos chaos-short test-kernel test-clients test-schema coverage lint format \
	bench bench-simulation bench-noise soak-bad-requests docs lock clean

demo: $(VENV)/ready       ## run the notebook's job against a server of its own
	@$(BIN)/ionbox demo

serve: $(VENV)/ready      ## serve the API at http://127.0.0.1:8000
	@$(BIN)/ionbox serve

test: $(VENV)/ready-test  ## all tests that need no more than Python
	@$(BIN)/pytest -n auto

chaos: $(VENV)/ready-test  ## 10,000 jobs while the server and its workers are killed, and a full disk
	@$(BIN)/python -m tests.chaos.lottery --jobs 10000
	@$(BIN)/python -m tests.chaos.disk_full

chaos-short: $(VENV)/ready-test  ## the same in 90 seconds
	@$(BIN)/python -m tests.chaos.lottery --seconds 45
	@$(BIN)/python -m tests.chaos.disk_full

test-kernel:              ## the C++ kernel, plain and under sanitizers (wants CMake)
	@set -e; for sanitize in "" address,undefined thread; do \
		tests=build/kernel-tests/$${sanitize:-plain}; \
		cmake -S kernel -B "$$tests" -DIONBOX_KERNEL_TESTS=ON "-DIONBOX_SANITIZE=$$sanitize" >/dev/null; \
		cmake --build "$$tests" --parallel 2 >/dev/null; \
		echo "--- $${sanitize:-plain}"; "$$tests/tests/kernel_tests"; \
	done

test-clients: $(VENV)/ready-test  ## the released clients, each in an environment of its own
	@$(BIN)/python -m tests.clients.run

test-schema: $(VENV)/ready-test  ## what our own and the official OpenAPI documents promise
	@$(BIN)/python -m tests.schema.run

coverage: $(VENV)/ready-test  ## branch coverage of the faces and the formats, at least 95 %
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -q -n auto
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report --include='*/ionbox/api/*,*/ionbox/formats/*' --fail-under=95

lint: $(VENV)/ready-lint $(VENV)/ready-test  ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/ready-lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/ready-bench  ## latency, throughput and JSON, beside Qiskit Aer and others
	$(BIN)/python -m benchmarks.service
	$(BIN)/python -m benchmarks.polling
	$(BIN)/python -m benchmarks.json_text

bench-simulation: $(VENV)/ready .venv-peers/ready  ## the kernel beside other engines, 30 minutes
	@$(BIN)/python -m benchmarks.simulation $(ARGUMENTS)

bench-noise: $(VENV)/ready .venv-peers/ready  ## noisy circuits on other engines, too, 20 minutes
	@$(BIN)/python -m benchmarks.noise $(ARGUMENTS)

soak-bad-requests: $(VENV)/ready-test  ## 100,000 bad requests: memory, log, and work after them
	@$(BIN)/python -m tests.soak.bad_requests $(ARGUMENTS)

docs: $(VENV)/ready-docs
	@$(BIN)/sphinx-build --fail-on-warning --quiet docs docs/_build
	@echo "The documentation is in docs/_build/index.html"

lock:  ## renew the exact versions
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet uv
	printf 'scikit-build-core\nnanobind\n' | $(BIN)/uv pip compile --quiet --universal --upgrade --all-extras \
		--no-emit-index-url --no-annotate --no-header --python-version 3.11 \
		pyproject.toml - -o requirements.lock

clean:
	git clean -qfdX kernel src/ionbox/_kernel
	rm -rf $(VENV) .venv-clients .venv-peers build docs/_build .mypy_cache .ruff_cache .pytest_cache

$(VENV)/ready: pyproject.toml requirements.lock $(KERNEL)
	$(call install,)

$(VENV)/ready-%: pyproject.toml requirements.lock $(KERNEL)
	$(call install,[$*])

# Exact versions of all, as pip froze them.
.venv-peers/ready: requirements-peers.txt
	@echo "Installing other engines into .venv-peers ..."
	@$(PYTHON) -m venv --clear .venv-peers
	@.venv-peers/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	@touch $@
