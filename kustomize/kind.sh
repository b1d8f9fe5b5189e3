#!/usr/bin/env bash
# A laptop's cluster for Seaway: kind, the pinned operators, an S3 server with a bucket, Seaway's account.
#   kustomize/kind.sh [NAME]
# Run again, it changes nothing that is there. `kind delete cluster --name seaway` ends it.
set -euo pipefail
cd "$(dirname "$0")"
name=${1:-seaway}

kind get clusters 2>/dev/null | grep -qx "$name" || kind create cluster --name "$name" --wait 5m
kubectl() { command kubectl --context "kind-$name" "$@"; }

for operator in training-operator trainer pipelines; do
  kubectl apply --server-side --force-conflicts -k "operators/$operator"
done
kubectl -n kubeflow wait --for=condition=Available deployment/training-operator --timeout=5m
kubectl -n kubeflow-system wait --for=condition=Available deployment --all --timeout=5m

kubectl apply --server-side -f overlays/kind/namespace.yaml
kubectl -n seaway get secret seaway-storage >/dev/null 2>&1 ||
  kubectl -n seaway create secret generic seaway-storage --from-env-file=/dev/stdin <<KEYS
AWS_ENDPOINT_URL=http://seaweedfs:8333
AWS_ACCESS_KEY_ID=seaway
AWS_SECRET_ACCESS_KEY=$(openssl rand -hex 24)
KEYS
kubectl apply --server-side -k overlays/kind
kubectl -n seaway rollout status statefulset/seaweedfs --timeout=5m
kubectl -n seaway exec -i statefulset/seaweedfs -- weed shell -master=localhost:9333 <<< "s3.bucket.create -name seaway"
