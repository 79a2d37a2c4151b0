#!/bin/sh
# Does what the Dockerfile does, without a container engine, and tries the
# result: the build context as .dockerignore leaves it, the module download from
# go.mod alone, the static build, and the binary as a user without rights in a
# folder of its own, with an empty environment.
set -eu
root="$(pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/src" "$work/out/data"

# COPY go.mod go.sum, RUN go mod download
cp go.mod go.sum "$work/src/"
mkdir -p "$work/src/internal" && cp -r internal/nosqlite3 "$work/src/internal/"
(cd "$work/src" && go mod download)

# COPY . .
git ls-files -z --cached --others --exclude-standard | xargs -0 tar -cf - | tar -xf - -C "$work/src"

# RUN go build
(cd "$work/src" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X frontline/cli.Version=image" -o "$work/out/frontline" .)

# FROM scratch: nothing but the binary may be needed
if command -v file >/dev/null && ! file "$work/out/frontline" | grep -q 'statically linked'; then
	echo "the binary is not static" >&2
	exit 1
fi
size=$(wc -c <"$work/out/frontline")
echo "binary: $size bytes"
[ "$size" -lt 62914560 ] || { echo "the binary is over 60 MB" >&2; exit 1; }

# USER 65532, ENTRYPOINT with its commands
run="env -i $work/out/frontline"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$work" "$work/out" && chown 65532:65532 "$work/out/data"
	run="setpriv --reuid=65532 --regid=65532 --clear-groups env -i $work/out/frontline"
fi
cd "$work/out/data"
$run version | grep -q '^frontline image$'
$run config example >frontline.yaml
code=0
$run serve -config /nonexistent.yaml 2>/dev/null || code=$?
[ "$code" = 2 ] || { echo "serve with a missing file ended with $code, not 2" >&2; exit 1; }
code=0
$run serve 2>err.txt || code=$?
[ "$code" = 2 ] && grep -q 'frontline demo' err.txt || { echo "serve without a corp id must end with 2 and name demo" >&2; exit 1; }
$run migrate
grep -q '^USER 65532' "$root/Dockerfile"
echo "the steps of the Dockerfile work"
