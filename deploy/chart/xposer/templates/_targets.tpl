{{/*
Ends with a message. `helm lint` passes over `fail`, but not over a template that does not exist: the error has its name, which is
the message.
*/}}
{{- define "xposer.refuse" -}}
{{- fail . -}}
{{- include . . -}}
{{- end -}}

{{/* The settings as a mapping. They are given as a mapping, or as the text of a settings file. */}}
{{- define "xposer.settings" -}}
{{- $settings := .Values.settings -}}
{{- if kindIs "string" $settings -}}
{{- $text := $settings -}}
{{- $settings = fromYaml $text -}}
{{- /* No setting has this name. */}}
{{- if hasKey $settings "Error" -}}
{{- include "xposer.refuse" (printf "settings: the text is not a mapping in YAML: %s" $settings.Error) -}}
{{- end -}}
{{- end -}}
{{- if and (kindIs "map" $settings) (eq (get $settings "kind" | toString) "ConfigMap") -}}
{{- include "xposer.refuse" "settings: this is a ConfigMap; give the settings themselves, which are in its `data`" -}}
{{- end -}}
{{- $settings | default dict | toJson -}}
{{- end -}}

{{/*
The kinds that may be written, by the names in `targets`: what `targets` says, else what the settings ask for. The form of the settings is
not checked here. The controller does that, so a value of another form counts as none.
*/}}
{{- define "xposer.targets" -}}
{{- $settings := include "xposer.settings" . | fromJson -}}
{{- $layers := list $settings -}}
{{- range $field := list "profiles" "namespaces" -}}
{{- $named := get $settings $field -}}
{{- if kindIs "map" $named -}}
{{- range $named -}}
{{- if kindIs "map" . -}}
{{- $layers = append $layers . -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $controllers := get $settings "controllers" -}}
{{- if not (kindIs "map" $controllers) -}}
{{- $controllers = dict -}}
{{- end -}}
{{- $programs := list (get $settings "defaultController") -}}
{{- range $controllers -}}
{{- $programs = append $programs . -}}
{{- end -}}
{{- /* What is asked for, and by which setting. */}}
{{- $asked := dict -}}
{{- range $layer := $layers -}}
{{- $targets := get $layer "target" -}}
{{- if not (kindIs "slice" $targets) -}}
{{- $targets = regexSplit "[,\\s]+" (toString $targets) -1 -}}
{{- end -}}
{{- range $targets -}}
{{- $target := get (dict "Ingress" "ingress" "HTTPRoute" "httpRoute" "Route" "route") (toString . | trim) -}}
{{- if $target -}}
{{- $_ := set $asked $target (printf "target: %s" (toString . | trim)) -}}
{{- end -}}
{{- end -}}
{{- if has (get $layer "monitor" | toString) (list "1" "t" "T" "true" "TRUE" "True") -}}
{{- $_ := set $asked "endpointMonitor" "monitor: true" -}}
{{- end -}}
{{- if has (get $layer "listenerSet" | toString) (list "1" "t" "T" "true" "TRUE" "True") -}}
{{- $_ := set $asked "listenerSet" "listenerSet: true" -}}
{{- end -}}
{{- end -}}
{{- /* What a Service needs that chooses what the settings offer. */}}
{{- $offered := dict -}}
{{- range $layer := $layers -}}
{{- range $field := list "parentRefs" "listenerSet" -}}
{{- if get $layer $field -}}
{{- $_ := set $offered "httpRoute" $field -}}
{{- end -}}
{{- end -}}
{{- /* Keys of the old EndpointMonitor controller ask for a monitor, too. */}}
{{- if contains "monitor.stakater.com/" (get $layer "annotations" | toString) -}}
{{- $_ := set $offered "endpointMonitor" "annotations of monitor.stakater.com" -}}
{{- end -}}
{{- if get $layer "monitorProvider" -}}
{{- $_ := set $offered "endpointMonitor" "monitorProvider" -}}
{{- end -}}
{{- $programs = append $programs (get $layer "gatewayController") -}}
{{- /* A class with a row in `controllers` is not known by its name. */}}
{{- $annotations := get $layer "annotations" -}}
{{- $annotated := "" -}}
{{- if kindIs "map" $annotations -}}
{{- $annotated = get $annotations "kubernetes.io/ingress.class" -}}
{{- end -}}
{{- $class := get $layer "ingressClassName" | default $annotated | toString -}}
{{- if and (not (hasKey $controllers $class)) (not (contains "nginx" $class)) (regexMatch "(^|[^0-9A-Za-z])traefik([^0-9A-Za-z]|$)" $class) -}}
{{- $programs = append $programs "traefik" -}}
{{- end -}}
{{- end -}}
{{- if has "traefik" $programs -}}
{{- $_ := set $offered "traefik" "the program traefik" -}}
{{- end -}}
{{- if has "envoy-gateway" $programs -}}
{{- $_ := set $offered "envoyGateway" "the program envoy-gateway" -}}
{{- $_ := set $offered "httpRoute" "the program envoy-gateway" -}}
{{- end -}}
{{- $given := dict -}}
{{- range $name, $default := dict "ingress" true "httpRoute" false "listenerSet" false "route" false "endpointMonitor" false "traefik" false "envoyGateway" false -}}
{{- $set := get (default dict $.Values.targets) $name -}}
{{- if kindIs "bool" $set -}}
{{- $_ := set $given $name $set -}}
{{- if and (hasKey $asked $name) (not $set) -}}
{{- include "xposer.refuse" (printf "targets.%s is false, and the settings contain `%s`; remove targets.%s, or change the settings" $name (get $asked $name) $name) -}}
{{- end -}}
{{- else -}}
{{- $_ := set $given $name (or $default (hasKey $asked $name) (hasKey $offered $name)) -}}
{{- end -}}
{{- end -}}
{{- $warnings := list -}}
{{- range $name, $why := $offered -}}
{{- if not (get $given $name) -}}
{{- $warnings = append $warnings (printf "targets.%s is false, and Services may need it: the settings contain %s." $name $why) -}}
{{- end -}}
{{- end -}}
{{- if and (not $given.ingress) (not (get $settings "target")) -}}
{{- $warnings = append $warnings "targets.ingress is false, and a Service without a target gets an Ingress: the settings contain no `target`." -}}
{{- end -}}
{{- if and $given.listenerSet (not $given.httpRoute) -}}
{{- $warnings = append $warnings "targets.listenerSet is true without targets.httpRoute: only HTTPRoutes use ListenerSets." -}}
{{- end -}}
{{- set $given "warnings" $warnings | toJson -}}
{{- end -}}
