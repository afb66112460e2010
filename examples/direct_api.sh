#!/bin/sh
# A Bell pair over the job API, with curl and sed alone: submit, wait, print the probabilities.
#
# IONQ_API_KEY holds the key; IONBOX_URL the server, if it is not the one of `make serve`.
set -eu

jobs="${IONBOX_URL:-http://127.0.0.1:8000}/v0.3/jobs"

call() {
    curl --silent --show-error --header "Authorization: apiKey $IONQ_API_KEY" "$@"
}

# Print the text under a key of a flat JSON object; print nothing where the key is missing.
value_of() {
    sed -n 's/.*"'"$1"'":"\([^"]*\)".*/\1/p'
}

answer=$(call --header "Content-Type: application/json" --data @- "$jobs" <<'JSON'
{
  "name": "API example circuit",
  "shots": 100,
  "target": "simulator",
  "input": {
    "format": "ionq.circuit.v0",
    "gateset": "qis",
    "qubits": 2,
    "circuit": [
      {"gate": "h", "target": 0},
      {"gate": "cnot", "control": 0, "target": 1}
    ]
  }
}
JSON
)
id=$(printf '%s' "$answer" | value_of id)
if [ -z "$id" ]; then
    printf 'not submitted: %s\n' "$answer" >&2
    exit 1
fi
echo "submitted job $id"

status=ready
while [ "$status" != completed ]; do
    case $status in failed | canceled)
        call "$jobs/$id?include=failure" >&2
        exit 1 ;;
    esac
    sleep 1
    status=$(call "$jobs/$id?include=status" | value_of status)
    echo "it is $status"
done

call "$jobs/$id/results"
echo
