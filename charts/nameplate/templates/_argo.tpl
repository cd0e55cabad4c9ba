{{/* A template of Argo's from a file of workflows/, as JSON; one that has a container gets the rest of its pod.
     Call with (dict "root" $ "file" name "step" row of steps.yaml "pool" values "own" values of this step). */}}
{{- define "nameplate.template" -}}
{{- $pool := .pool.name | default "" -}}
{{- $workflow := .root.Values.workflow -}}
{{- $text := .root.Files.Get (printf "workflows/%s.yaml" .file) | replace "STEP" .step.name | replace "SERVICE" .step.service -}}
{{- $text = $text | replace "CHUNK" (ternary "chunk" (printf "chunk-%s" $pool) (empty $pool)) | replace "POOL" $pool -}}
{{- $text = $text | replace "SECONDS" (toString $workflow.chunkSeconds) | replace "MOST" (int $workflow.maxChunks | toString) -}}
{{- $place := include "nameplate.place" (dict "root" .root "layers" (list .step.place .pool .own)) | fromJson -}}
{{- $text = $text | replace "RETRIES" (include "nameplate.retries" (dict "root" .root "place" $place)) -}}
{{- $template := $text | replace "PATIENCE" (int $workflow.storeTimeout | toString) | fromYaml -}}
{{- if $template.container -}}
{{- $about := dict "root" .root "step" .step "place" $place "command" (last $template.container.command) -}}
{{- $container := dict "containers" (list (merge (dict "name" "main") $template.container)) "volumes" $template.volumes -}}
{{- $own := include "nameplate.merged" (dict "onto" (include "nameplate.stepSpec" $about | fromYaml) "patch" $container) | fromJson -}}
{{- $spec := include "nameplate.podSpec" (dict "root" .root "place" $place "own" $own) | fromJson -}}
{{- /* Argo has fields for some of a pod's settings, and takes the others, its own containers' too, as a patch. */ -}}
{{- $fields := list "serviceAccountName" "automountServiceAccountToken" "securityContext" "nodeSelector" "tolerations" "affinity" "priorityClassName" "volumes" -}}
{{- $patch := dict "containers" (rest $spec.containers) -}}
{{- range $key, $value := omit $spec "containers" -}}
{{- $_ := set (ternary $template $patch (has $key $fields)) $key $value -}}
{{- end -}}
{{- $pod := dict "container" (omit (first $spec.containers) "name") "podSpecPatch" (toJson $patch) -}}
{{- $template = mergeOverwrite $template $pod (include "nameplate.handling" $about | fromYaml) -}}
{{- end -}}
{{- toJson $template -}}
{{- end -}}

{{/* What makes a pod that of a step, besides its file. */}}
{{- define "nameplate.stepSpec" -}}
{{- $values := .root.Values -}}
{{- $gpus := dig "gpu" "count" 0 .place | int -}}
{{- $readsSource := and .step.readsSource (ne .command "export") -}}
{{- $asks := and $readsSource (ne .step.name "plan") -}}
serviceAccountName: nameplate-runner
automountServiceAccountToken: false
terminationGracePeriodSeconds: {{ int (.place.gracePeriod | default $values.workflow.gracePeriod) }}
{{- /* The clock starts when the pod has its node: in a queue, at a semaphore, or where no node has room, it is not the
       pod's fault, and Argo's own timeout would not end the wait of a pod that is tried again. */}}
{{- with .place.timeout }}
activeDeadlineSeconds: {{ include "nameplate.seconds" . }}
{{- end }}
initContainers: [{name: init, resources: {{ toJson $values.workflow.executorResources }}}]
containers:
  - name: main
    image: {{ include "nameplate.image" (dict "root" .root "service" .step.service) }}
    # Where the store is, by value: Argo keeps a running workflow's templates as they were when it began, so that
    # a later upgrade to another store does not move its pods there.
    envFrom:
      {{- with include "nameplate.storeSecret" .root }}
      - secretRef: {name: {{ . }}}
      {{- end }}
      {{- range $name, $source := ternary $values.sources dict $asks }}
      {{- with $source.existingSecret }}
      - {prefix: {{ include "nameplate.sourcePrefix" $name }}, secretRef: {name: {{ . }}}}
      {{- end }}
      {{- end }}
    env:
      {{- range $name, $value := include "nameplate.storeSettings" .root | fromYaml }}
      - {name: {{ $name }}, value: {{ $value | quote }}}
      {{- end }}
      {{- if $readsSource }}
      - name: NAMEPLATE_KEY
        valueFrom: {secretKeyRef: {name: {{ include "nameplate.keySecret" .root }}, key: NAMEPLATE_KEY}}
      {{- end }}
      {{- if eq .step.name "challenge" }}
      # Never in this pod, which has the store's account.
      - {name: NAMEPLATE_MODELS, value: "http://nameplate-model-{model}:8100"}
      {{- else if eq .step.name "plan" }}
      - {name: NAMEPLATE_MODEL_NAMES, value: {{ keys $values.models | sortAlpha | join " " | quote }}}
      {{- end }}
      {{- if and $gpus (dig "gpu" "required" true .place) }}
      - {name: NAMEPLATE_EXPECTS_GPU, value: "yes"}
      {{- end }}
    {{- if $gpus }}
    resources: {limits: {{ dict .place.gpu.resource $gpus | toJson }}}
    {{- end }}
    volumeMounts:
      {{- if and $readsSource $values.data.existingClaim }}
      - {name: data, mountPath: {{ $values.data.mountPath }}, readOnly: true}
      {{- end }}
      {{- if .place.sharedMemory }}
      - {name: shared-memory, mountPath: /dev/shm}
      {{- end }}
  - {name: wait, resources: {{ toJson $values.workflow.executorResources }}}
volumes:
  {{- if and $readsSource $values.data.existingClaim }}
  - {name: data, persistentVolumeClaim: {claimName: {{ $values.data.existingClaim }}, readOnly: true}}
  {{- end }}
  {{- with .place.sharedMemory }}
  - {name: shared-memory, emptyDir: {medium: Memory, sizeLimit: {{ . }}}}
  {{- end }}
{{- end -}}

{{/* How the variables of a source's account begin. */}}
{{- define "nameplate.sourcePrefix" -}}
NAMEPLATE_SOURCE_{{ if ne . "default" }}{{ . | upper | replace "-" "_" }}_{{ end }}
{{- end -}}

{{/* How often in a row a pod may be tried again without progress. */}}
{{- define "nameplate.retries" -}}
{{ (kindIs "invalid" .place.retries) | ternary .root.Values.workflow.retries .place.retries | int }}
{{- end -}}

{{/* Seconds of a time like 90s, 30m, 72h. */}}
{{- define "nameplate.seconds" -}}
{{- $unit := trimAll "0123456789" . -}}
{{ mul (trimSuffix $unit . | int) (get (dict "s" 1 "m" 60 "h" 3600) $unit) }}
{{- end -}}

{{/* What Argo's controller counts of a thing: `of` are keys of workflows/metrics.yaml. Nothing where it is off.
     Call with (dict "root" $ "of" list "step" name). */}}
{{- define "nameplate.metrics" -}}
{{- $known := .root.Files.Get "workflows/metrics.yaml" | replace "STEP" .step | fromYaml -}}
{{- $found := list -}}
{{- range .of }}{{ $found = concat $found (get $known . | default list) }}{{ end -}}
{{- if .root.Values.workflow.metrics -}}
metrics: {{ dict "prometheus" $found | toJson }}
{{- end -}}
{{- end -}}

{{/* How Argo treats a step's pod. */}}
{{- define "nameplate.handling" -}}
metadata:
  {{- $labels := include "nameplate.clientLabels" .root | fromYaml }}
  {{- with .place.name }}{{ $labels = set $labels "nameplate.dev/pool" . }}{{ end }}
  {{- include "nameplate.podMetadata" (dict "component" .step.name "labels" $labels "place" .place) | nindent 2 }}
executor: {serviceAccountName: nameplate-executor}
archiveLocation: {archiveLogs: {{ .root.Values.workflow.archiveLogs }}}
{{- if ne .command "export" }}
{{ include "nameplate.metrics" (dict "root" .root "of" (list "pod" .step.name) "step" .step.name) }}
{{- end }}
{{- if .place.limit }}
synchronization:
  semaphores:
    - configMapKeyRef: {name: nameplate-pools, key: {{ .place.name | default (printf "step.%s" .step.name) }}}
{{- end }}
{{- if ne .command "export" }}
{{- /* Retry failures of machines, not mistakes: 75 (try again), 143 (SIGTERM), a SIGKILL that was not for memory, a
       pod that was taken away (deleted, or no exit code: evicted, its node shut down or not ready for it). A chunk's
       pod knows itself when attempts bring nothing (--retries), so that many are allowed; other errors, of pods that
       perhaps never ran, are tried again that often at all. The plan is not retried after 75: its problems are
       shown at once. */}}
{{- $retries := include "nameplate.retries" . }}
{{- $gone := `lastRetry.message contains "pod deleted" || (lastRetry.status != "Error" && asInt(lastRetry.exitCode) == -1 && !(lastRetry.message contains "deadline"))` }}
{{- $error := printf `(lastRetry.status == "Error" && asInt(retries) < %s)` $retries }}
{{- $killed := `(asInt(lastRetry.exitCode) == 137 && !(lastRetry.message contains "OOMKilled"))` }}
{{- $asked := printf `asInt(lastRetry.exitCode) in [%s143]` (ternary "" "75, " (eq .command "plan")) }}
retryStrategy:
  limit: {{ ternary (int .root.Values.workflow.maxAttempts | toString) $retries (eq .command "chunk") | quote }}
  retryPolicy: Always
  expression: {{ list $gone $asked $killed $error | join " || " | quote }}
  backoff: {duration: 5s, factor: 3, cap: 1m}
{{- end }}
{{- end -}}
