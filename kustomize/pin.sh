#!/usr/bin/env bash
# Pins the images of kustomize/components/images by digest; needs Docker and kustomize.
#   kustomize/pin.sh           asks each registry which digest its tag has today
#   kustomize/pin.sh --check   fails where an image has only a tag; asks nobody
set -euo pipefail
cd "$(dirname "$0")/components/images"

if [ "${1:-}" = --check ]; then
  if grep -B2 newTag kustomization.yaml; then
    echo "These images have only a tag, which may be another image tomorrow: run kustomize/pin.sh and commit." >&2
    exit 1
  fi
  exit
fi

awk '/^- name:/ {name = $3; source = $3} /newName:/ {source = $2} /newTag:/ {gsub("\"", ""); print name, source, $2}' \
  kustomization.yaml |
while read -r name source tag; do
  digest=$(docker buildx imagetools inspect "$source:$tag" --format '{{.Manifest.Digest}}' < /dev/null)
  kustomize edit set image "$name=$source@$digest"
done
