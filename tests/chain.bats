#!/usr/bin/env bats
# Tests the programs in chain/ with a separate chain. `make e2e-chain` has the tests that run in a chain.

bats_require_minimum_version 1.5.0

setup_file() {
    cd "$BATS_TEST_DIRNAME/.."
    export CHAIN_RUN="$BATS_FILE_TMPDIR/run"
    # The build of the Rust programs is not tested here.
    export CARGO=true
    chain/with true >"$BATS_FILE_TMPDIR/tried"
}

setup() {
    cd "$BATS_TEST_DIRNAME/.."
    ! grep -q '^skipped: ' "$BATS_FILE_TMPDIR/tried" || skip "$(cat "$BATS_FILE_TMPDIR/tried")"
}

teardown() {
    chain/down
}

# `within SECONDS COMMAND ...` repeats a command until it succeeds.
within() {
    local end=$((SECONDS + $1))
    until "${@:2}" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.05
    done
}

# `start COMMAND ...` starts a command in its own process group, as a terminal does, and sets `$group` to the id of the group.
# Ctrl-C works, although a shell ignores it for background processes.
start() {
    set -m
    env --default-signal=INT "$@" >"$BATS_TEST_TMPDIR/output" 2>&1 3>&- &
    group=$!
    set +m
}

# Sends Ctrl-C when a file of the run exists: then nothing runs any more, and the folder is removed.
is_interrupted_at() {
    start chain/up
    within 60 test -e "$CHAIN_RUN/$1"
    network=""
    [ ! -e "$CHAIN_RUN/holder.pid" ] || network=$(readlink "/proc/$(cat "$CHAIN_RUN/holder.pid")/ns/net")
    kill -INT -- "-$group"
    wait "$group" && return 1
    [ ! -e "$CHAIN_RUN" ]
    if [ -n "$network" ]; then
        for id in /proc/[0-9]*; do
            [ "$(readlink "$id/ns/net" 2>/dev/null)" != "$network" ]
        done
    fi
}

@test "Ctrl-C leaves nothing, whenever it comes" {
    for file in holder.log holder.pid cluster/etcd.pid cluster/apiserver.pid cluster/kubeconfig; do
        is_interrupted_at "$file"
    done
}

@test "two at once: the second one says so, and the first one is left alone" {
    start chain/with sh -c "touch $BATS_TEST_TMPDIR/begun; exec sleep 20"
    within 60 test -e "$BATS_TEST_TMPDIR/begun"
    for second in "up" "with true"; do
        # shellcheck disable=SC2086
        run chain/$second
        [ "$status" -eq 1 ]
        [ "${#lines[@]}" = 1 ]
        [ "$output" = "chain: another chain/up or chain/with is using $CHAIN_RUN; wait until it has ended, or set CHAIN_RUN to another folder" ]
    done
    chain/enter curl -sS --fail --cacert "$CHAIN_RUN/cluster/ca.crt" -K "$CHAIN_RUN/cluster/admin.curl" \
        "https://127.0.0.1:$(cat "$CHAIN_RUN/cluster/apiserver.port")/readyz"
    kill -TERM -- "-$group"
    wait "$group" && return 1
    [ ! -e "$CHAIN_RUN" ]
    # The folder is not locked any more.
    chain/with true
}

@test "what is missing is built, and nothing else" {
    file=$(find .tools/chain/crds/gateway-api -name '*tlsroutes.yaml')
    cp "$file" "$BATS_TEST_TMPDIR"
    run chain/build
    [ "$output" = "" ]
    before=$(stat -c '%n %Y' .tools/chain/bin/*)
    rm "$file"
    chain/build
    cmp "$file" "$BATS_TEST_TMPDIR/$(basename "$file")"
    [ "$(stat -c '%n %Y' .tools/chain/bin/*)" = "$before" ]
    # Comments do not cause a new build.
    run env -C "$BATS_TEST_TMPDIR" bash -c "
        mkdir -p copy/.tools && cd copy && cp -r '$PWD'/{chain,cluster} . && ln -s '$PWD/.tools/chain' .tools/chain &&
        echo '# A comment.' | tee -a chain/build cluster/compile.sh && chain/build"
    [ "$status" -eq 0 ]
    [ "$output" = "# A comment." ]
}

@test "a folder with other files is not taken" {
    touch "$BATS_TEST_TMPDIR/mine"
    CHAIN_RUN="$BATS_TEST_TMPDIR" run chain/with true
    [ "$status" -ne 0 ]
    CHAIN_RUN="$BATS_TEST_TMPDIR" chain/down
    [ -e "$BATS_TEST_TMPDIR/mine" ]
}
