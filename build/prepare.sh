#!/usr/bin/env bash
# Installs the Debian packages that the tests use: other people's clients (OpenSC,
# OpenSSL, pyscard, Java), the virtual reader, PostgreSQL, and a browser with its fonts. As root, or through sudo;
# otherwise it says which are missing and the tests that need them skip.
set -euo pipefail
need=()
want() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'install ok installed' || need+=("$1"); }
if ! command -v dpkg-query >/dev/null; then
  echo "==> not a Debian machine: install OpenSC, pcscd, vsmartcard-vpcd, python3-pyscard, python3-cryptography, OpenSSL, PostgreSQL, xmlsec1, poppler-utils, poppler-data, qpdf, Apache with mod_auth_openidc, and chromium with fonts-noto-cjk yourself" >&2
  exit 0
fi
for p in opensc pcscd pcsc-tools vsmartcard-vpcd python3-pyscard python3-cryptography openssl postgresql postgresql-client util-linux iproute2 default-jdk-headless xmlsec1 poppler-utils poppler-data qpdf curl jq apache2-bin libapache2-mod-auth-openidc chromium fonts-noto-cjk; do want "$p"; done
if [ "${#need[@]}" -eq 0 ]; then echo "==> test packages: all there"; exit 0; fi
echo "==> installing test packages: ${need[*]}"
run=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then run=(sudo -n); else
    echo "==> neither root nor sudo: please install: apt-get install ${need[*]}" >&2; exit 0
  fi
fi
log=$(mktemp); trap 'rm -f "$log"' EXIT
# PostgreSQL's package would start a cluster of its own; the tests make theirs.
"${run[@]}" mkdir -p /etc/postgresql-common
[ -e /etc/postgresql-common/createcluster.conf ] || echo 'create_main_cluster = false' | "${run[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
if ! { "${run[@]}" apt-get -o Acquire::Retries=3 update && DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get -o Acquire::Retries=3 install -y --no-install-recommends "${need[@]}"; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2; echo "==> the packages could not be installed" >&2; exit 1
fi
echo "==> test packages: installed"
