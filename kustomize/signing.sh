#!/usr/bin/env bash
# The keys that sign and verify model packages, for one namespace: the Secret seaway-signing, unless it is there, and its
# public key in the ConfigMap seaway-settings, owned by a field manager of its own, so that no apply takes it away.
#   kustomize/signing.sh NAMESPACE [--context CONTEXT]
# For a new pair delete the Secret and run this again: packages of the old key are refused from then on.
set -euo pipefail
namespace=$1
context=("${@:2}")
kubectl() { command kubectl --namespace "$namespace" "${context[@]}" "$@"; }

found=$(kubectl get secret seaway-signing --ignore-not-found --output name)
if [ -z "$found" ]; then
  private=$(openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256)
  public=$(openssl pkey -pubout <<< "$private")
  kubectl create secret generic seaway-signing \
    --from-file=signing.pem=<(printf '%s\n' "$private") --from-file=signing.pub=<(printf '%s\n' "$public")
fi
kubectl get secret seaway-signing --output 'jsonpath={.data.signing\.pub}' | base64 -d |
  kubectl create configmap seaway-settings --from-file=signing.pub=/dev/stdin --dry-run=client --output yaml |
  kubectl apply --server-side --field-manager=seaway-signing --filename -
