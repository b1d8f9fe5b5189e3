#!/usr/bin/env bash
# A laptop's cluster for Seaway: kind, the pinned operators, an S3 server with a bucket, an MLflow, Seaway's account, the
# keys that sign model packages, the token of the endpoint `flights`.
#   kustomize/kind.sh [NAME]
# Run again, it changes nothing that is there. `kind delete cluster --name seaway` ends it.
set -euo pipefail
cd "$(dirname "$0")"
name=${1:-seaway}
for tool in docker kind kubectl openssl; do
  command -v "$tool" > /dev/null || { echo "kind.sh needs $tool, which is not on PATH." >&2; exit 1; }
done

kind get clusters 2>/dev/null | grep -qx "$name" || kind create cluster --name "$name" --wait 5m
kubectl() { command kubectl --context "kind-$name" "$@"; }

for operator in training-operator trainer pipelines; do
  kubectl apply --server-side --force-conflicts -k "overlays/kind/operators/$operator"
done
kubectl -n kubeflow wait --for=condition=Available deployment/training-operator --timeout=5m
kubectl -n kubeflow-system wait --for=condition=Available deployment --all --timeout=5m

kubectl apply --server-side -f overlays/kind/namespace.yaml
secret() { # NAME, and its lines on standard input
  kubectl -n seaway get secret "$1" > /dev/null 2>&1 ||
    kubectl -n seaway create secret generic "$1" --from-env-file=/dev/stdin
}
key=$(openssl rand -hex 24)
token=$(openssl rand -hex 32)
secret seaway-storage << KEYS
AWS_ENDPOINT_URL=http://seaweedfs:8333
AWS_ACCESS_KEY_ID=seaway
AWS_SECRET_ACCESS_KEY=$key
KEYS
secret seaway-endpoint-tokens <<< "flights=$token"
kubectl -n seaway label --overwrite secret seaway-endpoint-tokens app.kubernetes.io/managed-by=seaway # steps add theirs
./signing.sh seaway --context "kind-$name"
kubectl apply --server-side -k overlays/kind
kubectl -n seaway rollout status statefulset/seaweedfs --timeout=5m
kubectl -n seaway exec -i statefulset/seaweedfs -- weed shell -master=localhost:9333 <<< "s3.bucket.create -name seaway"
