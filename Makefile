# `make help` lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO ?= cargo
# Programs that only tests use live here, so that nothing outside this folder changes.
TOOLS := $(CURDIR)/.tools
export PATH := $(TOOLS):$(PATH)
KUSTOMIZE_VERSION := v5.8.2
FUZZ_SECONDS ?= 600
FUZZ_TARGETS := template forward expose

.PHONY: help
help: ## Say what every target does
	@awk -F ':.*## ' '/^[a-z][a-zA-Z0-9_.-]*:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Render the example: the main job
	@$(CARGO) run -q -p xposer-cli -- render examples/forecastle.yaml

.PHONY: build
build: ## Build the command line: target/release/xposer
	$(CARGO) build --release --locked -p xposer-cli

.PHONY: test
test: tools ## Run every test
	$(CARGO) test --workspace --all-features --locked

.PHONY: tools
tools: ## Install what some tests can use: kustomize, where Go can be had
	@mkdir -p $(TOOLS)
	@if command -v kustomize >/dev/null; then \
		true; \
	elif ! command -v go >/dev/null; then \
		echo "skipped: no Go, so no kustomize; the tests that use it say so too"; \
	elif ! GOBIN=$(TOOLS) GOFLAGS=-mod=mod go install sigs.k8s.io/kustomize/kustomize/v5@$(KUSTOMIZE_VERSION); then \
		echo "skipped: kustomize $(KUSTOMIZE_VERSION) could not be installed; the tests that use it say so too"; \
	fi

.PHONY: lint
lint: ## Check format, lints, documentation and dependencies
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --all-features --locked -- -D warnings
	K8S_OPENAPI_ENABLED_VERSION=1.36 RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --all-features --no-deps --locked -q
	@if command -v cargo-deny >/dev/null; then \
		$(CARGO) deny --all-features check bans licenses sources; \
	else \
		echo "skipped: no cargo-deny (cargo install cargo-deny)"; \
	fi

.PHONY: fmt
fmt: ## Format the code
	$(CARGO) fmt --all

.PHONY: bless
bless: ## Write the golden files anew; read the difference before you commit it
	BLESS=1 $(CARGO) test --workspace --all-features --locked -q
	git status --short tests cli/tests docs/reference

.PHONY: docs
docs: ## Write the reference pages anew from the tables
	BLESS=1 $(CARGO) test -p xposer-testkit --locked -q reference
	git status --short docs/reference

.PHONY: bench
bench: build ## Run the benchmarks and print the ratios
	$(CARGO) bench --locked --bench core
	$(CARGO) run --release --locked -q -p xposer-testkit --bin ratios

.PHONY: fuzz
fuzz: ## Fuzz every target for FUZZ_SECONDS (default 600) each; needs nightly Rust and cargo-fuzz
	@command -v cargo-fuzz >/dev/null || { echo "skipped: no cargo-fuzz (cargo install cargo-fuzz)"; exit 1; }
	cd fuzz && for target in $(FUZZ_TARGETS); do \
		mkdir -p corpus/$$target && \
		cargo +nightly fuzz run $$target corpus/$$target seeds/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -dict=dictionary.txt -max_len=4000 -print_final_stats=1 || exit 1; \
	done

.PHONY: clean
clean: ## Remove everything that was built
	$(CARGO) clean
	rm -rf $(TOOLS) fuzz/target fuzz/corpus fuzz/artifacts
