{{/*
Whether the controller may write claims (`claims`) and where (`place`), and whether the API server asks the webhook about hand-written Ingresses
and routes (`guard`): what the values say, else what the settings ask for. The form of the settings is not checked here. The controller does that, so a
value of another form counts as none.
*/}}
{{- define "xposer.admission" -}}
{{- $settings := include "xposer.settings" . | fromJson -}}
{{- $values := default dict .Values.claims -}}
{{- $webhook := default dict .Values.webhook -}}
{{- /* The namespace of the claims in the settings. The controller writes claims in every mode. */}}
{{- $claimsInSettings := "" -}}
{{- with get $settings "claims" -}}
{{- if kindIs "map" . -}}
{{- $claimsInSettings = get . "namespace" | default "" | toString | trim -}}
{{- end -}}
{{- end -}}
{{- $guardInSettings := false -}}
{{- with get $settings "guard" -}}
{{- if kindIs "map" . -}}
{{- $guardInSettings = has (get . "mode" | toString | trim) (list "warn" "deny") -}}
{{- end -}}
{{- end -}}
{{- $claims := not (empty $claimsInSettings) -}}
{{- if kindIs "bool" $values.enabled -}}
{{- $claims = $values.enabled -}}
{{- end -}}
{{- $guard := $guardInSettings -}}
{{- if kindIs "bool" $webhook.guard -}}
{{- $guard = $webhook.guard -}}
{{- end -}}
{{- if and $claims .Values.watchNamespace -}}
{{- $why := ternary "claims.enabled is true" "the settings contain `claims`" (kindIs "bool" $values.enabled) -}}
{{- include "xposer.refuse" (printf "%s, and watchNamespace is set; a controller of one namespace does not know all hosts, so remove one of them, or set claims.enabled to false" $why) -}}
{{- end -}}
{{- $place := $values.namespace | default $claimsInSettings | default .Release.Namespace -}}
{{- $warnings := list -}}
{{- if and $claimsInSettings (not $claims) -}}
{{- $warnings = append $warnings "claims.enabled is false, and the settings contain `claims`: the controller has no permission to write the claims, so the policy and the webhook do not know who has which host." -}}
{{- end -}}
{{- if and $claims (not $claimsInSettings) -}}
{{- $warnings = append $warnings "claims.enabled is true, and the settings contain no `claims`: the controller writes no claims." -}}
{{- end -}}
{{- if and $claims $claimsInSettings (ne $claimsInSettings $place) -}}
{{- $warnings = append $warnings (printf "claims.namespace is %s, and the settings contain `claims.namespace: %s`: the controller writes the claims to %s, and has no permission there." $place $claimsInSettings $claimsInSettings) -}}
{{- end -}}
{{- if and $guardInSettings (not $webhook.enabled) -}}
{{- $warnings = append $warnings "webhook.enabled is false, and the settings contain `guard`: the controller checks no hand-written Ingresses and routes. The Kubewarden policy checks them by its own settings." -}}
{{- end -}}
{{- if and $guardInSettings $webhook.enabled (not $guard) -}}
{{- $warnings = append $warnings "webhook.guard is false, and the settings contain `guard`: the API server does not ask the webhook about hand-written Ingresses and routes." -}}
{{- end -}}
{{- if and $guard (not $guardInSettings) -}}
{{- $warnings = append $warnings "webhook.guard is true, and the settings contain no `guard`: the webhook admits all hand-written Ingresses and routes." -}}
{{- end -}}
{{- dict "claims" $claims "place" $place "guard" $guard "warnings" $warnings | toJson -}}
{{- end -}}
