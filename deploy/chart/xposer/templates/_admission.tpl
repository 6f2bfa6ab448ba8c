{{/*
Who writes the claims, and what the webhook looks at: what the values say, else what the settings ask for. The form of the settings is not
checked here. The controller does that, so a value of another form counts as none.
*/}}
{{- define "xposer.admission" -}}
{{- $settings := include "xposer.settings" . | fromJson -}}
{{- $values := default dict .Values.claims -}}
{{- $webhook := default dict .Values.webhook -}}
{{- /* The namespace of the claims in the settings. The controller writes claims in every mode. */}}
{{- $named := "" -}}
{{- with get $settings "claims" -}}
{{- if kindIs "map" . -}}
{{- $named = get . "namespace" | default "" | toString | trim -}}
{{- end -}}
{{- end -}}
{{- $asked := false -}}
{{- with get $settings "guard" -}}
{{- if kindIs "map" . -}}
{{- $asked = has (get . "mode" | toString | trim) (list "warn" "deny") -}}
{{- end -}}
{{- end -}}
{{- $claims := not (empty $named) -}}
{{- if kindIs "bool" $values.enabled -}}
{{- $claims = $values.enabled -}}
{{- end -}}
{{- $guard := $asked -}}
{{- if kindIs "bool" $webhook.guard -}}
{{- $guard = $webhook.guard -}}
{{- end -}}
{{- if and $claims .Values.watchNamespace -}}
{{- $why := ternary "claims.enabled is true" "the settings contain `claims`" (kindIs "bool" $values.enabled) -}}
{{- include "xposer.refuse" (printf "%s, and watchNamespace is set; a controller of one namespace does not know all hosts, so remove one of them, or set claims.enabled to false" $why) -}}
{{- end -}}
{{- $place := $values.namespace | default $named | default .Release.Namespace -}}
{{- $warnings := list -}}
{{- if and $named (not $claims) -}}
{{- $warnings = append $warnings "claims.enabled is false, and the settings contain `claims`: the controller has no permission to write them, so nobody learns who has which host." -}}
{{- end -}}
{{- if and $claims (not $named) -}}
{{- $warnings = append $warnings "claims.enabled is true, and the settings contain no `claims`: the controller writes none." -}}
{{- end -}}
{{- if and $claims $named (ne $named $place) -}}
{{- $warnings = append $warnings (printf "claims.namespace is %s, and the settings contain `claims.namespace: %s`: the controller has its permissions in the one, and writes to the other." $place $named) -}}
{{- end -}}
{{- if and $asked (not $webhook.enabled) -}}
{{- $warnings = append $warnings "webhook.enabled is false, and the settings contain `guard`: the controller checks no hand-written Ingresses and routes. The Kubewarden policy checks them by its own settings." -}}
{{- end -}}
{{- if and $asked $webhook.enabled (not $guard) -}}
{{- $warnings = append $warnings "webhook.guard is false, and the settings contain `guard`: the API server does not ask the webhook about hand-written Ingresses and routes." -}}
{{- end -}}
{{- if and $guard (not $asked) -}}
{{- $warnings = append $warnings "webhook.guard is true, and the settings contain no `guard`: the webhook admits all hand-written Ingresses and routes." -}}
{{- end -}}
{{- dict "claims" $claims "place" $place "guard" $guard "warnings" $warnings | toJson -}}
{{- end -}}
