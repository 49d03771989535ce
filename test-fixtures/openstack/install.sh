#!/usr/bin/env bash
# Installs from Debian 12 what lab.mjs starts. Run as root: sudo test-fixtures/openstack/install.sh
set -euo pipefail

packages=(
  swift-proxy swift-account swift-container swift-object python3-swiftclient
  keystone uwsgi-core uwsgi-plugin-python3 python3-keystonemiddleware
  memcached openssl
  python3-cinder python3-zstd python3-boto3
)

if [ "${1:-}" = --print ]; then
  echo "apt-get install --no-install-recommends ${packages[*]}"
  exit
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit

# Debian starts what it installs. The lab starts its own, on loopback, and wants none of the system's.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' > $policy
  chmod 755 $policy
  trap 'rm -f $policy' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}"
