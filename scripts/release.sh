#!/bin/sh
# Builds the released binaries, static and reproducible.
set -eu
version="$1"
mkdir -p dist
for target in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64; do
	os="${target%/*}" arch="${target#*/}"
	CGO_ENABLED=0 GOOS="$os" GOARCH="$arch" go build -trimpath -ldflags "-s -w -X frontline/cli.Version=$version" -o "dist/frontline-$os-$arch" .
done
cd dist && sha256sum frontline-* >SHA256SUMS && cat SHA256SUMS
