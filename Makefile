# Every command of the project. `make help` lists them.

CACHE ?= $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/privatelink-operator
DENY_VERSION := 0.20.2
DENY := $(CACHE)/tools/cargo-deny-$(DENY_VERSION)
TARGET := $(or $(CARGO_TARGET_DIR),target)
CHART := charts/privatelink-operator
PACKAGES := privatelink-core privatelink-sim privatelink-operator

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Tell a story with the real operator and a simulated cloud, until Ctrl-C; ARGS=--once ends by itself
	@tests/demo/run $(ARGS)

.PHONY: test
test: ## Run every test there is, installing what it needs
	tests/families.py

.PHONY: record-alerts
record-alerts: ## Record anew what the operator measures in the situations that alerts are about
	PRIVATELINK_RECORD_ALERTS=1 cargo test --workspace --locked --test it -- metrics_recorded

.PHONY: model-check
# One package, so that what walks is optimised and what does not walk is not built.
model-check: ## Play every scene of the model check whole, and a part in every world that can matter to it
	MODEL=whole cargo test --release -p privatelink-core --locked --test model

ROTATIONS ?= 100
.PHONY: soak
soak: ## Change keys under load for a quarter of an hour, or ROTATIONS times
	PRIVATELINK_SOAK_ROTATIONS=$(ROTATIONS) cargo test --workspace --locked --test it -- --nocapture rotation

.PHONY: check
check: ## Formatting, lints, generated files, licences and bans; all are tried, also when one fails
	@$(MAKE) --keep-going --no-print-directory check-format check-lints check-generated check-deny
	@echo "check: formatting, lints, generated files, licences and bans are in order"

.PHONY: check-format
check-format:
	cargo fmt --all --check
	@unformatted=$$(cd tests/controlplane && gofmt -l .); \
	  if [ -n "$$unformatted" ]; then echo "not formatted by gofmt: $$unformatted" >&2; exit 1; fi

# Each package alone too: what one needs it names itself, and never has it by another's features.
.PHONY: check-lints
check-lints:
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@set -e; for package in $(PACKAGES); do \
	  echo "cargo clippy -p $$package --all-targets --locked -- -D warnings"; \
	  cargo clippy -p $$package --all-targets --locked -- -D warnings; \
	done
	cd tests/controlplane && go vet ./...

.PHONY: check-generated
check-generated:
	cargo run --quiet --locked -- crds --output-dir crds --check
	cargo run --quiet --locked -- crds --output-dir $(CHART)/files/crds --check
	cargo run --quiet --locked -- docs --output-dir docs/reference --check
	deploy/generate --check

.PHONY: check-deny
check-deny: $(DENY)/bin/cargo-deny
	$(DENY)/bin/cargo-deny --locked check licenses bans sources

$(DENY)/bin/cargo-deny:
	cargo install cargo-deny --version $(DENY_VERSION) --locked --root $(DENY)

.PHONY: generate
generate: ## Write crds/, the chart's copy of them and docs/reference/ anew from the code, and deploy/ from the chart
	cargo run --quiet -- crds --output-dir crds
	cargo run --quiet -- crds --output-dir $(CHART)/files/crds
	cargo run --quiet -- docs --output-dir docs/reference
	deploy/generate

.PHONY: recordings
recordings: ## Write anew the objects whose health the tests read
	PRIVATELINK_RECORD=1 cargo test --workspace --locked --test it recorded

.PHONY: format
format: ## Format all code
	cargo fmt --all
	cd tests/controlplane && gofmt -w .

.PHONY: controlplane
controlplane: ## Build the tests' Kubernetes control plane into the cache
	tests/controlplane/build

.PHONY: image
image: ## Build the image twice, which has to give one digest, and test it; ARGS=--compile-twice compiles twice too
	deploy/image/build $(ARGS)

.PHONY: sim
sim: ## Run the simulated cloud with its built-in world; ARGS are handed on
	@cargo build --quiet --workspace --locked
	@$(TARGET)/debug/privatelink-sim $(ARGS)
