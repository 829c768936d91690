#!/bin/sh
# Spark's resource discovery: the addresses of this worker's GPUs as the JSON that Spark expects.
addresses=$(nvidia-smi --query-gpu=index --format=csv,noheader | sed 's/.*/"&"/' | paste -sd, -)
echo "{\"name\": \"gpu\", \"addresses\": [$addresses]}"
