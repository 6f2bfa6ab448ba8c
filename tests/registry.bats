#!/usr/bin/env bats
# Tests the policy with a real OCI registry on this machine: pushes it, pulls it and runs it. Needs kwctl, jq and docker-registry.

bats_require_minimum_version 1.5.0

setup_file() {
    cd "$BATS_TEST_DIRNAME/.."
    export XDG_CACHE_HOME="$BATS_FILE_TMPDIR/cache" XDG_CONFIG_HOME="$BATS_FILE_TMPDIR/config" \
        XDG_DATA_HOME="$BATS_FILE_TMPDIR/data"
    export SOURCES="$BATS_FILE_TMPDIR/sources.yaml"
    start_registry
    VERSION=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
    export REFERENCE="$REGISTRY/xposer:v$VERSION"
}

# Starts the registry, with another port if the first one is in use.
start_registry() {
    local port
    for _ in {1..5}; do
        port=$((20000 + RANDOM % 20000))
        printf '%s\n' 'version: 0.1' 'log: {level: error}' "storage: {filesystem: {rootdirectory: $BATS_FILE_TMPDIR/registry}}" \
            "http: {addr: '127.0.0.1:$port'}" >"$BATS_FILE_TMPDIR/registry.yml"
        docker-registry serve "$BATS_FILE_TMPDIR/registry.yml" >"$BATS_FILE_TMPDIR/registry.log" 2>&1 3>&- &
        echo $! >"$BATS_FILE_TMPDIR/registry.pid"
        for _ in {1..50}; do
            if curl -fsS "http://127.0.0.1:$port/v2/" >/dev/null 2>&1; then
                export REGISTRY="localhost:$port/policies"
                echo "insecure_sources: ['localhost:$port']" >"$SOURCES"
                return
            fi
            kill -0 "$(cat "$BATS_FILE_TMPDIR/registry.pid")" 2>/dev/null || break
            sleep 0.1
        done
    done
    cat "$BATS_FILE_TMPDIR/registry.log"
    return 1
}

teardown_file() {
    kill "$(cat "$BATS_FILE_TMPDIR/registry.pid")"
}

@test "the annotated module is pushed" {
    run --separate-stderr kwctl push -o json --sources-path "$SOURCES" annotated-policy.wasm "registry://$REFERENCE"
    echo "$output $stderr"
    [ "$status" -eq 0 ]
    [[ "$(jq -r .immutable_ref <<<"$output")" == "$REGISTRY/xposer@sha256:"* ]]
}

@test "what is pulled is what was pushed" {
    run kwctl pull --sources-path "$SOURCES" -o "$BATS_TEST_TMPDIR/pulled.wasm" "registry://$REFERENCE"
    echo "$output"
    [ "$status" -eq 0 ]
    cmp annotated-policy.wasm "$BATS_TEST_TMPDIR/pulled.wasm"
}

@test "the pulled policy answers" {
    kwctl pull --sources-path "$SOURCES" "registry://$REFERENCE"
    run --separate-stderr kwctl run --sources-path "$SOURCES" --request-path tests/admission/service.json "registry://$REFERENCE"
    echo "$output $stderr"
    [ "$status" -eq 0 ]
    [ "$(jq .allowed <<<"$output")" = true ]
    jq -r .patch <<<"$output" | base64 -d | jq -e 'any(.value == "http://forecastle.company.com")'
}

@test "the image has the annotations of the metadata" {
    run curl -fsS -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://${REGISTRY%/policies}/v2/policies/xposer/manifests/${REFERENCE##*:}"
    echo "$output"
    [ "$(jq -r '.annotations["io.kubewarden.policy.title"]' <<<"$output")" = xposer ]
    [ "$(jq -r '.annotations["org.opencontainers.image.source"] // .annotations["io.kubewarden.policy.source"]' <<<"$output")" != null ]
}
