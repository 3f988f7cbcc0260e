#!/bin/sh
# Fetches a newer QEMU beside the distribution's, without installing anything: bookworm-backports' packages,
# unpacked into a cache folder. Prints the program for Arm machines; tests use it when DOORBELL_QEMU_10 names it, or when
# it lies in that folder. The program for RISC-V machines, whose IOMMU the distribution's own QEMU lacks, lies beside it.
#
#   build/fetch-qemu10.sh [folder]      default: ${XDG_CACHE_HOME:-~/.cache}/doorbell/qemu-10
#
# For Debian 12 with its own QEMU packages installed, whose libraries the newer one uses. The mirror is the one of
# the system's apt sources.
set -eu

folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/doorbell/qemu-10}
program=$folder/usr/bin/qemu-system-aarch64

fail() {
  echo "fetch-qemu10: $*" >&2
  exit 1
}

if [ ! -x "$program" ] || [ ! -x "$folder/usr/bin/qemu-system-riscv64" ]; then
  # shellcheck disable=SC1091
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  [ "$codename" = bookworm ] || fail "made for Debian bookworm, this is '$codename': install a QEMU 10 and name it in DOORBELL_QEMU_10"
  command -v qemu-system-aarch64 > /dev/null || fail "install qemu-system-arm first: the newer one uses its libraries"

  mirror=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) bookworm .*/\2/p' \
    /etc/apt/sources.list /etc/apt/sources.list.d/* 2> /dev/null | grep '/debian/*$' | head -n 1)
  [ -n "$mirror" ] || fail "the apt sources name no Debian mirror"

  work=$folder.part
  rm -rf "$work"
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror bookworm-backports main" > "$work/sources.list"
  set -- -q -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- \
    -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=
  apt-get "$@" update >&2
  (cd "$work" && apt-get "$@" -t bookworm-backports download \
    qemu-system-arm qemu-system-riscv qemu-system-common qemu-system-data >&2)
  mkdir "$work/root"
  for package in "$work"/qemu-system-*.deb; do
    dpkg -x "$package" "$work/root"
  done
  rm -rf "$folder"
  mv "$work/root" "$folder"
  rm -rf "$work"
fi

"$program" -L "$folder/usr/share/qemu" --version | head -n 1 >&2
echo "$program"
