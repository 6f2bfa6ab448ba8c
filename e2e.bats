#!/usr/bin/env bats
# The policy's module, run by kwctl.
#
# KWCTL names the program: kwctl itself where it is on the PATH, else the one of the test kit, which has the same command line
# (`make e2e-tests` builds it). POLICY names the module; annotated-policy.wasm where it was made, else policy.wasm.

bats_require_minimum_version 1.5.0

CONFIG=config.xposer.stakater.com
FORWARD=xposer.stakater.com/annotations
STATUS=status.xposer.stakater.com

setup_file() {
    cd "$BATS_TEST_DIRNAME"
    if [ -z "${KWCTL:-}" ]; then
        KWCTL=$(command -v kwctl || echo "$BATS_TEST_DIRNAME/target/debug/xposer-kwctl")
    fi
    if [ -z "${POLICY:-}" ]; then
        POLICY=policy.wasm
        [ ! annotated-policy.wasm -nt policy.wasm ] || POLICY=annotated-policy.wasm
    fi
    POLICY=$(realpath "$POLICY")
    export KWCTL POLICY
    # kwctl keeps its cache there, and looks for nothing in the user's own.
    export XDG_CACHE_HOME="$BATS_FILE_TMPDIR/cache" XDG_CONFIG_HOME="$BATS_FILE_TMPDIR/config" \
        XDG_DATA_HOME="$BATS_FILE_TMPDIR/data"
    echo "# run by $KWCTL: $("$KWCTL" --version | head -n 1)" >&3
    echo "# module: $POLICY, $(wc -c <"$POLICY") bytes" >&3
    case "$("$KWCTL" --version)" in
        xposer-kwctl*) echo "# skipped: no kwctl, so the test kit's stand-in ran the module" >&3 ;;
    esac
}

# The request of the Service of Stakater's article about Xposer (examples/forecastle.yaml), changed by a jq program.
request() {
    jq "$@" "$BATS_TEST_DIRNAME/tests/admission/service.json" >"$BATS_TEST_TMPDIR/request.json"
}

# The same with annotations of its own: pairs of a key below config.xposer.stakater.com and a value.
annotated() {
    local annotations='{}'
    while [ $# -gt 0 ]; do
        annotations=$(jq -cn --argjson all "$annotations" --arg key "$CONFIG/$1" --arg value "$2" '$all + {($key): $value}')
        shift 2
    done
    request --argjson annotations "$annotations" '.object.metadata.annotations = $annotations'
}

# Runs the module on the request, and prints what happened if the test fails.
evaluate() {
    run --separate-stderr "$KWCTL" run --request-path "$BATS_TEST_TMPDIR/request.json" "$@"
    echo "status: $status"
    echo "output: $output"
    echo "stderr: $stderr"
}

# Runs the module with the settings.
policy() {
    evaluate --settings-json "$1" "$POLICY"
    [ "$status" -eq 0 ]
}

answer() { jq -r "$1" <<<"$output"; }
allowed() { [ "$(answer .allowed)" = true ]; }
patch() { answer '.patch // "W10="' | base64 -d; }
unchanged() { allowed && [ "$(patch)" = '[]' ]; }

# The value an annotation has after the patch.
stamped() {
    patch | jq -r --arg path "/metadata/annotations/${1//\//\~1}" 'map(select(.path == $path))[0].value'
}

# Refused with this sentence, and with the status of an invalid object.
refused() {
    [ "$(answer .allowed)" = false ]
    [ "$(answer .status.code)" = 422 ]
    case "$(answer .status.message)" in
        *"$1"*) ;;
        *) return 1 ;;
    esac
    [ "$(answer .patch)" = null ]
}

DOMAIN='{"domain": "example.com"}'

@test "a Service that asks is accepted, and its URL and its Ingress's name are written back" {
    request .
    policy '{}'
    allowed
    [ "$(answer .uid)" = 1299d386-525b-4032-98ae-1949f69f9cfc ]
    [ "$(answer .patchType)" = JSONPatch ]
    [ "$(stamped $STATUS/url)" = http://forecastle.company.com ]
    [ "$(stamped $STATUS/ingress)" = forecastle-tools ]
}

@test "the patch holds the two annotations and nothing else" {
    request .
    policy '{}'
    [ "$(patch | jq -c 'map(.op) | unique')" = '["add"]' ]
    [ "$(patch | jq -c 'map(.path) | sort')" = \
        '["/metadata/annotations/status.xposer.stakater.com~1ingress","/metadata/annotations/status.xposer.stakater.com~1url"]' ]
}

@test "with TLS the URL begins with https" {
    annotated TLS true
    policy "$DOMAIN"
    [ "$(stamped $STATUS/url)" = https://forecastle.tools.example.com ]
}

@test "the path of the URL template is part of the URL" {
    annotated IngressURLTemplate '{{.Service}}.{{.Domain}}/api'
    policy "$DOMAIN"
    [ "$(stamped $STATUS/url)" = http://forecastle.example.com/api ]
}

@test "the article's templates, escaped for Helm, are unwrapped" {
    annotated IngressNameTemplate '{{`{{.Service}}-{{.Namespace}}`}}' IngressURLTemplate '{{`{{.Service}}.{{.Domain}}`}}' Domain company.com
    policy '{}'
    [ "$(stamped $STATUS/url)" = http://forecastle.company.com ]
    [ "$(stamped $STATUS/ingress)" = forecastle-tools ]
}

@test "a Service without any annotation is stamped, too" {
    request 'del(.object.metadata.annotations)'
    policy "$DOMAIN"
    allowed
    [ "$(patch | jq -r '.[0].value["status.xposer.stakater.com/url"]')" = http://forecastle.tools.example.com ]
}

@test "translated keys are no warnings, and the audit log has their code" {
    request '.object.metadata.annotations["config.xposer.stakater.com/TLS"] = "true"'
    policy '{}'
    [ "$(answer '.warnings // [] | length')" = 0 ]
    [ "$(answer .auditAnnotations.codes)" = legacy-translated ]
}

@test "a Service without the label is left alone" {
    request 'del(.object.metadata.labels.expose) | del(.object.metadata.annotations)'
    policy '{}'
    unchanged
    [ "$(answer '.warnings')" = null ]
}

@test "a Service whose label is false is left alone" {
    request '.object.metadata.labels.expose = "false"'
    policy '{}'
    unchanged
}

@test "another kind is left alone, even if it looks like an exposed Service" {
    request '.kind = {group: "serving.knative.dev", version: "v1", kind: "Service"}'
    policy '{}'
    unchanged
}

@test "a deletion is let through" {
    request '.operation = "DELETE" | .oldObject = .object | del(.object)'
    policy '{}'
    unchanged
}

@test "an update of the status is let through" {
    request '.operation = "UPDATE" | .subResource = "status" | .object.metadata.annotations["config.xposer.stakater.com/Domain"] = "A_B"'
    policy '{}'
    unchanged
}

@test "a Service that only waits for its finalizers is let through" {
    request '.operation = "UPDATE" | .object.metadata.deletionTimestamp = "2026-01-01T00:00:00Z"
        | .object.metadata.annotations["config.xposer.stakater.com/Domain"] = "A_B"'
    policy '{}'
    unchanged
}

@test "when the label goes, so does the stamp" {
    request '.operation = "UPDATE" | .oldObject = .object | del(.object.metadata.labels.expose)
        | .object.metadata.annotations += {"status.xposer.stakater.com/url": "http://x", "status.xposer.stakater.com/ingress": "x"}'
    policy '{}'
    allowed
    [ "$(patch | jq -c 'map(.op) | unique')" = '["remove"]' ]
    [ "$(patch | jq length)" = 2 ]
}

@test "when the label becomes false, so does the stamp go" {
    request '.operation = "UPDATE" | .object.metadata.labels.expose = "false"
        | .object.metadata.annotations["status.xposer.stakater.com/url"] = "http://x"'
    policy '{}'
    allowed
    [ "$(patch | jq -c 'map([.op, .path])')" = '[["remove","/metadata/annotations/status.xposer.stakater.com~1url"]]' ]
}

@test "a stamp that is true is left alone" {
    request '.object.metadata.annotations += {
        "status.xposer.stakater.com/url": "http://forecastle.company.com", "status.xposer.stakater.com/ingress": "forecastle-tools"}'
    policy '{}'
    unchanged
}

@test "a stamp that somebody wrote by hand is corrected" {
    request '.object.metadata.annotations += {"status.xposer.stakater.com/url": "http://evil.example.org", "status.xposer.stakater.com/x": "y"}'
    policy '{}'
    [ "$(stamped $STATUS/url)" = http://forecastle.company.com ]
    [ "$(patch | jq -c 'map(select(.op == "remove").path)')" = '["/metadata/annotations/status.xposer.stakater.com~1x"]' ]
}

@test "a dry run gets the same answer" {
    request '.dryRun = true'
    policy '{}'
    [ "$(stamped $STATUS/url)" = http://forecastle.company.com ]
}

@test "a complete AdmissionReview is accepted" {
    request '{apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request: .}'
    policy '{}'
    [ "$(stamped $STATUS/url)" = http://forecastle.company.com ]
}

@test "refused: a variable that does not exist" {
    annotated IngressURLTemplate '{{.Service}}.{{.Doman}}'
    policy "$DOMAIN"
    refused 'there is no variable `.Doman`; did you mean {{.Domain}}? [template-unknown-variable]'
    refused "Service tools/forecastle cannot be exposed: metadata.annotations[\"$CONFIG/IngressURLTemplate\"]: "
}

@test "refused: a function that does not exist" {
    annotated IngressURLTemplate '{{.Service | uper}}.example.com'
    policy '{}'
    refused 'there is no function `uper`; did you mean upper?'
}

@test "refused: a template that is not closed" {
    annotated IngressNameTemplate '{{.Service}'
    policy "$DOMAIN"
    refused 'the action is not closed by `}}`'
}

@test "refused: a construct that cannot be rendered exactly" {
    annotated IngressURLTemplate '{{range .Service}}x{{end}}.example.com'
    policy '{}'
    refused '`range` is not supported in templates'
}

@test "refused: no domain anywhere" {
    annotated TLS false
    policy '{}'
    refused 'the built-in template `{{.Service}}.{{.Namespace}}.{{.Domain}}` needs a domain, and none is set'
}

@test "refused: a host with upper-case letters and a scheme" {
    annotated IngressURLTemplate 'https://Web.example.com'
    policy '{}'
    refused 'starts with a scheme, expected a host; remove the scheme'
    annotated IngressURLTemplate 'Web.example.com'
    policy '{}'
    refused 'the host `Web.example.com` contains upper-case letters; write it in lower case'
}

@test "refused: an address, a port and a wildcard in the wrong place" {
    annotated IngressURLTemplate 10.0.0.1
    policy '{}'
    refused 'is an IP address, expected a DNS name'
    annotated IngressURLTemplate web.example.com:8080
    policy '{}'
    refused 'contains a port; remove the port'
    annotated IngressURLTemplate 'web.*.example.com'
    policy '{}'
    refused 'has a `*` in the wrong place'
}

@test "refused: a part of the host that DNS does not allow" {
    annotated IngressURLTemplate "$(printf 'a%.0s' {1..64}).example.com"
    policy '{}'
    refused 'of the host has 64 characters, DNS allows 63'
}

@test "refused: a name that is none" {
    annotated IngressNameTemplate 'my_ingress'
    policy "$DOMAIN"
    refused '`my_ingress` is not a valid Ingress name: it contains `_`'
}

@test "refused: a secret name that is none" {
    annotated TLS true TLSSecretNameTemplate 'tls_secret'
    policy "$DOMAIN"
    refused '`tls_secret` is not a valid secret name'
}

@test "refused: a path that the API server would not take" {
    annotated IngressURLPath '/a//b'
    policy "$DOMAIN"
    refused '`/a//b` is not a path of type Prefix: it contains `//`'
}

@test "refused: a path type that does not exist" {
    annotated PathType prefix
    policy "$DOMAIN"
    refused 'expected one of Exact, Prefix or ImplementationSpecific, found `prefix`; did you mean Prefix?'
}

@test "refused: a port that the Service does not have" {
    annotated ServicePort htp
    policy "$DOMAIN"
    refused 'the Service has no port `htp`; did you mean http?'
}

@test "refused: a Service without ports" {
    request '.object.spec.ports = []'
    policy '{}'
    refused 'the Service has no port, so there is nothing to route to'
}

@test "refused: two classes" {
    request '.object.metadata.annotations["config.xposer.stakater.com/IngressClassName"] = "internal"'
    policy '{}'
    refused 'the class `external-ingress` contradicts `internal`'
}

@test "refused: a forwarded key that is no annotation key" {
    request '.object.metadata.annotations["xposer.stakater.com/annotations"] = "a key: x"'
    policy '{}'
    refused '`a key` is not an annotation key: it contains a blank'
}

@test "refused: a forwarded value of several lines" {
    request '.object.metadata.annotations["xposer.stakater.com/annotations"] = "a: |\n  b: c"'
    policy '{}'
    refused 'the value of `a` spreads over several lines; put the value on one line'
}

@test "refused: annotations larger than the API server takes" {
    request '.object.metadata.annotations.note = ("x" * 262144)'
    policy '{}'
    refused 'shorten the annotations [annotations-too-large]'
}

@test "refused: a name that the API server is to make up" {
    request 'del(.object.metadata.name) | .object.metadata.generateName = "web-"'
    policy '{}'
    refused 'set metadata.name instead'
}

@test "all errors come in one message, numbered" {
    annotated IngressURLTemplate '{{.Nope}}' IngressNameTemplate '{{.Service}' PathType prefix TLS true
    policy '{}'
    refused 'Service tools/forecastle cannot be exposed, for 3 reasons:'
    [ "$(answer .status.message | wc -l)" = 4 ]
    refused '3. '
    [ "$(answer .auditAnnotations.codes)" = template-unclosed,template-unknown-variable,path-type-unknown ]
}

@test "warnings reach the user, with their place and their help, each of at most 256 bytes" {
    request '.object.metadata.annotations["config.xposer.stakater.com/TSL"] = "true" | .object.metadata.annotations["xposer.stakater.com/annotations"] = "just text"'
    policy '{}'
    allowed
    [ "$(answer '.warnings | length')" = 2 ]
    [ "$(answer '.warnings | map(utf8bytelength) | max <= 256')" = true ]
    [ "$(answer '.warnings[0]')" = 'xposer[annotation-unknown]: TSL: there is no annotation `config.xposer.stakater.com/TSL`; did you mean config.xposer.stakater.com/TLS?' ]
}

@test "what would be the same warning twice names its annotations" {
    request '.object.metadata.annotations += {"config.xposer.stakater.com/IngressURLPath": "", "config.xposer.stakater.com/TLS": ""}'
    policy '{}'
    allowed
    [ "$(answer '.warnings | map(select(contains("annotation-empty"))) | unique | length')" = 2 ]
    [ "$(answer '.warnings[1]')" = 'xposer[annotation-empty]: TLS: the value is empty and counts as not set; give it a value or remove it' ]
}

@test "many long warnings are cut, keep their help, and stay below the limit of the API server" {
    request '.object.metadata.annotations["xposer.stakater.com/annotations"] = ([range(50) | "é" * 300] | join("\n"))'
    policy '{}'
    allowed
    [ "$(answer '.warnings | map(utf8bytelength) | add <= 4096')" = true ]
    [ "$(answer '.warnings[:-1] | all(endswith("...; write `key: value`"))')" = true ]
    [ "$(answer '.warnings[-1]')" = 'xposer: 35 more warnings; list them with `xposer check`' ]
}

@test "a Service that seems to ask is let through with a warning" {
    request '.object.metadata.labels.expose = "True"'
    policy '{"strict": true}'
    unchanged
    [ "$(answer '.warnings | length')" = 1 ]
    [ "$(answer '.warnings[0]')" = 'xposer[asked-wrongly]: metadata.labels.expose: the label is `True`, but only `true` exposes the Service; write expose: "true"' ]
    [ "$(answer .auditAnnotations.codes)" = asked-wrongly ]
    request 'del(.object.metadata.labels.expose)'
    policy '{}'
    unchanged
    [[ "$(answer '.warnings[0]')" == *'add the label expose: "true"'* ]]
}

@test "keys among the labels are told" {
    request '.object.metadata.labels["config.xposer.stakater.com/TLS"] = "true"'
    policy '{}'
    allowed
    [[ "$(answer '.warnings[0]')" == *'is not a label, so it is not read here; move it to metadata.annotations' ]]
}

@test "under strict a doubtful annotation is an error" {
    request '.object.metadata.annotations["config.xposer.stakater.com/TSL"] = "true"'
    policy '{"strict": true}'
    refused 'there is no annotation `config.xposer.stakater.com/TSL`; did you mean config.xposer.stakater.com/TLS?'
}

@test "settings that would refuse every Service are refused, with the setting" {
    request .
    for settings in '{"domain": "Example.com"}' '{"domain": "https://example.com"}' '{"ingressURLPath": "//"}' \
        '{"ingressNameTemplate": "My_{{.Service}}"}' '{"tlsSecretNameTemplate": "X_{{.Service}}"}' \
        '{"profiles": {"external": {"domain": "a..b"}}}' '{"namespaces": {"team-*": {"ingressNameTemplate": "{{.Service}}-"}}}'; do
        evaluate --settings-json "$settings" "$POLICY"
        [ "$status" -eq 1 ]
        [[ "$stderr" == *'Provided settings are not valid: xposer: settings.'* ]]
    done
    evaluate --settings-json '{"domain": "Example.com", "profiles": {"a": {}, "b": {}}}' "$POLICY"
    [[ "$stderr" == *'Provided settings are not valid: xposer: settings.domain: the host `web.shop.Example.com` contains upper-case letters'* ]]
}

@test "what a Service can give is no problem of the settings" {
    request .
    policy '{"tls": "cert-manager", "servicePort": "metrics", "profiles": {"external": {"tls": true}}}'
}

@test "a default that is wrong for this Service alone accuses the setting, not its author" {
    annotated TLS false
    policy '{"ingressURLTemplate": "{{if eq .Namespace \"tools\"}}my_{{end}}{{.Service}}.example.com"}'
    refused 'cannot be exposed: settings.ingressURLTemplate: '
}

@test "the configuration of the original is accepted as settings" {
    printf '%s\n' 'domain: example.com' "ingressURLTemplate: '{{.Service}}.{{.Namespace}}.{{.Domain}}'" 'ingressURLPath: /' \
        "ingressNameTemplate: '{{.Service}}'" 'tls: true' 'tlsSecretNameTemplate: NO_SECRET' >"$BATS_TEST_TMPDIR/config.yaml"
    request 'del(.object.metadata.annotations)'
    evaluate --settings-path "$BATS_TEST_TMPDIR/config.yaml" "$POLICY"
    allowed
    [ "$(patch | jq -r '.[0].value["status.xposer.stakater.com/url"]')" = https://forecastle.tools.example.com ]
}

@test "no settings at all are the defaults" {
    request .
    evaluate "$POLICY"
    [ "$(stamped $STATUS/url)" = http://forecastle.company.com ]
}

@test "an unknown setting is refused, with a suggestion" {
    request .
    evaluate --settings-json '{"domian": "example.com"}' "$POLICY"
    [ "$status" -eq 1 ]
    [[ "$stderr" == *'Provided settings are not valid: xposer: settings.domian: there is no setting `domian`; did you mean domain? [setting-unknown]'* ]]
}

@test "all problems of the settings come at once" {
    request .
    evaluate --settings-json '{"tls": "maybe", "ingressURLTemplate": "{{.Name}}", "stamp": 3}' "$POLICY"
    [ "$status" -eq 1 ]
    [[ "$stderr" == *'Provided settings are not valid: xposer: 3 problems:'* ]]
    [[ "$stderr" == *'settings.ingressURLTemplate: there is no variable `.Name`'* ]]
    [[ "$stderr" == *'settings.stamp: expected true or false, found the number 3'* ]]
    [[ "$stderr" == *'settings.tls: expected one of false, true, cert-manager or load-balancer, found `maybe`'* ]]
    [[ "$stderr" != *Deserializ* ]]
}

@test "with stamp: false the policy only validates" {
    request '.object.metadata.annotations["status.xposer.stakater.com/url"] = "http://old"'
    policy '{"stamp": false}'
    unchanged
    annotated IngressURLTemplate '{{.Nope}}'
    policy '{"stamp": false}'
    refused 'there is no variable `.Nope`'
}

# An AdmissionPolicy with some lines of its own.
deployed() {
    printf '%s\n' 'apiVersion: policies.kubewarden.io/v1' 'kind: AdmissionPolicy' 'metadata: {name: xposer, namespace: tools}' \
        'spec:' "  module: file://$POLICY" \
        '  rules: [{apiGroups: [""], apiVersions: [v1], resources: [services], operations: [CREATE, UPDATE]}]' "$@" \
        >"$BATS_TEST_TMPDIR/policy.yml"
    evaluate "$BATS_TEST_TMPDIR/policy.yml"
    [ "$status" -eq 0 ]
}

@test "deployed with mutating: false, the stamp is not allowed" {
    request .
    deployed '  mutating: false' '  settings: {}'
    [ "$(answer .allowed)" = false ]
    [ "$(answer .patch)" = null ]
    [[ "$(answer .status.message)" == *'attempted to mutate the request, but it is currently configured to not allow mutations'* ]]
}

@test "deployed with mutating: false and stamp: false, it validates" {
    request .
    deployed '  mutating: false' '  settings: {stamp: false}'
    unchanged
    annotated IngressURLTemplate '{{.Nope}}'
    deployed '  mutating: false' '  settings: {stamp: false}'
    refused 'there is no variable `.Nope`'
}

@test "deployed with mutating: true, it stamps" {
    request .
    deployed '  mutating: true' '  settings: {tls: true}'
    [ "$(stamped $STATUS/url)" = https://forecastle.company.com ]
}

@test "in monitor mode nothing is refused and nothing changed, and the warnings stay" {
    annotated IngressURLTemplate '{{.Nope}}' TSL true
    deployed '  mutating: true' '  mode: monitor' '  settings: {}'
    unchanged
    [ "$(answer '.warnings | length')" = 1 ]
}

@test "a message of the deployment keeps the reasons as causes" {
    annotated IngressURLTemplate '{{.Nope}}'
    deployed '  mutating: true' '  message: ask the platform team' '  settings: {}'
    [ "$(answer .status.message)" = 'ask the platform team' ]
    [[ "$(answer '.status.details.causes[0].message')" == *'there is no variable `.Nope`'* ]]
}

@test "fields that nobody knows survive" {
    request '.object.spec.fieldOfTomorrow = {a: [1.50, null, "\u2028"], b: 12345678901234567} | .object.metadata.managedFields = [{manager: "kubectl"}]'
    policy '{}'
    [ "$(patch | jq length)" = 2 ]
    [ "$(patch | jq -r 'map(.path) | join(" ")' | grep -c spec)" = 0 ]
}

@test "a Service of a megabyte is answered" {
    request '.object.spec.note = ("x" * 1000000)'
    policy '{}'
    [ "$(patch | jq length)" = 2 ]
}

@test "hostile annotations are refused in words, not by a crash" {
    local deep
    deep=$(printf '{{if .Domain}}%.0s' {1..500})
    for hostile in "$deep" '{{printf "%99999999s" .Service}}' '{{/* ' '{{`{{`}}' "$(printf '(%.0s' {1..5000})" '{{#if' '{{{{{{' \
        $'\x01\x7f' '{{$x := .}}{{$x}}' '%00' '../../etc/passwd' '{{"\ud800"}}' "$(printf 'a.%.0s' {1..200})"; do
        annotated IngressURLTemplate "$hostile"
        policy "$DOMAIN"
        [ "$(answer .allowed)" = false ]
        [ "$(answer .status.code)" = 422 ]
    done
}

@test "what is no annotation map is refused in words" {
    request '.object.metadata.annotations = ["a"]'
    policy "$DOMAIN"
    refused 'metadata.annotations: expected a mapping, found a list'
    request '.object.metadata.annotations["config.xposer.stakater.com/TLS"] = true'
    policy "$DOMAIN"
    refused 'expected a string, found the boolean true; put quotes around it'
}

@test "the policy asks its host nothing" {
    request .
    echo '[]' >"$BATS_TEST_TMPDIR/session.yml"
    evaluate --allow-context-aware --replay-host-capabilities-interactions "$BATS_TEST_TMPDIR/session.yml" "$POLICY"
    [ "$status" -eq 0 ]
    [ "$(stamped $STATUS/url)" = http://forecastle.company.com ]
}

CLAIMS='{"claims": {"namespace": "xposer-system", "mode": "deny"}}'

# The recorded answers to the two look-ups of the request: the same of both.
session() {
    jq -n --argjson response "$1" '["7f", "c4"] | map({
        type: "Exchange",
        request: "!KubernetesGetResource\napi_version: v1\nkind: ConfigMap\nname: xposer-claims-\(.)\nnamespace: xposer-system\ndisable_cache: true\n",
        response: $response})' >"$BATS_TEST_TMPDIR/session.yml"
}

# The same, where this is what is claimed under the key of the host, and was written at this time. Another host is claimed under another key.
claimed() {
    session "$(jq -n --arg claims "$1" --arg written "${2:-$(date -u +%FT%TZ)}" '
        {version: 3, written: $written} as $state
        | {state: ($state | tojson), "0": "Service ops/other 2026-01-01T00:00:00Z prefix other.company.com/"} as $data
        | {apiVersion: "v1", kind: "ConfigMap", data: (if $claims == "" then $data else $data + {"2": $claims} end), metadata: {labels:
            {"app.kubernetes.io/managed-by": "xposer", "app.kubernetes.io/component": "claims"}}}
        | {type: "Success", payload: tojson}')"
}

# Runs the module on the request, with these settings and the recorded answers.
asked() {
    evaluate --allow-context-aware --replay-host-capabilities-interactions "$BATS_TEST_TMPDIR/session.yml" --settings-json "$1" "$POLICY"
    [ "$status" -eq 0 ]
}

OLDER='Ingress ops/old 2026-01-01T00:00:00Z prefix forecastle.company.com/'

@test "claims: a host that nobody has is free" {
    request .
    claimed ''
    asked "$CLAIMS"
    allowed
    [ "$(stamped $STATUS/url)" = http://forecastle.company.com ]
    [ "$(answer '.auditAnnotations.codes')" = legacy-translated,issuer-without-tls ]
}

@test "claims: an older object keeps its host" {
    request .
    claimed "$OLDER"
    asked "$CLAIMS"
    refused '`forecastle.company.com/` is also claimed by Ingress ops/old, created on 2026-01-01; choose another host or path [route-claimed]'
}

@test "claims: a holder in another namespace is hidden where the settings say so" {
    request .
    claimed "$OLDER"
    asked "$(jq -c '.claims.nameOthers = false' <<<"$CLAIMS")"
    refused 'is also claimed by an object in another namespace'
    [[ "$output" != *ops* ]]
}

@test "claims: in the mode warn the Service passes, without a URL that another object has" {
    request .
    claimed "$OLDER"
    asked "$(jq -c '.claims.mode = "warn"' <<<"$CLAIMS")"
    unchanged
    answer '.warnings[]' | grep -q '^xposer\[route-claimed\]: '
}

@test "claims: the owner passes" {
    request '.operation = "UPDATE" | .object.metadata.creationTimestamp = "2026-01-01T00:00:00Z" | .oldObject = .object'
    claimed 'Service tools/forecastle 2026-01-01T00:00:00Z prefix forecastle.company.com/'
    asked "$CLAIMS"
    allowed
    [ "$(answer '.auditAnnotations.codes')" = legacy-translated,issuer-without-tls ]
}

@test "claims: what is absent, cannot be read, is stale or of an older controller is told, or refused with 503" {
    request .
    for what in absent error stale older; do
        case $what in
            absent) session '{"type": "Error", "message": "Cannot find v1/ConfigMap named '"'x' inside of namespace 'y'"'"}' ;;
            error) session '{"type": "Error", "message": "forbidden"}' ;;
            stale) claimed '' 2026-01-01T00:00:00Z ;;
            older) session "$(jq -n '{data: {claims: "{\"version\": 2}"}, metadata: {labels: {"app.kubernetes.io/managed-by": "xposer", "app.kubernetes.io/component": "claims"}}}
                | {type: "Success", payload: tojson}')" ;;
        esac
        asked "$CLAIMS"
        allowed
        answer '.warnings[]' | grep -q '^xposer\[claims-unknown\]: '
        asked "$(jq -c '.claims.onFailure = "deny"' <<<"$CLAIMS")"
        [ "$(answer .allowed) $(answer .status.code)" = 'false 503' ]
    done
}

@test "claims: without the grant, the Service passes with a warning" {
    request .
    policy "$CLAIMS"
    allowed
    answer '.warnings[]' | grep -q '^xposer\[claims-unknown\]: '
}

@test "claims: who is not exposed asks nothing" {
    request '.object.metadata.labels.expose = "false"'
    echo '[]' >"$BATS_TEST_TMPDIR/session.yml"
    asked "$CLAIMS"
    allowed
    [ "$(answer .warnings)" = null ]
}

@test "guard: a hand-written Ingress takes no host of another namespace, and the controller passes" {
    request '.kind = {group: "networking.k8s.io", version: "v1", kind: "Ingress"}
        | .object = {apiVersion: "networking.k8s.io/v1", kind: "Ingress", metadata: {name: "web", namespace: "tools"}, spec: {rules: [{host: "shop.example.com"}]}}'
    policy '{"guard": {"mode": "deny"}, "namespaces": {"shop": {"hosts": ["shop.example.com"]}}}'
    refused 'Ingress tools/web is refused: spec.rules[0].host: the host `shop.example.com` belongs to the namespace `shop`'
    jq '.userInfo.username = "system:serviceaccount:xposer-system:xposer-controller"' "$BATS_TEST_TMPDIR/request.json" >"$BATS_TEST_TMPDIR/other.json"
    mv "$BATS_TEST_TMPDIR/other.json" "$BATS_TEST_TMPDIR/request.json"
    policy '{"guard": {"mode": "deny"}, "namespaces": {"shop": {"hosts": ["shop.example.com"]}}}'
    unchanged
}
