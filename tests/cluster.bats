#!/usr/bin/env bats
# Tests the programs in cluster/ with a separate cluster.

bats_require_minimum_version 1.5.0

setup_file() {
    cd "$BATS_TEST_DIRNAME/.."
    export CLUSTER_RUN="$BATS_FILE_TMPDIR/run"
    cluster/up
}

teardown_file() {
    cluster/down
}

setup() {
    cd "$BATS_TEST_DIRNAME/.."
}

# `ask METHOD PATH [curl's options]` sends a request as the administrator.
ask() {
    bash -c 'source cluster/lib.sh && api "$@"' ask "$@"
}

# `apply PATH` applies the object on standard input.
apply() {
    ask PATCH "$1?fieldManager=test" -H 'Content-Type: application/apply-patch+yaml' --data-binary @-
}

pids() {
    cat "$CLUSTER_RUN"/*.pid
}

gone() {
    for _ in {1..100}; do
        [ "$(ask GET "$1" -o /dev/null -w '%{http_code}' 2>/dev/null)" != 404 ] || return 0
        sleep 0.1
    done
    return 1
}

default=/api/v1/namespaces/default

@test "a build says how far it is, and what is wrong" {
    run bash -c 'source cluster/lib.sh && source cluster/compile.sh && pace=0 && progress etcd 7' <<'END'
go: downloading example.com/module v1.2.3
example.com/module/one
# example.com/module/two
two.go:1:2: undefined: three
example.com/module/three
END
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "cluster: etcd: 0 s, 1 modules fetched, 0 of at most 7 packages compiled" ]
    [[ "$output" == *"# example.com/module/two"*"two.go:1:2: undefined: three"* ]]
    [[ "${lines[-1]}" == *", 1 modules fetched, 2 of at most 7 packages compiled" ]]
}

@test "what is up already is left alone" {
    before=$(pids)
    run --separate-stderr cluster/up
    [ "$output" = "$CLUSTER_RUN/kubeconfig" ]
    [[ "$stderr" == *"is up already"* ]]
    [ "$(pids)" = "$before" ]
}

@test "the API server has the version that is pinned" {
    pinned=$(sed -n 's/^\tk8s.io\/kubernetes \(v[^ ]*\).*/\1/p' cluster/go.mod)
    [ "$(ask GET /version | jq -r .gitVersion)" = "$pinned" ]
}

@test "it knows the kinds that we emit, and checks their form" {
    apply /apis/networking.k8s.io/v1/namespaces/default/ingresses/web <<<'{"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
        "metadata": {"name": "web"}, "spec": {"rules": [{"host": "web.example.com", "http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}]}}]}}'
    apply /apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes/web <<<'{"apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute", "metadata": {"name": "web"}, "spec": {"hostnames": ["web.example.com"], "parentRefs": [{"name": "web"}],
        "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]}}'
    apply /apis/route.openshift.io/v1/namespaces/default/routes/web <<<'{"apiVersion": "route.openshift.io/v1", "kind": "Route",
        "metadata": {"name": "web"}, "spec": {"host": "web.example.com", "to": {"kind": "Service", "name": "web", "weight": 100}}}'
    monitors=/apis/endpointmonitor.stakater.com/v1alpha1/namespaces/default/endpointmonitors
    apply $monitors/web <<<'{"apiVersion": "endpointmonitor.stakater.com/v1alpha1", "kind": "EndpointMonitor",
        "metadata": {"name": "web"}, "spec": {"url": "https://web.example.com", "uptimeRobotConfig": {"interval": 60}}}'
    run apply $monitors/wrong <<<'{"apiVersion": "endpointmonitor.stakater.com/v1alpha1", "kind": "EndpointMonitor",
        "metadata": {"name": "wrong"}, "spec": {"url": "https://web.example.com", "uptimeRobotConfig": {"interval": 59}}}'
    [ "$status" -ne 0 ]
    [[ "$output" == *"interval"* ]]
}

@test "the definitions are those that the schemas are compared with" {
    while read -r module version; do
        grep -F "\"$module@$version\"" testkit/tests/schemas.rs
    done < <(sed -n 's/^\t\([^ ]* v\)/\1/p' cluster/crds/go.mod)
}

@test "what belongs to a deleted Service is removed, of every kind" {
    service=$(apply $default/services/owner <<<'{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "owner"},
        "spec": {"ports": [{"port": 80}]}}')
    owners="\"ownerReferences\": [{\"apiVersion\": \"v1\", \"kind\": \"Service\", \"name\": \"owner\", \"uid\": $(jq .metadata.uid <<<"$service")}]"
    ingress=/apis/networking.k8s.io/v1/namespaces/default/ingresses/owned
    route=/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes/owned
    apply $ingress <<<"{\"apiVersion\": \"networking.k8s.io/v1\", \"kind\": \"Ingress\", \"metadata\": {\"name\": \"owned\", $owners},
        \"spec\": {\"rules\": [{\"host\": \"owned.example.com\"}]}}"
    apply $route <<<"{\"apiVersion\": \"gateway.networking.k8s.io/v1\", \"kind\": \"HTTPRoute\", \"metadata\": {\"name\": \"owned\", $owners},
        \"spec\": {\"hostnames\": [\"owned.example.com\"]}}"
    ask DELETE $default/services/owner
    gone $ingress
    gone $route
}

@test "an API server that was killed comes back as it was" {
    apply $default/configmaps/kept <<<'{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept"}}'
    cluster/ctl kill apiserver
    run ask GET $default/configmaps/kept
    [ "$status" -ne 0 ]
    cluster/ctl start apiserver
    ask GET $default/configmaps/kept
    cluster/ctl stop etcd
    cluster/ctl start etcd
    ask GET $default/configmaps/kept
}

@test "what is paused answers nothing until it is resumed" {
    cluster/ctl pause apiserver
    run ask GET /readyz -m 2
    [ "$status" -ne 0 ]
    cluster/ctl resume apiserver
    ask GET /readyz
    # A paused program ends, too.
    cluster/ctl pause controller-manager
    cluster/ctl stop controller-manager
    cluster/ctl start controller-manager
}

@test "after a compaction and a restart, a watch of the past is told that it is gone" {
    past=$(ask GET $default/configmaps | jq -r .metadata.resourceVersion)
    for i in 1 2 3; do
        apply $default/configmaps/later <<<"{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": \"later\"}, \"data\": {\"i\": \"$i\"}}"
    done
    watch="$default/configmaps?watch=1&timeoutSeconds=2&resourceVersion=$past"
    # Before the compaction, the watch gets the changes.
    [ "$(ask GET "$watch" | jq -r .type | sort -u)" != ERROR ]
    cluster/ctl compact
    cluster/ctl kill apiserver
    cluster/ctl start apiserver
    [ "$(ask GET "$watch" | jq -r '[.type, .object.code, .object.reason] | join(" ")')" = "ERROR 410 Expired" ]
}

@test "a service account's kubeconfig can do what its role says" {
    ask POST $default/serviceaccounts -H 'Content-Type: application/json' -d '{"metadata": {"name": "reader"}}'
    apply /apis/rbac.authorization.k8s.io/v1/namespaces/default/roles/reader <<<'{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"name": "reader"}, "rules": [{"apiGroups": [""], "resources": ["services"], "verbs": ["list"]}]}'
    apply /apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings/reader <<<'{"apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding", "metadata": {"name": "reader"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "reader"}]}'
    cluster/kubeconfig default reader >"$BATS_TEST_TMPDIR/kubeconfig"
    token=$(sed -n 's/.*{token: \(.*\)}}]/\1/p' "$BATS_TEST_TMPDIR/kubeconfig")
    server=$(sed -n 's/.*server: "\([^"]*\)".*/\1/p' "$BATS_TEST_TMPDIR/kubeconfig")
    code() { curl -s -o /dev/null -w '%{http_code}' --cacert "$CLUSTER_RUN/ca.crt" --oauth2-bearer "$token" "$server$1"; }
    [ "$(code $default/services)" = 200 ]
    [ "$(code $default/secrets)" = 403 ]
    run cluster/kubeconfig default nobody
    [ "$status" -ne 0 ]
}

@test "every request is in the audit log, once and at once" {
    for i in 1 2 3; do
        ask POST $default/configmaps -A counted/1 -H 'Content-Type: application/json' -d "{\"metadata\": {\"name\": \"counted-$i\"}}"
    done
    [ "$(jq -c 'select(.userAgent == "counted/1" and .verb == "create")' "$CLUSTER_RUN/audit.log" | wc -l)" = 3 ]
    [ "$(jq -r .user.username "$CLUSTER_RUN/audit.log" | grep -c '^system:kube-controller-manager')" = 0 ]
}

@test "a command gets this cluster, or the one that is named, and never another" {
    # shellcheck disable=SC2016
    show='echo "$E2E_KUBECONFIG ${E2E_CTL:-none} ${KUBECONFIG:-none}"'
    run --separate-stderr env KUBECONFIG=/dev/null cluster/with sh -c "$show"
    [ "$output" = "$CLUSTER_RUN/kubeconfig $PWD/cluster/ctl none" ]
    cp "$CLUSTER_RUN/kubeconfig" "$BATS_TEST_TMPDIR/named"
    run --separate-stderr env E2E_KUBECONFIG="$BATS_TEST_TMPDIR/named" KUBECONFIG=/dev/null cluster/with sh -c "$show"
    [ "$output" = "$BATS_TEST_TMPDIR/named none none" ]
    run env E2E_KUBECONFIG=/nonexistent cluster/with true
    [ "$status" -ne 0 ]
    run cluster/with sh -c 'exit 7'
    [ "$status" -eq 7 ]
    # It ran before these commands, so it runs after them.
    ask GET /readyz
}

@test "without Go it says that nothing was tried" {
    mkdir "$BATS_TEST_TMPDIR/bin"
    for program in bash dirname realpath readlink cat sed; do
        ln -s "$(command -v $program)" "$BATS_TEST_TMPDIR/bin/"
    done
    PATH="$BATS_TEST_TMPDIR/bin" run cluster/build
    [ "$status" -eq 3 ]
    [[ "$output" == "skipped: no Go"* ]]
    PATH="$BATS_TEST_TMPDIR/bin" run cluster/with false
    [ "$status" -eq 0 ]
    [[ "$output" == "skipped: no Go"* ]]
}

@test "a folder with other files is not taken" {
    touch "$BATS_TEST_TMPDIR/mine"
    CLUSTER_RUN="$BATS_TEST_TMPDIR" run cluster/up
    [ "$status" -ne 0 ]
    CLUSTER_RUN="$BATS_TEST_TMPDIR" cluster/down
    [ -e "$BATS_TEST_TMPDIR/mine" ]
}

@test "Ctrl-C ends what was started" {
    export CLUSTER_RUN="$BATS_TEST_TMPDIR/run"
    for component in etcd apiserver; do
        # A separate process group, as in a terminal, and with the signal enabled, which a shell ignores for background processes.
        set -m
        env --default-signal=INT cluster/up >"$BATS_TEST_TMPDIR/output" 2>&1 3>&- &
        group=$!
        set +m
        for _ in {1..600}; do
            [ ! -e "$CLUSTER_RUN/$component.pid" ] || break
            sleep 0.1
        done
        ids=$(pids)
        kill -INT -- "-$group"
        wait "$group" && return 1
        for id in $ids; do
            [ ! -e "/proc/$id/exe" ]
        done
    done
    # It continues with the existing files.
    cluster/up
    cluster/down
}

@test "wrong words are refused" {
    for words in "kill" "kill scheduler" "break etcd" "compact etcd" ""; do
        # shellcheck disable=SC2086
        run cluster/ctl $words
        [ "$status" -ne 0 ]
    done
}

@test "down leaves no process and no folder" {
    ids=$(pids)
    [ "$(wc -l <<<"$ids")" = 3 ]
    cluster/ctl pause etcd
    cluster/down
    for id in $ids; do
        # A process that was not waited for still has its id, but no program.
        [ ! -e "/proc/$id/exe" ]
    done
    [ ! -e "$CLUSTER_RUN" ]
    # There is nothing left to end, which is not an error.
    cluster/down
    run cluster/ctl kill etcd
    [ "$status" -ne 0 ]
}
