#!/bin/sh
# Spark's resource discovery: the addresses of this worker's GPUs as the JSON that Spark expects.
set -eu
indices=$(nvidia-smi --query-gpu=index --format=csv,noheader)
addresses=$(printf '%s\n' "$indices" | sed 's/.*/"&"/' | paste -sd, -)
echo "{\"name\": \"gpu\", \"addresses\": [$addresses]}"
