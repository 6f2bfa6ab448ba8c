# shellcheck shell=bash
# Functions for the programs in this folder, which source it. Each cluster has a folder, `$CLUSTER_RUN`, with its ports, keys,
# data, logs and process ids, so several can run side by side.

set -euo pipefail
# The files contain keys and tokens.
umask 077

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
bin=$root/.tools/cluster/bin
run=$(realpath -m "${CLUSTER_RUN:-$root/.tools/cluster/run}")
components=(etcd apiserver controller-manager)

say() { echo "cluster: $*" >&2; }
die() {
    say "$@"
    exit 1
}

program() {
    case $1 in
    etcd) echo etcd ;;
    apiserver | controller-manager) echo "kube-$1" ;;
    *) die "there is no component $1, only ${components[*]}" ;;
    esac
}

# The process id of a component, if it runs. The kernel reuses ids, so check that the process runs our program in our
# folder.
pid_of() {
    local pid exe
    pid=$(cat "$run/$1.pid" 2>/dev/null) || return 1
    exe=$(readlink "/proc/$pid/exe" 2>/dev/null) || return 1
    # If the program was rebuilt, the running one has the suffix "(deleted)".
    [ "${exe% (deleted)}" = "$bin/$(program "$1")" ] && [ "$(readlink "/proc/$pid/cwd")" -ef "$run" ] && echo "$pid"
}

# Repeats a command until it succeeds, for a limited number of seconds, and only while the component runs.
wait_for() {
    local component=$1 seconds=$2
    shift 2
    local end=$((SECONDS + seconds))
    until "$@" >/dev/null 2>&1; do
        if ! pid_of "$component" >/dev/null; then
            tail -n 20 "$run/$component.log" >&2
            die "$component ended by itself; its log is $run/$component.log"
        elif [ $SECONDS -ge $end ]; then
            tail -n 20 "$run/$component.log" >&2
            die "waited $seconds seconds for $component: $*"
        fi
        sleep 0.1
    done
}

port() { cat "$run/$1.port"; }

# `api METHOD PATH [curl's options]` sends a request to the API server as the administrator. It fails unless the answer is a success.
api() {
    local method=$1 path=$2
    shift 2
    # The token is in a file, because every user of the machine can read arguments.
    curl -sS --fail-with-body -m 60 --cacert "$run/ca.crt" -K "$run/admin.curl" -X "$method" "$@" \
        "https://127.0.0.1:$(port apiserver)$path"
}

# `etcd_api PATH JSON` sends a request to etcd.
etcd_api() {
    curl -sS --fail-with-body -m 60 --cacert "$run/ca.crt" --cert "$run/server.crt" --key "$run/server.key" -d "$2" \
        "https://127.0.0.1:$(port etcd)$1"
}

# `kubeconfig TOKEN [NAMESPACE]` prints a kubeconfig that needs no other file.
kubeconfig() {
    cat <<END
apiVersion: v1
kind: Config
current-context: test
contexts: [{name: test, context: {cluster: test, user: test, namespace: ${2:-default}}}]
clusters: [{name: test, cluster: {server: "https://127.0.0.1:$(port apiserver)", certificate-authority-data: $(base64 -w 0 <"$run/ca.crt")}}]
users: [{name: test, user: {token: $1}}]
END
}

arguments() {
    local client_port
    case $1 in
    etcd)
        client_port=$(port etcd)
        # Without fsync the data survives a killed process, but not a power failure. That is enough for tests, and faster.
        echo --unsafe-no-fsync
        printf '%s\n' --data-dir=data --log-level=warn --auto-compaction-retention=0 \
            "--listen-client-urls=https://127.0.0.1:$client_port" "--advertise-client-urls=https://127.0.0.1:$client_port" \
            --listen-peer-urls=unix://peer --initial-advertise-peer-urls=http://localhost:2380 \
            --client-cert-auth --trusted-ca-file=ca.crt --cert-file=server.crt --key-file=server.key
        ;;
    apiserver)
        # Only `cluster/ctl compact` compacts etcd's history, so that a test decides when.
        echo --etcd-compaction-interval=0
        # Use loopback only, and not the address of the machine's network.
        printf '%s\n' --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --endpoint-reconciler-type=none \
            "--secure-port=$(port apiserver)" --tls-cert-file=server.crt --tls-private-key-file=server.key \
            "--etcd-servers=https://127.0.0.1:$(port etcd)" --etcd-cafile=ca.crt --etcd-certfile=server.crt --etcd-keyfile=server.key \
            --authorization-mode=RBAC --anonymous-auth=false --token-auth-file=tokens.csv \
            --service-account-issuer=https://kubernetes.default.svc --service-account-key-file=service-account.key \
            --service-account-signing-key-file=service-account.key --service-cluster-ip-range=10.96.0.0/16 \
            --audit-policy-file=audit.yaml --audit-log-path=-
        ;;
    controller-manager)
        # Its port for health and metrics is not needed. Each controller has its own rights, as in a real cluster.
        # The default is 20 requests a second, so a test that deletes a thousand Services would take a minute.
        printf '%s\n' --kube-api-qps=500 --kube-api-burst=1000 --kubeconfig=controller-manager.kubeconfig --secure-port=0 --leader-elect=false '--controllers=*' \
            --use-service-account-credentials --root-ca-file=ca.crt --service-account-private-key-file=service-account.key
        ;;
    esac
}

is_ready() {
    case $1 in
    etcd) etcd_api /v3/kv/range '{"key": "AA=="}' ;;
    apiserver) api GET /readyz && api GET /api/v1/namespaces/default ;;
    controller-manager) collects_garbage ;;
    esac
}

# Creates an object whose owner does not exist, and succeeds when it is deleted.
collects_garbage() {
    local configmaps=/api/v1/namespaces/default/configmaps
    if [ ! -e "$run/orphan" ]; then
        api POST "$configmaps" -H 'Content-Type: application/json' -d '{"metadata": {"name": "xposer-orphan", "ownerReferences": [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": "00000000-0000-0000-0000-000000000000"}]}}' || return
        touch "$run/orphan"
    fi
    [ "$(api GET "$configmaps/xposer-orphan" -o /dev/null -w '%{http_code}' 2>/dev/null)" = 404 ] && rm "$run/orphan"
}

# Starts a component on its port and its data, and waits until it is ready.
start() {
    local component=$1 name options
    name=$(program "$component")
    mapfile -t options < <(arguments "$component")
    # A test runner reads file descriptor 3, which would stay open as long as the cluster runs.
    (cd "$run" && exec setsid "$bin/$name" "${options[@]}" </dev/null >>"$([ "$component" = apiserver ] && echo audit.log || echo "$component.log")" 2>>"$component.log" 3>&-) &
    echo $! >"$run/$component.pid"
    await_program "$component"
    wait_for "$component" 60 is_ready "$component"
}

# Whether a process has ended. A process that ends gives its program and memory back before it closes its ports, and a thread can
# close them after the first one is a zombie.
has_ended() {
    [ ! -e "/proc/$1" ] || { grep -q '^State:.*Z' "/proc/$1/status" && [ "$(ls "/proc/$1/task" | wc -l)" -le 1 ]; } 2>/dev/null
}

# Waits until the shell that starts a component has been replaced by the program, or has ended.
await_program() {
    local pid
    for _ in {1..250}; do
        ! pid_of "$1" >/dev/null || break
        pid=$(cat "$run/$1.pid" 2>/dev/null) || break
        [ -e "/proc/$pid" ] || break
        sleep 0.02
    done
}

# Stops a component with a signal, and waits until it is gone.
finish() {
    local component=$1 signal=$2 pid
    # An interruption can come before the program of a component that is starting runs.
    [ ! -e "$run/$component.pid" ] || await_program "$component"
    pid=$(pid_of "$component") || return 0
    kill "-$signal" "$pid"
    # A paused process must continue before it handles the signal.
    kill -CONT "$pid" 2>/dev/null || true
    for _ in {1..300}; do
        ! has_ended "$pid" || break
        sleep 0.1
    done
    ! pid_of "$component" >/dev/null || kill -KILL "$pid"
    rm -f "$run/$component.pid"
}
