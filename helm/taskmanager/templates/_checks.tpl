{{/* What values.schema.json can't say: settings that do not go together. All problems at once. */}}
{{- define "taskmanager.checks" -}}
{{- $problems := list -}}
{{- $policy := .Values.networkPolicy -}}
{{- if $policy.enabled -}}
  {{- if and (or .Values.ingress.enabled .Values.httpRoute.enabled) (not $policy.coordinatorFrom) -}}
    {{- $problems = append $problems "networkPolicy.coordinatorFrom is empty, so that nobody reaches the pages: name the namespace of your ingress controller or gateway" -}}
  {{- end -}}
  {{- if and .Values.monitoring.monitors (not $policy.monitoringFrom) -}}
    {{- $problems = append $problems "networkPolicy.monitoringFrom is empty, so that Prometheus reaches no metrics: name its namespace" -}}
  {{- end -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
  {{- $problems = append $problems "ingress.host is missing" -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
  {{- $problems = append $problems "httpRoute.parentRefs is empty: name a Gateway" -}}
{{- end -}}
{{- if and .Values.coordinator.goobi.stompUrl (not .Values.coordinator.secretsKey.existingSecret) -}}
  {{- $problems = append $problems "coordinator.goobi.stompUrl needs coordinator.secretsKey.existingSecret: a ticket's secret is kept until Goobi is told" -}}
{{- end -}}
{{- if and .Values.coordinator.goobi.stompUrl (not .Values.coordinator.goobi.existingSecret) -}}
  {{- $problems = append $problems "coordinator.goobi.stompUrl needs coordinator.goobi.existingSecret with the key stomp-password" -}}
{{- end -}}
{{- if and .Values.coordinator.goobi.processUrl (not .Values.coordinator.goobi.url) -}}
  {{- $problems = append $problems "coordinator.goobi.processUrl needs coordinator.goobi.url" -}}
{{- end -}}
{{- if and (include "taskmanager.runsPodCosts" .) (not .Values.serviceAccount.create) (not .Values.podCosts.serviceAccount) -}}
  {{- $problems = append $problems "podCosts.serviceAccount is missing: name one that may patch pods, or leave podCosts.tokenSecret empty" -}}
{{- end -}}
{{- $names := list -}}
{{- range .Values.workerPools -}}
  {{- $pool := include "taskmanager.pool" (dict "root" $ "pool" .) | fromJson -}}
  {{- if has $pool.name $names -}}
    {{- $problems = append $problems (printf "two worker pools are called %s" $pool.name) -}}
  {{- end -}}
  {{- $names = append $names $pool.name -}}
  {{- $scaling := $pool.autoscaling -}}
  {{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) -}}
    {{- $problems = append $problems (printf "pool %s: autoscaling.minReplicas is more than maxReplicas" $pool.name) -}}
  {{- end -}}
  {{- if and (eq $scaling.type "hpa") (lt (int $scaling.minReplicas) 1) -}}
    {{- $problems = append $problems (printf "pool %s: an HPA can't count to zero: set autoscaling.minReplicas to 1, or autoscaling.type to keda" $pool.name) -}}
  {{- end -}}
  {{- if and (eq $scaling.type "hpa") (not (dig "requests" "cpu" "" $pool.resources)) -}}
    {{- $problems = append $problems (printf "pool %s: an HPA needs resources.requests.cpu" $pool.name) -}}
  {{- end -}}
  {{- if and (eq $scaling.type "keda") (eq $scaling.source "prometheus") (not $scaling.prometheusUrl) -}}
    {{- $problems = append $problems (printf "pool %s: autoscaling.prometheusUrl is missing" $pool.name) -}}
  {{- end -}}
  {{- if and (eq $scaling.type "keda") (eq $scaling.source "coordinator") $policy.enabled (not $policy.scalerFrom) -}}
    {{- $problems = append $problems "networkPolicy.scalerFrom is empty, so that KEDA can't ask for demand: name its namespace" -}}
  {{- end -}}
{{- end -}}
{{- if $problems -}}
{{- fail (printf "\n- %s" (join "\n- " ($problems | uniq))) -}}
{{- end -}}
{{- end -}}

{{/* Which RabbitMQ user's workers may serve which plugins: ocr-workers=OCR;tool-workers=NOOP,SHELL. */}}
{{- define "taskmanager.workerUsers" -}}
{{- $users := dict -}}
{{- range .Values.workerPools -}}
  {{- $_ := set $users .user (concat (get $users .user | default list) (keys .plugins)) -}}
{{- end -}}
{{- $groups := list -}}
{{- range $user := keys $users | sortAlpha -}}
  {{- $groups = append $groups (printf "%s=%s" $user (get $users $user | uniq | sortAlpha | join ",")) -}}
{{- end -}}
{{- join ";" $groups -}}
{{- end -}}
