# shellcheck shell=bash
# Functions for the scripts in this folder, which source it. Names, versions and addresses come from the files that own them:
# the crates and programs from cargo, the addresses from `Cargo.toml` and `metadata.yml`.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit
cargo=${CARGO:-cargo}
command -v jq >/dev/null || testkit/need jq || exit

die() {
    echo "$*" >&2
    exit 1
}

# What cargo knows of the crates that are published.
published() {
    "$cargo" metadata --no-deps --format-version 1 --locked |
        jq '[.packages[] | select(.publish == null or .publish != [])]'
}

# The crates that are published, one a line.
crates() {
    published | jq -r '.[].name'
}

# The programs of a release: `crate program`, one a line.
programs() {
    published | jq -r '.[] | .name as $crate | .targets[] | select(.kind == ["bin"]) | "\($crate) \(.name)"'
}

# The version of all of them.
version() {
    local versions
    versions=$(published | jq -r '[.[].version] | unique | join(" ")')
    [[ $versions != *' '* ]] || die "the crates have different versions: $versions"
    echo "$versions"
}

repository() {
    published | jq -r '[.[].repository] | unique | join(" ")'
}

# A value of metadata.yml that is written on one line.
annotation() {
    sed -n "s|^  $1: ||p" metadata.yml
}

# The name of the archive of a program for a target.
archive() {
    echo "$1-v$(version)-$2.tar.gz"
}

# Everything that is packed has the time of the commit.
epoch() {
    echo "${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
}

# The section of the changelog about a version, without its heading; nothing if there is none.
section() {
    awk -v version="$1" '
        /^## / { inside = ($2 == version || $2 == "[" version "]"); next }
        inside' CHANGELOG.md | sed -e '/./,$!d'
}
