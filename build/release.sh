#!/usr/bin/env bash
# Static binaries of both commands for Linux, Windows and macOS, with checksums.
set -euo pipefail
version=${1:-dev}
rm -rf dist && mkdir -p dist
for target in linux/amd64 linux/arm64 windows/amd64 darwin/amd64 darwin/arm64; do
  os=${target%/*}; arch=${target#*/}; ext=; [ "$os" = windows ] && ext=.exe
  for command in warifu warifud; do
    echo "==> $command $version for $os/$arch"
    CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -trimpath -ldflags "-s -w" -o "dist/$command-$version-$os-$arch$ext" "./cmd/$command"
  done
done
(cd dist && sha256sum * >SHA256SUMS)
