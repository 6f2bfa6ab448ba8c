# Functions for the programs in this folder, which source it. Each chain has a folder, `$CHAIN_RUN`, and namespaces of its own
# (network, mounts, processes), so several can run side by side, and nothing listens outside of them.

set -euo pipefail
# The files contain keys and tokens.
umask 077

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
run=$(realpath -m "${CHAIN_RUN:-$root/.tools/chain/run}")
export CHAIN_RUN=$run CLUSTER_RUN=$run/cluster

say() { echo "chain: $*" >&2; }
die() {
    say "$@"
    exit 1
}

# The programs get these paths as unquoted words of a shell.
[[ $root$run != *[[:space:]]* ]] || die "there must be no blank in $root and $run"

# Fails inside of the namespaces, where process ids are different.
outside() { [ -z "${CHAIN_INSIDE:-}" ] || die "run this outside of the chain"; }

# The id of the process that `chain/up` has started, if it runs.
started() {
    local pid
    pid=$(cat "$run/up.pid" 2>/dev/null) && grep -qs xposer-chain "/proc/$pid/cmdline" && echo "$pid"
}

# The id of the process that holds the namespaces, if it runs. When it ends, the kernel ends every process in them.
holder() {
    local pid
    pid=$(cat "$run/holder.pid" 2>/dev/null) || return 1
    # The kernel reuses ids, so check that it is ours.
    [ "$(readlink "/proc/$pid/cwd")" -ef "$run" ] && [ "$(readlink "/proc/$pid/ns/pid")" != "$(readlink /proc/self/ns/pid)" ] && echo "$pid"
} 2>/dev/null

# Locks the folder for a program that starts or uses a chain, until that program ends. Two programs would end each other's
# processes.
claim() {
    mkdir -p "$run"
    exec 8<"$run"
    flock --nonblock 8 || die "another chain/up or chain/with is using $run; wait until it has ended, or set CHAIN_RUN to another folder"
}

# From here on, ends the chain if the program is interrupted or fails. Signals are ignored while the chain ends.
end_on_failure() {
    trap 'trap "" INT TERM; "$root/chain/down"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# Users other than root need a user namespace, in which they are root.
in_user_namespace() { [ "$(id -u)" != 0 ]; }

# Prepares the namespaces from inside, and holds them.
hold() {
    local pid last
    # This is still the /proc of the host, with the process id of the host.
    read -r pid _ </proc/self/stat
    mount -t proc proc /proc
    ip link set lo up
    # Every address of this network is local: one for each backend. An EndpointSlice must not have a loopback address.
    ip route add local 198.51.100.0/24 dev lo
    # The programs listen on these addresses.
    for last in {1..9}; do
        ip address add "203.0.113.$last/32" dev lo
    done
    echo nameserver 127.0.0.1 >"$run/resolv.conf"
    chmod 644 "$run/resolv.conf"
    mount --bind "$run/resolv.conf" /etc/resolv.conf
    # Each Envoy has a file in /dev/shm, and the Envoy of another chain may use the same name.
    mount -t tmpfs tmpfs /dev/shm
    cd "$run"
    echo "$pid" >holder.new
    mv holder.new holder.pid
    # The shell reaps orphaned processes.
    sleep infinity &
    wait
}

# Makes the namespaces, unless they exist.
make_namespaces() {
    local options=(--net --mount --pid --fork --kill-child)
    # Another program may be making them at the same time.
    exec 9<"$root/chain/lib.sh"
    flock 9
    if holder >/dev/null; then
        exec 9<&-
        return
    fi
    ! in_user_namespace || options+=(--user --map-root-user)
    if ! unshare "${options[@]}" true 2>/dev/null; then
        echo "skipped: no root and no user namespaces, so no chain"
        exit 3
    fi
    [ -e "$run/holder.log" ] || [ -z "$(ls -A "$run" 2>/dev/null)" ] || die "$run has other files in it"
    mkdir -p "$run"
    rm -f "$run/holder.pid"
    # An interruption here would leave namespaces that `chain/down` does not know.
    trap '' INT TERM
    # A test runner reads file descriptor 3, which would stay open as long as the chain runs.
    setsid unshare "${options[@]}" bash -c 'source "$0" && hold' "$root/chain/lib.sh" </dev/null >"$run/holder.log" 2>&1 3>&- 9<&- &
    for _ in {1..100}; do
        if holder >/dev/null; then
            trap - INT TERM
            exec 9<&-
            return
        fi
        sleep 0.05
    done
    kill -KILL $! 2>/dev/null || true
    die "the namespaces could not be prepared: $(cat "$run/holder.log")"
}

# Builds and downloads everything that runs inside of the namespaces, where there is no network. Prints what is not available, and
# fails with 3.
prepare() {
    local needed
    for needed in ip:iproute2 nsenter:util-linux named:bind9 dig:bind9-dnsutils curl:curl openssl:openssl; do
        ! PATH=$PATH:/usr/sbin:/sbin command -v "${needed%:*}" >/dev/null || continue
        if ! "$root/testkit/need" "${needed#*:}"; then
            echo "skipped: no ${needed%:*}, so no chain"
            return 3
        fi
        # With systemd, the package starts a DNS server on the host.
        [ "$needed" != named:bind9 ] || [ ! -d /run/systemd/system ] || systemctl disable --now named
    done
    "$root/cluster/build" || return
    "$root/chain/build" || return
    # `cluster/up` takes definitions from these modules.
    (cd "$root/cluster/crds" && GOFLAGS=-mod=readonly GOWORK=off go mod download) || return
    "$root/chain/enter" true
}
