{{/* Names and labels of all objects. */}}

{{- define "taskmanager.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 31 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 31 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 31 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What selects all pods of the release: part of every selector. */}}
{{- define "taskmanager.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "taskmanager.labels" -}}
{{ include "taskmanager.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: taskmanager
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* An image: (dict "root" $ "name" "coordinator" "image" "…") */}}
{{- define "taskmanager.image" -}}
{{- if .image -}}
{{- .image -}}
{{- else -}}
{{- printf "%s/%s:%s" .root.Values.image.repository .name (default .root.Chart.AppVersion .root.Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* The coordinators' address inside the cluster. */}}
{{- define "taskmanager.url" -}}
http://{{ include "taskmanager.fullname" . }}.{{ .Release.Namespace }}.svc:{{ .Values.service.port }}
{{- end -}}

{{/* "true" where podCosts runs: where a pool is scaled, and a token is there. */}}
{{- define "taskmanager.runsPodCosts" -}}
{{- $scaled := false -}}
{{- range .Values.workerPools -}}
  {{- $pool := include "taskmanager.pool" (dict "root" $ "pool" .) | fromJson -}}
  {{- if ne $pool.autoscaling.type "none" -}}{{- $scaled = true -}}{{- end -}}
{{- end -}}
{{- if and .Values.podCosts.tokenSecret $scaled -}}true{{- end -}}
{{- end -}}

{{/* A pool with what it does not say filled in: JSON of (dict "root" $ "pool" {…}). */}}
{{- define "taskmanager.pool" -}}
{{- $pool := mergeOverwrite (deepCopy .root.Values.workerDefaults) (deepCopy .pool) -}}
{{- /* Resources are one thing: limits of the defaults beside requests of the pool would surprise. */ -}}
{{- if .pool.resources -}}{{- $_ := set $pool "resources" .pool.resources -}}{{- end -}}
{{- $_ := set $pool "podSecurity" (mergeOverwrite (deepCopy .root.Values.podSecurity) ($pool.podSecurity | default dict)) -}}
{{- $_ := set $pool "fullname" (printf "%s-worker-%s" (include "taskmanager.fullname" .root) $pool.name) -}}
{{- $slots := 0 -}}
{{- range $plugin, $count := $pool.plugins -}}{{- $slots = add $slots $count -}}{{- end -}}
{{- $_ := set $pool "slots" $slots -}}
{{- $pool | toJson -}}
{{- end -}}
