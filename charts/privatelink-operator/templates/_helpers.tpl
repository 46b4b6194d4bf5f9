{{/* What names begin with. */}}
{{- define "privatelink.fullname" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- end }}

{{- define "privatelink.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "privatelink.fullname" .) -}}
{{- end }}

{{/* What selects the pods: never changed by an upgrade. */}}
{{- define "privatelink.selector" -}}
app.kubernetes.io/name: privatelink-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "privatelink.labels" -}}
{{ include "privatelink.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- if ne .Values.creator "static" }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The namespaces in which Secrets are read, as a JSON list. */}}
{{- define "privatelink.credentialNamespaces" -}}
{{- .Values.credentialNamespaces | default (list .Release.Namespace) | uniq | toJson -}}
{{- end }}

{{- define "privatelink.subjects" -}}
subjects:
  - kind: ServiceAccount
    name: {{ include "privatelink.serviceAccount" . }}
    namespace: {{ .Release.Namespace }}
{{- end }}

{{/*
CEL: whether .field of the account that is looked at (allowedNamespaces, adoption) has the object's namespace, as the
operator itself decides it.
*/}}
{{- define "privatelink.letsIn" -}}
{{- $field := printf "params.spec.%s" .field -}}
has({{ $field }}) && (
  {{ $field }}.from == 'All' ||
  ({{ $field }}.from == 'Names' && has({{ $field }}.names) && namespaceObject.metadata.name in {{ $field }}.names) ||
  ({{ $field }}.from == 'Selector' && has({{ $field }}.selector) &&
    (!has({{ $field }}.selector.matchLabels) || {{ $field }}.selector.matchLabels.all(key,
      key in variables.labels && variables.labels[key] == {{ $field }}.selector.matchLabels[key])) &&
    (!has({{ $field }}.selector.matchExpressions) || {{ $field }}.selector.matchExpressions.all(wanted,
      wanted.operator == 'In' ? wanted.key in variables.labels && variables.labels[wanted.key] in wanted.values :
      wanted.operator == 'NotIn' ? !(wanted.key in variables.labels && variables.labels[wanted.key] in wanted.values) :
      wanted.operator == 'Exists' ? wanted.key in variables.labels :
      !(wanted.key in variables.labels)))))
{{- end }}
