# `make help` lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO ?= cargo
# Programs that only tests use live here, so that nothing outside this folder changes.
TOOLS := $(CURDIR)/.tools
export PATH := $(TOOLS):$(PATH)
KUSTOMIZE_VERSION := v5.8.2
HELM_VERSION := v4.3.1
KREW_VERSION := v0.4.3
ACTIONLINT_VERSION := v1.7.12
ZIZMOR_VERSION := 1.32.0
FUZZ_SECONDS ?= 600
FUZZ_TARGETS := template forward expose policy claims
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
# The most bytes the policy's module may have.
WASM_BYTES := 1215000
WASM_SOURCES := Cargo.toml Cargo.lock policy/Cargo.toml admission/Cargo.toml policy/build $(shell find src admission/src policy/src policy/examples -name '*.rs')

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z][a-zA-Z0-9_.-]*:.*## / { printf "  %-21s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Render the example: the main job
	@$(CARGO) run -q -p xposer-cli -- render examples/forecastle.yaml

.PHONY: build
build: ## Build the command line: target/release/xposer
	$(CARGO) build --release --locked -p xposer-cli

policy.wasm: $(WASM_SOURCES) ## Build the policy's module
	policy/build xposer-policy $@

annotated-policy.wasm: policy.wasm metadata.yml policy/README.md ## Add the metadata to the module; needs kwctl
	kwctl annotate --metadata-path metadata.yml --usage-path policy/README.md --output-path $@ policy.wasm

.PHONY: test
test: tools policy.wasm ## Run all tests except those that need a cluster
	$(CARGO) test --workspace --all-features --locked
	@# The first line of results counts these as ignored.
	CARGO="$(CARGO)" POLICY_WASM=$(CURDIR)/policy.wasm testkit/run-ignored

.PHONY: e2e-tests
e2e-tests: policy.wasm ## Run e2e.bats with kwctl, with KWCTL=program, or with the program of the test kit in its place
	@if [ -z "$${KWCTL:-}" ] && command -v kwctl >/dev/null; then $(MAKE) --no-print-directory annotated-policy.wasm; fi
	@# Built as `make test` builds it, or everything would be compiled once more with other features.
	@$(CARGO) test -q --workspace --all-features --locked --no-run
	@if testkit/need bats jq; then bats e2e.bats; else echo "skipped: no bats or jq, so e2e.bats did not run"; fi

.PHONY: hook-tests
hook-tests: ## Test the pre-commit hook and the GitHub Action
	@$(CARGO) test -q --workspace --all-features --locked --no-run
	@if testkit/need bats jq curl pre-commit; then bats tests/hooks.bats; else echo "skipped: no bats, jq, curl or pre-commit"; fi

.PHONY: registry-tests
registry-tests: ## Push the policy to a registry on this machine, pull and run it; needs kwctl
	@if ! command -v kwctl >/dev/null; then \
		echo "skipped: no kwctl"; \
	elif ! testkit/need bats jq curl docker-registry; then \
		echo "skipped: no bats, jq, curl or docker-registry"; \
	else \
		$(MAKE) --no-print-directory annotated-policy.wasm && bats tests/registry.bats; \
	fi

.PHONY: push
push: annotated-policy.wasm ## Push the policy to REGISTRY, for example REGISTRY=registry.example.com/policies; needs kwctl
	@[ -n "$(REGISTRY)" ] || { echo "name the registry: make push REGISTRY=registry.example.com/policies"; exit 2; }
	kwctl push annotated-policy.wasm registry://$(REGISTRY)/xposer:v$(VERSION)

.PHONY: cluster-up
cluster-up: ## Start an API server with its garbage collector and etcd on this machine; needs Go
	@cluster/up || [ $$? = 3 ]

.PHONY: cluster-down
cluster-down: ## Stop it, and remove its files
	@cluster/down

.PHONY: cluster-tests
cluster-tests: ## Test the programs that start, disturb and stop the cluster and the chain; needs Go
	@status=0; cluster/build || status=$$?; \
	if [ $$status = 3 ]; then \
		true; \
	elif [ $$status != 0 ]; then \
		exit $$status; \
	elif ! testkit/need bats jq curl openssl; then \
		echo "skipped: no bats, jq, curl or openssl"; \
	else \
		bats tests/cluster.bats tests/chain.bats; \
	fi

.PHONY: verify-objects
verify-objects: ## Send every object of the cases and the cookbook to a real API server, and to ingress-nginx's code; needs Go
	@chain/build ingress-nginx-annotations && \
		cluster/with $(CARGO) test --workspace --all-features --locked --test e2e -- --ignored --test-threads=1 --nocapture \
			accepted_objects:: option_annotations:: || \
		[ $$? = 3 ]

.PHONY: e2e-cluster
e2e-cluster: policy.wasm ## Run the tests of the controller and of kubectl xposer on a real API server, or on the cluster of E2E_KUBECONFIG; needs Go
	@# The tests of kubectl xposer are run also if one of the controller's fails.
	@cluster/with $(CARGO) test --workspace --all-features --locked --no-fail-fast --test e2e -- --ignored --test-threads=1 --nocapture \
		--skip accepted_objects:: --skip option_annotations:: --skip soak:: \
		$(if $(E2E_KUBECONFIG),--skip cluster_failures::) $(E2E_ARGS)

.PHONY: soak
soak: ## Make random changes and failures on a separate cluster for an hour, or for SOAK_MINUTES; needs Go
	@cluster/with $(CARGO) test --workspace --all-features --locked --test e2e -- --ignored --test-threads=1 --nocapture soak::

.PHONY: e2e-chain
e2e-chain: ## Run the tests with real proxies, DNS and certificates, in separate namespaces; needs Go, and root or user namespaces
	@$(CARGO) build --release --locked -p xposer-controller
	@# There is no network inside of the chain.
	@$(CARGO) test --workspace --all-features --locked --test chain --no-run
	@chain/with $(CARGO) test --workspace --all-features --locked --offline --test chain -- --ignored --test-threads=1 --nocapture $(CHAIN_ARGS)

.PHONY: chain-traefik
chain-traefik: ## The same with Traefik, which takes as long to compile as all other programs together
	@chain/build traefik || [ $$? = 3 ]
	@$(MAKE) --no-print-directory e2e-chain

.PHONY: chain-up
chain-up: ## Start the same programs by hand, with an exposed example
	@chain/up

.PHONY: chain-down
chain-down: ## Stop it, and remove its files
	@chain/down

.PHONY: bench-cluster
bench-cluster: ## Measure the controller on a real API server, or on the cluster of E2E_KUBECONFIG; needs Go (SCALE='--claims 1000')
	@$(CARGO) build --release -p xposer-controller --locked
	@cluster/with $(CARGO) run --release -p xposer-controller --locked --example scale -- $(SCALE)

.PHONY: size
size: policy.wasm ## Print the size of the module, and fail if it is over the budget
	@bytes=$$(wc -c <policy.wasm); \
	echo "policy.wasm: $$bytes bytes of $(WASM_BYTES)"; \
	[ "$$bytes" -le $(WASM_BYTES) ]

.PHONY: reproducible
reproducible: policy.wasm ## Build the module again in another folder, and fail if it is not the same
	@copy=$$(mktemp -d) && trap 'rm -rf "$$copy"' EXIT && \
	cp -r --parents $$(git ls-files Cargo.toml Cargo.lock src policy admission/Cargo.toml admission/src webhook/Cargo.toml webhook/src manifest/Cargo.toml manifest/src import/Cargo.toml import/src report/Cargo.toml report/src report/assets report/templates cli/Cargo.toml cli/src live/Cargo.toml live/src controller/Cargo.toml controller/src kubectl/Cargo.toml kubectl/src testkit chain benches README.md) "$$copy" && \
	CARGO_TARGET_DIR="$$copy/target" "$$copy/policy/build" xposer-policy "$$copy/policy.wasm" && \
	cmp policy.wasm "$$copy/policy.wasm" && echo "the same bytes twice"

.PHONY: tools
tools: ## Install the programs of some tests: kustomize, helm and linters; needs Go and Python
	@mkdir -p $(TOOLS)
	@install() { \
		if command -v "$$1" >/dev/null; then \
			true; \
		elif ! command -v go >/dev/null; then \
			echo "skipped: no Go, so no $$1; the tests that use it stay ignored"; \
		elif ! GOBIN=$(TOOLS) GOFLAGS=-mod=mod go install "$$2"; then \
			echo "skipped: $$2 could not be installed; the tests that use it stay ignored"; \
		fi; \
	}; \
	install kustomize sigs.k8s.io/kustomize/kustomize/v5@$(KUSTOMIZE_VERSION); \
	install helm helm.sh/helm/v4/cmd/helm@$(HELM_VERSION); \
	install validate-krew-manifest sigs.k8s.io/krew/cmd/validate-krew-manifest@$(KREW_VERSION); \
	install actionlint github.com/rhysd/actionlint/cmd/actionlint@$(ACTIONLINT_VERSION)
	@if command -v zizmor >/dev/null || [ -x $(TOOLS)/python/bin/zizmor ]; then \
		true; \
	elif ! python3 -m venv $(TOOLS)/python >/dev/null 2>&1; then \
		rm -rf $(TOOLS)/python; \
		echo "skipped: no Python with venv, so no zizmor"; \
	elif ! $(TOOLS)/python/bin/pip install -q --disable-pip-version-check zizmor==$(ZIZMOR_VERSION); then \
		echo "skipped: zizmor could not be installed"; \
	fi

.PHONY: release-check
release-check: tools ## Check the names, the chart, the manifest for krew and the workflows of a release
	@if command -v jq >/dev/null || testkit/need jq; then release/check; else echo "skipped: no jq, so the files of a release are not checked"; fi

.PHONY: release-dry-run
release-dry-run: ## Do all steps of a release that need no account, in target/release-dry-run
	release/dry-run

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
bless: ## Write the golden files again; read the difference before you commit it
	BLESS=1 $(CARGO) test --workspace --all-features --locked -q
	CARGO="$(CARGO)" BLESS=1 testkit/run-ignored -q
	git status --short tests cli/tests docs/reference questions-ui.yml artifacthub-pkg.yml

.PHONY: docs
docs: ## Write the reference pages again from the tables
	BLESS=1 $(CARGO) test -p xposer-testkit --locked -q reference
	git status --short docs/reference

.PHONY: bench
bench: build policy.wasm ## Run the benchmarks and print the ratios
	$(CARGO) bench --locked --bench core
	policy/build noop target/noop.wasm
	$(CARGO) run --profile ratios --locked -q -p xposer-testkit --bin ratios

.PHONY: fuzz
fuzz: ## Fuzz every target for FUZZ_SECONDS (default 600) each; needs nightly Rust and cargo-fuzz
	@command -v cargo-fuzz >/dev/null || { echo "skipped: no cargo-fuzz (cargo install cargo-fuzz)"; exit 1; }
	cd fuzz && for target in $(FUZZ_TARGETS); do \
		mkdir -p corpus/$$target && \
		cargo +nightly fuzz run $$target corpus/$$target seeds/$$target -- \
			-max_total_time=$(FUZZ_SECONDS) -dict=dictionary.txt -max_len=4000 -print_final_stats=1 || exit 1; \
	done

.PHONY: fuzz-seeds
fuzz-seeds: ## Run every fuzz target on its seeds, without fuzzing: needs a C++ compiler, and no nightly Rust
	@if ! command -v c++ >/dev/null; then \
		echo "skipped: no C++ compiler, so the fuzz targets were not run on their seeds"; \
	else \
		cd fuzz && mkdir -p target && for target in $(FUZZ_TARGETS); do \
			$(CARGO) run -q --locked --target-dir target/seeds --bin $$target -- seeds/$$target/* >target/seeds.log 2>&1 || \
				{ cat target/seeds.log; exit 1; }; \
			echo "$$target: $$(ls seeds/$$target | wc -l) seeds"; \
		done; \
	fi

.PHONY: clean
clean: ## Remove all build results
	chain/down
	cluster/down
	$(CARGO) clean
	rm -rf $(TOOLS) fuzz/target fuzz/corpus fuzz/artifacts policy.wasm annotated-policy.wasm
