#!/usr/bin/env bats
# Tests the pre-commit hook and the GitHub Action with the command line that was built before: `make hook-tests`.

setup() {
    cd "$BATS_TEST_TMPDIR"
    root=$BATS_TEST_DIRNAME/..
    PATH=$root/target/debug:$PATH
    GITHUB_OUTPUT=$BATS_TEST_TMPDIR/output
    export GITHUB_OUTPUT
    unset XPOSER_SETTINGS XPOSER_NAMESPACE XPOSER_SARIF XPOSER_VERSION
    mkdir -p apps/shop "apps/a b"
    service web '{{.Service}}.example.com' >apps/shop/web.yaml
    service api '{{.Servic}}.example.com' >"apps/a b/api.yaml"
}

# `service NAME TEMPLATE` prints an exposed Service.
service() {
    printf '%s\n' 'apiVersion: v1' 'kind: Service' "metadata: {name: $1, namespace: shop, labels: {expose: 'true'}," \
        "  annotations: {config.xposer.stakater.com/IngressURLTemplate: '$2'}}" 'spec: {ports: [{port: 80}]}'
}

action() {
    run "$root/deploy/action/check"
}

@test "the action checks what its patterns match, and says what is wrong where it stands" {
    export XPOSER_FILES=$'apps/shop/*.yaml\n\n  apps/a b/api.yaml  '
    action
    [ "$status" -eq 1 ]
    [[ ${lines[0]} == '::error file=apps/a b/api.yaml,line=4,col='*'title=xposer%3A template-unknown-variable::there is no variable `.Servic`;'* ]]
    [ "${lines[1]}" = '2 services: 1 exposed, 1 refused' ]
    [ "$(cat output)" = exit-code=1 ]
}

@test "the action writes SARIF beside it" {
    export XPOSER_FILES='apps/**/*.yaml' XPOSER_SARIF=found.sarif
    action
    [ "$status" -eq 1 ]
    [ "$(jq -r '.runs[0].results[] | .ruleId' found.sarif)" = template-unknown-variable ]
}

@test "a file is meant by its name, and a folder for the SARIF is made" {
    service db '{{.Service}}.example.com' >'br[1].yaml'
    export XPOSER_FILES='br[1].yaml' XPOSER_SARIF=new/folder/found.sarif
    action
    [ "$status" -eq 0 ]
    [ "$(jq '.runs[0].results | length' new/folder/found.sarif)" = 0 ]
    export XPOSER_SARIF=apps/shop
    action
    [ "$status" -eq 2 ]
    [[ $output == *'`apps/shop` cannot be written'* ]]
}

@test "the action is green if nothing is refused" {
    export XPOSER_FILES='apps/shop/**'
    action
    [ "$status" -eq 0 ]
    [ "$output" = '1 service: 1 exposed' ]
    [ "$(cat output)" = exit-code=0 ]
}

@test "the action takes settings and a namespace" {
    service web '' | sed '/annotations/d; s/labels: {expose: .true.},/labels: {expose: "true"}}/; s/, namespace: shop//' >plain.yaml
    echo 'domain: example.org' >settings.yaml
    export XPOSER_FILES=plain.yaml XPOSER_SETTINGS=settings.yaml XPOSER_NAMESPACE=team
    action
    [ "$status" -eq 0 ]
    export XPOSER_SETTINGS=missing.yaml
    action
    [ "$status" -eq 2 ]
    [[ $output == '::error file=missing.yaml,title=xposer::there is no such file'* ]]
    [ "$(tail -n 1 output)" = exit-code=2 ]
}

@test "a pattern without files is an error, and so is no pattern" {
    export XPOSER_FILES='aps/*.yaml'
    action
    [ "$status" -eq 2 ]
    [[ $output == '::error title=xposer::no file matches `aps/*.yaml`;'* ]]
    export XPOSER_FILES=
    action
    [ "$status" -eq 2 ]
    [[ $output == *'`files` is empty'* ]]
}

@test "a pattern is no command and no option" {
    touch -- '--help' '$(touch gone)'
    export XPOSER_FILES=$'$(touch here); touch here\n`touch here`'
    action
    [ "$status" -eq 2 ]
    export XPOSER_FILES=$'--help\n$(touch gone)'
    action
    [ ! -e here ] && [ ! -e gone ]
    [[ $output != *Usage* ]]
}

@test "without a program, the action downloads the one of its version and compares the checksum" {
    mkdir -p releases/v9.9.9 bin
    for tool in bash uname mktemp curl sha256sum tar gzip env cat rm; do ln -s "$(command -v "$tool")" bin/; done
    archive=xposer-v9.9.9-$(uname -m)-unknown-linux-musl.tar.gz
    # The files have the form of `release/binaries` and `release/checksums`.
    cp "$root/LICENSE" "$root/README.md" "$(command -v xposer)" .
    tar -czf "releases/v9.9.9/$archive" LICENSE README.md xposer
    (cd releases/v9.9.9 && sha256sum "$archive" >SHA256SUMS && echo "$(printf '0%.0s' {1..64})  other.tar.gz" >>SHA256SUMS)
    mkdir kept
    export TMPDIR=$PWD/kept
    export XPOSER_FILES=apps/shop/web.yaml XPOSER_RELEASES=file://$PWD/releases XPOSER_VERSION=v9.9.9
    PATH=$PWD/bin action
    [ "$status" -eq 0 ]
    [ "$output" = '1 service: 1 exposed' ]
    XPOSER_VERSION=main PATH=$PWD/bin action
    [ "$status" -eq 2 ]
    [[ $output == *'the version `main` is none'* ]]
    XPOSER_VERSION=v9.9.8 PATH=$PWD/bin action
    [ "$status" -eq 2 ]
    [[ $output == *'cannot be downloaded'* ]]
    echo >>"releases/v9.9.9/$archive"
    PATH=$PWD/bin action
    [ "$status" -eq 2 ]
    [[ $output == *'the checksum of'*'is wrong'* ]]
    # A file without a checksum is not trusted.
    sed -i /xposer/d releases/v9.9.9/SHA256SUMS
    PATH=$PWD/bin action
    [ "$status" -eq 2 ]
    # No temporary file is left in any case.
    [ -z "$(ls kept)" ]
}

@test "the hook of pre-commit checks what is committed" {
    command -v pre-commit >/dev/null || skip "skipped: no pre-commit"
    # A separate repository, so that uncommitted changes are tested, too.
    mkdir hooks
    cp "$root/.pre-commit-hooks.yaml" hooks
    commit() { git -c user.name=test -c user.email=test@example.com -c commit.gpgsign=false commit -q -m test "$@"; }
    (cd hooks && git init -q && git add . && commit)
    git init -q
    mkdir -p chart/templates
    echo 'kind: {{ .Kind }}' >chart/templates/web.yaml
    printf '%s\n' 'repos:' "- repo: $PWD/hooks" "  rev: $(git -C hooks rev-parse HEAD)" '  hooks: [{id: xposer-check, files: ^apps/}]' >.pre-commit-config.yaml
    echo '- hosts: all' >playbook.yaml
    git add apps chart playbook.yaml .pre-commit-config.yaml
    export PRE_COMMIT_HOME=$PWD/cache
    run pre-commit run
    [ "$status" -eq 1 ]
    [[ $output == *'there is no variable `.Servic`'* ]]
    [[ $output == *'2 services: 1 exposed, 1 refused'* ]]
    sed -i 's/Servic}/Service}/' "apps/a b/api.yaml"
    git add apps
    run pre-commit run
    [ "$status" -eq 0 ]
}
