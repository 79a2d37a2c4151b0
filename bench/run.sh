#!/bin/sh
# What make bench runs: every figure of bench/README.md, in one go.
set -eu
cd "$(dirname "$0")/.."
export FRONTLINE_BENCH=1
echo "== callbacks: verify, decrypt and decode"
go test -run '^$' -bench 'Decode' -benchtime 1s ./bot
echo "== durable acknowledgements against bare net/http"
go test -count=1 -v -timeout 20m -run 'TestAcks' ./bench
echo "== start, memory, size"
go test -count=1 -v -timeout 10m -run 'TestStart' ./bench
