# shellcheck shell=bash
# Functions that compile Go programs, for cluster/build and chain/build, which define `say` and `$bin`, the folder of the programs.

: "${bin:?}"

# No C compiler is needed, and no folder of this machine gets into the programs.
export CGO_ENABLED=0 GOFLAGS="-mod=readonly -trimpath -buildvcs=false" GOWORK=off
strip="-s -w"
# The inputs that determine a program, in addition to the files of its module and the arguments of `compile`. A stamp contains these
# inputs, and not the text of a script, so a change of a script that does not change the programs does not build them again.
# shellcheck disable=SC2034
recipe="CGO_ENABLED=$CGO_ENABLED GOFLAGS=$GOFLAGS GOWORK=$GOWORK $strip"

# The interval of progress messages of a long build, in seconds.
pace=15

# `progress NAME [TOTAL]` reads the output of `go` and prints the progress. A line without a blank is the name of a package that
# is being compiled, of at most TOTAL; packages in the cache are not named. Errors and warnings are printed.
progress() {
    local name=$1 total=${2:-} line='' part status compiled=0 fetched=0 began=$SECONDS last=$SECONDS said
    while true; do
        status=0
        IFS= read -r -t 1 part || status=$?
        line+=$part
        # A status above 128 means a timeout of a second; the line is not complete yet.
        if [ $status -le 128 ]; then
            case $line in
            '') ;;
            'go: downloading '*) fetched=$((fetched + 1)) ;;
            *[[:space:]]*) echo "$line" >&2 ;;
            *) compiled=$((compiled + 1)) ;;
            esac
            line=''
            [ $status = 0 ] || return 0
        fi
        if [ $((SECONDS - last)) -ge "$pace" ]; then
            last=$SECONDS
            said="$name: $((SECONDS - began)) s, $fetched modules fetched"
            say "$said${total:+, $compiled of at most $total packages compiled}"
        fi
    done
}

# `compile NAME PACKAGE [LDFLAGS]` compiles a package of the module in this folder, and prints the progress.
# Only one program is compiled at a time, so that what two of them have in common is compiled once.
compile() {
    local name=$1 package=$2 ldflags=${3:-} began=$SECONDS total
    mkdir -p "$bin"
    say "$name: looking for its packages"
    total=$(go list -deps "$package" 2> >(progress "$name") | wc -l)
    nice go build -v -o "$bin/$name" -ldflags "$strip $ldflags" "$package" 2>&1 | progress "$name" "$total"
    say "$name: built in $((SECONDS - began)) s"
}
