{{- define "postgresql.selector" -}}
app.kubernetes.io/name: postgresql
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: primary
{{- end }}
{{- define "postgresql.labels" -}}
app.kubernetes.io/name: postgresql
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: postgresql-12.1.2
{{- end }}
{{- define "postgresql.claim" -}}
accessModes: {{- toYaml .Values.postgresql.primary.persistence.accessModes | nindent 2 }}
{{- with .Values.postgresql.primary.persistence.storageClass }}
storageClassName: {{ . }}
{{- end }}
resources:
  requests:
    storage: {{ .Values.postgresql.primary.persistence.size }}
{{- end }}
{{- define "application.container" -}}
imagePullPolicy: IfNotPresent
securityContext:
  runAsUser: 1001
  runAsNonRoot: true
  allowPrivilegeEscalation: false
  capabilities: { drop: [ALL] }
  seccompProfile: { type: RuntimeDefault }
{{- end }}
{{- define "application.pace" -}}
{{- with .Values.applicationPace }}
{{- if .drainSeconds }}
lifecycle: { preStop: { sleep: { seconds: {{ .drainSeconds }} } } }
{{- end }}
{{- if .bootSeconds }}
readinessProbe: { exec: { command: [/bin/true] }, initialDelaySeconds: {{ .bootSeconds }}, periodSeconds: 1 }
{{- end }}
{{- end }}
{{- end }}
{{- define "postgresql.certificates" -}}
{{ .Values.postgresql.fullnameOverride | default (printf "%s-postgresql" .Release.Name) }}-crt
{{- end }}
