{{/* The rule of egress to RabbitMQ. */}}
{{- define "taskmanager.toBroker" -}}
- ports:
    - {port: {{ .Values.broker.port }}, protocol: TCP}
  {{- if eq .Values.broker.mode "operator" }}
  to:
    - podSelector: {matchLabels: {app.kubernetes.io/name: {{ include "taskmanager.fullname" . }}-broker}}
  {{- else }}
  {{- with .Values.networkPolicy.brokerTo }}
  to: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
{{- end -}}
