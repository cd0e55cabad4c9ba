{{/* Labels that select the pods of one component. They are in immutable fields and never change. */}}
{{- define "nameplate.selector" -}}
app.kubernetes.io/name: nameplate
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/part-of: nameplate
{{- end }}

{{/* Labels of every object. Call with (dict "root" $ "component" "minio"). */}}
{{- define "nameplate.labels" -}}
{{ include "nameplate.selector" . }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{/* Image of a service. Call with (dict "root" $ "service" "training"). */}}
{{- define "nameplate.image" -}}
{{- $image := .root.Values.image -}}
{{- $tag := get $image.tags .service | default $image.tag | default .root.Chart.AppVersion -}}
{{- with $image.registry }}{{ trimSuffix "/" . }}/{{ end -}}
{{ replace "SERVICE" .service $image.name }}{{ hasPrefix "@" $tag | ternary "" ":" }}{{ $tag }}
{{- end }}

{{/* MinIO's image: from the registry of all images, else from where it is published. A name that starts with a
     host is taken as it is. */}}
{{- define "nameplate.minioImage" -}}
{{- $image := .Values.minio.image -}}
{{- if not (regexMatch "^([^/]*[.:][^/]*|localhost)/" $image) -}}
{{ .Values.image.registry | default "quay.io" | trimSuffix "/" }}/
{{- end -}}
{{ $image }}
{{- end }}

{{/* spec.imagePullSecrets of a pod, or imagePullSecrets of a ServiceAccount; nothing if there are none. */}}
{{- define "nameplate.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* "true" if the chart installs the object store itself, else nothing. */}}
{{- define "nameplate.ownMinio" -}}
{{- if and .Values.minio.enabled (not .Values.objectStore.endpoint) }}true{{ end }}
{{- end }}

{{/* Secret of the campaigns' account; nothing where the pods' identity is the account. */}}
{{- define "nameplate.storeSecret" -}}
{{- if not .Values.objectStore.webIdentity }}{{ .Values.objectStore.existingSecret | default "nameplate-store" }}{{ end }}
{{- end }}

{{- define "nameplate.keySecret" -}}
{{ .Values.patientKey.existingSecret | default "nameplate-patient-key" }}
{{- end }}

{{- define "nameplate.minioSecret" -}}
{{ .Values.minio.existingSecret | default "nameplate-minio" }}
{{- end }}

{{/* URL of the object store; fails with what is missing if there is none. */}}
{{- define "nameplate.endpoint" -}}
{{- $encryption := .Values.objectStore.encryption -}}
{{- if and (include "nameplate.ownMinio" .) (ne $encryption "none") -}}
{{- fail (printf "objectStore.encryption: expected none, got %s: the chart's MinIO has no keys; name an S3 that has in objectStore.endpoint" $encryption) -}}
{{- else if and .Values.objectStore.kmsKey (ne $encryption "aws:kms") -}}
{{- fail "objectStore.kmsKey: expected objectStore.encryption to be aws:kms" -}}
{{- else if and (eq .Values.objectStore.style "virtual") (get (urlParse (trimSuffix "/" .Values.objectStore.endpoint)) "path") -}}
{{- fail "objectStore.style: expected auto or path, since objectStore.endpoint has a path" -}}
{{- end -}}
{{- if and .Values.objectStore.webIdentity (or .Values.objectStore.existingSecret (include "nameplate.ownMinio" .)) -}}
{{- fail "objectStore.webIdentity: expected the endpoint of another S3 and no existingSecret: the account is the pods' ServiceAccount" -}}
{{- else if include "nameplate.ownMinio" . -}}
http://nameplate-minio:9000
{{- else if not .Values.objectStore.endpoint -}}
{{- fail "objectStore.endpoint: expected the URL of an S3 service, since minio.enabled is false" -}}
{{- else if not (or .Values.objectStore.existingSecret .Values.objectStore.webIdentity) -}}
{{- fail "objectStore.existingSecret: expected the name of a Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, since objectStore.endpoint is set (or objectStore.webIdentity)" -}}
{{- else -}}
{{ trimSuffix "/" .Values.objectStore.endpoint }}
{{- end -}}
{{- end }}

{{/* Port of an S3 other than the chart's. */}}
{{- define "nameplate.storePort" -}}
{{- $url := urlParse (include "nameplate.endpoint" .) -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{ .Values.objectStore.port | default $port | default (ternary "443" "80" (eq $url.scheme "https")) }}
{{- end }}

{{/* NetworkPolicy egress rule to the object store. */}}
{{- define "nameplate.storeRule" -}}
{{- $to := .Values.objectStore.peers -}}
{{- if include "nameplate.ownMinio" . -}}
{{- $to = list (dict "podSelector" (dict "matchLabels" (include "nameplate.selector" (dict "component" "minio") | fromYaml))) -}}
{{- else if not $to -}}
{{- range .Values.objectStore.cidrs }}{{ $to = append $to (dict "ipBlock" (dict "cidr" .)) }}{{ end -}}
{{- end -}}
- to:
    {{- toYaml $to | nindent 4 }}
  ports:
    - {protocol: TCP, port: {{ if include "nameplate.ownMinio" . }}9000{{ else }}{{ include "nameplate.storePort" . }}{{ end }}}
{{- end }}

{{/* A store's number, from what a policy opens for it. */}}
{{- define "nameplate.storeNumber" -}}
{{ include "nameplate.storeRule" . | sha256sum | trunc 8 }}
{{- end }}

{{/* Labels of a pod that uses the object store, which open the way to it. */}}
{{- define "nameplate.clientLabels" -}}
nameplate.dev/needs: store
nameplate.dev/store: {{ include "nameplate.storeNumber" . | quote }}
{{- end }}

{{/* NetworkPolicy egress rules to the API server: from values, else from the cluster, else private addresses. */}}
{{- define "nameplate.apiServerRules" -}}
{{- $rules := list -}}
{{- $given := .Values.networkPolicy.apiServer -}}
{{- if not (or $given.cidrs $given.ports) -}}
{{- range (lookup "discovery.k8s.io/v1" "EndpointSlice" "default" "").items -}}
{{- if and (eq (dig "labels" "kubernetes.io/service-name" "" .metadata) "kubernetes") .endpoints .ports -}}
{{- $bits := ternary "128" "32" (eq .addressType "IPv6") -}}
{{- $cidrs := list -}}
{{- range .endpoints }}{{ range .addresses }}{{ $cidrs = append $cidrs (printf "%s/%s" . $bits) }}{{ end }}{{ end -}}
{{- $ports := list -}}
{{- range .ports }}{{ $ports = append $ports (int .port) }}{{ end -}}
{{- $rules = append $rules (dict "cidrs" $cidrs "ports" $ports) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $rules | default (list (dict "cidrs" ($given.cidrs | default (list "10.0.0.0/8" "172.16.0.0/12" "192.168.0.0/16" "100.64.0.0/10" "fc00::/7")) "ports" ($given.ports | default (list 443 6443)))) }}
- to:
    {{- range .cidrs }}
    - ipBlock: {cidr: {{ . | quote }}}
    {{- end }}
  ports:
    {{- range .ports }}
    - {protocol: TCP, port: {{ int . }}}
    {{- end }}
{{- end }}
{{- end }}

{{/* Folder of the site's own authority, for every client of the object store. */}}
{{- define "nameplate.authorityFolder" -}}/etc/nameplate/authority{{- end -}}

{{/* The label by which Argo's controller knows what is its own. */}}
{{- define "nameplate.instance" -}}
{{- with .Values.workflow.instanceId }}workflows.argoproj.io/controller-instanceid: {{ . | quote }}{{ end -}}
{{- end -}}
