{{/* An Argo template of workflows/ with everything that a pod has besides its command, as JSON. It adds what
     depends on the site: image, account, security, resources, nodes, environment.
     Call with (dict "root" $ "template" dict "step" name "service" name "place" values "retries" count). */}}
{{- define "nameplate.template" -}}
{{- mergeOverwrite .template (include "nameplate.pod" . | fromYaml) | toJson -}}
{{- end }}

{{- define "nameplate.pod" -}}
{{- $values := .root.Values -}}
{{- $command := last .template.container.command -}}
{{- $readsSource := .readsSource | default (eq $command "plan") -}}
{{- $gpus := dig "gpu" "count" 0 .place | int -}}
{{- $needsGpu := and $gpus (dig "gpu" "required" true .place) -}}
{{- $volumes := include "nameplate.podVolumes" (merge (dict "command" $command "readsSource" $readsSource) .) | fromYamlArray -}}
metadata:
  labels:
    {{- include "nameplate.selector" (dict "component" .step) | nindent 4 }}
    nameplate.dev/needs: store
    {{- with .place.name }}
    nameplate.dev/pool: {{ . }}
    {{- end }}
serviceAccountName: nameplate-runner
automountServiceAccountToken: false
executor: {serviceAccountName: nameplate-executor}
securityContext: {{- include "nameplate.podSecurity" .root | nindent 2 }}
archiveLocation: {archiveLogs: {{ $values.workflow.archiveLogs }}}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "priorityClassName" }}
{{- with index $.place $key }}
{{ $key }}: {{ toJson . }}
{{- end }}
{{- end }}
volumes:
  {{- range $volumes }}
  - {{ omit . "mountPath" "readOnly" | toJson }}
  {{- end }}
container:
  image: {{ include "nameplate.image" . }}
  imagePullPolicy: {{ $values.image.pullPolicy }}
  securityContext: {{- include "nameplate.containerSecurity" .root | nindent 4 }}
  volumeMounts:
    {{- range $volumes }}
    - {{ pick . "name" "mountPath" "readOnly" | toJson }}
    {{- end }}
  args:
    {{- range .template.container.args }}
    - {{ toJson . }}
    {{- end }}
    {{- if has $command (list "plan" "arm") }}
    - --chunk-seconds={{ $values.workflow.chunkSeconds }}
    - --max-chunks={{ int $values.workflow.maxChunks }}
    {{- end }}
    {{- if has $command (list "chunk" "arm") }}
    - --store-timeout={{ int $values.workflow.storeTimeout }}
    {{- end }}
  envFrom:
    - configMapRef: {name: nameplate-store}
    - secretRef: {name: {{ include "nameplate.storeSecret" .root }}}
  {{- if or .template.container.env $readsSource $needsGpu }}
  env:
    {{- range .template.container.env }}
    - {{ toJson . }}
    {{- end }}
    {{- if $readsSource }}
    - name: NAMEPLATE_KEY
      valueFrom: {secretKeyRef: {name: {{ include "nameplate.keySecret" .root }}, key: NAMEPLATE_KEY}}
    {{- end }}
    {{- if $needsGpu }}
    - {name: NAMEPLATE_EXPECTS_GPU, value: "yes"}
    {{- end }}
  {{- end }}
  resources:
    {{- omit .place.resources "limits" | toYaml | nindent 4 }}
    limits:
      {{- range $name, $amount := .place.resources.limits }}
      {{ $name }}: {{ toJson $amount }}
      {{- end }}
      {{- if $gpus }}
      {{ .place.gpu.resource }}: {{ $gpus }}
      {{- end }}
{{- /* Argo's timeout counts from the request for a pod, which also limits the wait for a node and an image; the
       wait for a semaphore is not the pod's fault, so with one the clock starts with the pod. */}}
{{- if .place.limit }}
synchronization:
  semaphores:
    - configMapKeyRef: {name: nameplate-pools, key: {{ .place.name | default (printf "step.%s" .step) }}}
{{- else if .place.timeout }}
timeout: {{ .place.timeout }}
{{- end }}
podSpecPatch: {{ include "nameplate.podPatch" . | fromYaml | toJson | quote }}
{{- if ne $command "export" }}
retryStrategy: {{- include "nameplate.retry" . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Volumes of a pod, each with its mount path. */}}
{{- define "nameplate.podVolumes" -}}
- {name: scratch, emptyDir: {}, mountPath: /tmp}
{{- with .root.Values.objectStore.authority }}
- {name: authority, configMap: {name: {{ . }}}, mountPath: {{ include "nameplate.authorityFolder" . }}, readOnly: true}
{{- end }}
{{- if and .readsSource .root.Values.data.existingClaim }}
{{- $claim := dict "claimName" .root.Values.data.existingClaim "readOnly" true }}
- {name: data, persistentVolumeClaim: {{ toJson $claim }}, mountPath: {{ .root.Values.data.mountPath }}, readOnly: true}
{{- end }}
{{- if eq .command "plan" }}
- {name: campaigns, configMap: {name: nameplate-campaigns}, mountPath: /etc/nameplate/campaigns, readOnly: true}
- {name: pools, configMap: {name: nameplate-pools}, mountPath: /etc/nameplate/pools, readOnly: true}
{{- end }}
{{- with .place.sharedMemory }}
- {name: shared-memory, emptyDir: {medium: Memory, sizeLimit: {{ . }}}, mountPath: /dev/shm}
{{- end }}
{{- end }}

{{/* What Argo only accepts here: the pod's deadline, and settings of its own containers, which do not satisfy
     `restricted` by themselves. */}}
{{- define "nameplate.podPatch" -}}
{{- $argo := dict "securityContext" (include "nameplate.containerSecurity" .root | fromYaml) "resources" .root.Values.workflow.executorResources -}}
initContainers: [{{ merge (dict "name" "init") $argo | toJson }}]
containers: [{{ merge (dict "name" "wait") $argo | toJson }}]
terminationGracePeriodSeconds: {{ int (.place.gracePeriod | default .root.Values.workflow.gracePeriod) }}
{{- if and .place.limit .place.timeout }}
{{- $unit := trimAll "0123456789" .place.timeout }}
activeDeadlineSeconds: {{ mul (trimSuffix $unit .place.timeout | int) (get (dict "s" 1 "m" 60 "h" 3600) $unit) }}
{{- end }}
{{- end }}

{{/* Retry failures of machines, not mistakes: 75 (try again), 143 (SIGTERM), a pod that was taken away (Error,
     or no exit code: evicted, its node shut down or not ready for it), and once a SIGKILL that was not for
     memory. The plan is not retried after 75: its problems are shown at once. */}}
{{- define "nameplate.retry" -}}
limit: {{ .retries | toString | quote }}
retryPolicy: Always
{{- $gone := `lastRetry.status == "Error" || (asInt(lastRetry.exitCode) == -1 && !(lastRetry.message contains "deadline"))` }}
{{- $killed := `(asInt(lastRetry.exitCode) == 137 && asInt(retries) == 0 && !(lastRetry.message contains "OOMKilled"))` }}
expression: {{ printf "%s || asInt(lastRetry.exitCode) in [%s143] || %s" $gone (ternary "" "75, " (eq .step "plan")) $killed | quote }}
backoff: {duration: 5s, factor: 3}
{{- end }}
