{{/* The map `patch` laid over the map `onto`, as JSON: maps are merged key by key, lists of named things by
     name (a pod's mounts by path), tolerations and groups add up, anything else is replaced; null says nothing. */}}
{{- define "nameplate.merged" -}}
{{- $merged := deepCopy .onto -}}
{{- range $key, $new := .patch -}}
{{- $old := get $merged $key -}}
{{- if and (kindIs "map" $new) (kindIs "map" $old) -}}
{{- $new = include "nameplate.merged" (dict "onto" $old "patch" $new) | fromJson -}}
{{- else if and (kindIs "slice" $new) (kindIs "slice" $old) -}}
{{- $new = include "nameplate.mergedLists" (dict "key" $key "onto" $old "patch" $new) | fromJsonArray -}}
{{- end -}}
{{- if not (kindIs "invalid" $new) }}{{ $_ := set $merged $key $new }}{{ end -}}
{{- end -}}
{{- toJson $merged -}}
{{- end -}}

{{/* A container that the pod does not have is added if it has an image: a patch for all pods may name
     containers that only some of them have. */}}
{{- define "nameplate.mergedLists" -}}
{{- $name := ternary "mountPath" "name" (eq .key "volumeMounts") -}}
{{- if has .key (list "tolerations" "supplementalGroups") -}}
{{- concat .onto .patch | uniq | toJson -}}
{{- else if not .patch -}}
{{- toJson .onto -}}
{{- else if not (and (kindIs "map" (first .patch)) (hasKey (first .patch) $name)) -}}
{{- toJson .patch -}}
{{- else -}}
{{- $merged := list -}}
{{- $known := list -}}
{{- range $item := .onto -}}
{{- range $.patch -}}
{{- if eq (get . $name) (get $item $name) -}}
{{- $item = include "nameplate.merged" (dict "onto" $item "patch" .) | fromJson -}}
{{- end -}}
{{- end -}}
{{- $merged = append $merged $item -}}
{{- $known = append $known (get $item $name) -}}
{{- end -}}
{{- range .patch -}}
{{- if not (or (has (get . $name) $known) (and (hasSuffix "ontainers" $.key) (not .image))) -}}
{{- $merged = append $merged . -}}
{{- end -}}
{{- end -}}
{{- toJson $merged -}}
{{- end -}}
{{- end -}}
