{{/* Settings of a pod, as JSON: the values of `pods`, with the layers laid over them one after another.
     Call with (dict "root" $ "layers" list). */}}
{{- define "nameplate.place" -}}
{{- $place := .root.Values.pods -}}
{{- range .layers -}}
{{- $place = include "nameplate.merged" (dict "onto" $place "patch" .) | fromJson -}}
{{- end -}}
{{- toJson $place -}}
{{- end -}}

{{/* The spec of any pod, as JSON: what every pod has, then what makes it this pod, then the site's patch.
     Call with (dict "root" $ "place" settings "own" spec); the first container does the work. */}}
{{- define "nameplate.podSpec" -}}
{{- $common := include "nameplate.commonSpec" . | fromYaml -}}
{{- $spec := include "nameplate.merged" (dict "onto" $common "patch" .own) | fromJson -}}
{{- include "nameplate.merged" (dict "onto" $spec "patch" .place.patch) -}}
{{- end -}}

{{- define "nameplate.commonSpec" -}}
securityContext: {{ merge (dict "runAsNonRoot" true) .place.securityContext | toJson }}
{{- range $key := list "runtimeClassName" "nodeSelector" "tolerations" "affinity" "priorityClassName" }}
{{- with index $.place $key }}
{{ $key }}: {{ toJson . }}
{{- end }}
{{- end }}
enableServiceLinks: false
volumes:
  - {name: scratch, emptyDir: {{ with .place.scratch }}{sizeLimit: {{ toJson . }}}{{ else }}{}{{ end }}}
  {{- with .root.Values.objectStore.authority }}
  - {name: authority, configMap: {name: {{ . }}}}
  {{- end }}
{{- $worker := (first .own.containers).name }}
{{- range $kind := list "initContainers" "containers" }}
{{- with index $.own $kind }}
{{ $kind }}:
  {{- range . }}
  - name: {{ .name }}
    # What the Pod Security level `restricted` asks of a container, and a root that nobody writes to.
    securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
    {{- if eq .name $worker }}
    imagePullPolicy: {{ $.root.Values.image.pullPolicy }}
    resources: {{ toJson $.place.resources }}
    {{- with $.place.env }}
    env: {{ toJson . }}
    {{- end }}
    volumeMounts:
      - {name: scratch, mountPath: /tmp}
      {{- if $.root.Values.objectStore.authority }}
      - {name: authority, mountPath: {{ include "nameplate.authorityFolder" $ }}, readOnly: true}
      {{- end }}
    {{- else }}
    resources: {{ toJson $.root.Values.pods.resources }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Labels and annotations of a pod: what selects it, and what the site adds.
     Call with (dict "component" name "place" settings "labels" dict). */}}
{{- define "nameplate.podMetadata" -}}
labels:
  {{- merge (include "nameplate.selector" . | fromYaml) (.labels | default dict) .place.labels | toYaml | nindent 2 }}
{{- with .place.annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* envFrom of a container that uses the object store. */}}
{{- define "nameplate.storeEnvironment" -}}
- configMapRef: {name: nameplate-store}
{{- with include "nameplate.storeSecret" . }}
- secretRef: {name: {{ . }}}
{{- end }}
{{- end -}}
