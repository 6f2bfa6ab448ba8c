{{/* The longest name that is made of this one ends with `-settings`, and has at most 63 characters. */}}
{{- define "xposer.name" -}}
{{- $name := .Release.Name -}}
{{- if not (contains .Chart.Name $name) -}}
{{- $name = printf "%s-%s" $name .Chart.Name -}}
{{- end -}}
{{- .Values.fullnameOverride | default $name | trunc 54 | trimSuffix "-" -}}
{{- end -}}

{{- define "xposer.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "xposer.labels" -}}
{{ include "xposer.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "xposer.subjects" -}}
- kind: ServiceAccount
  name: {{ include "xposer.name" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}
