# Distribution packages of other suites and architectures, fetched and unpacked into the cache without touching the system.
# Sourced by lab/run. Uses: cache (a folder).
#
# The archive's address is the one that this system's own apt uses; only the suite changes.

lab_suite=trixie

# The one before, for older kernels.
lab_old_suite=bookworm

# The architectures whose lists were fetched by this run.
lab_fresh=

# Below, ARCH is an architecture as the distribution names it, or ARCH@SUITE of another suite than the lab's.

# lab_lines ARCH: the lines of apt's sources. For POWER a mirror may have the suite's list and not yet its packages; the next suite's beside them
# are as good, as nothing of this system runs with them.
lab_lines() {
  main=$(lab_archive /debian) || { echo "lab: no Debian archive in apt's sources" >&2; return 1; }
  case $1 in *@*) suite=${1#*@} ;; *) suite=$lab_suite ;; esac
  echo "deb $main $suite main"
  if [ "$1" = ppc64el ]; then
    echo "deb $main forky main"
    return
  fi
  echo "deb $main $suite-updates main"
  [ "$suite" != "$lab_suite" ] || echo "deb $main $suite-backports main"
  if security=$(lab_archive /debian-security); then echo "deb $security $suite-security main"; fi
}

# lab_archive WORD: prints the first address in apt's sources that ends in WORD.
lab_archive() {
  # With pipefail each part has to succeed: a file that is not there must not fail it, and awk reads to the end.
  {
    cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed -n 's/^URIs:[[:space:]]*//p' | tr ' ' '\n'
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
      sed -n 's/^deb[[:space:]]\+\(\[[^]]*\][[:space:]]*\)\?\([^[:space:]]*\).*/\2/p'
    true
  } | awk -v word="$1" '{ sub(/\/*$/, "") } !found && substr($0, length($0) - length(word) + 1) == word { found = 1; print } END { exit !found }'
}

# lab_apt ARCH ARGUMENTS: apt-get with its own lists, cache and sources, for one architecture. lab_apt_cache: the same of apt-cache.
lab_apt() { lab_apt_tool apt-get "$@"; }
lab_apt_cache() { lab_apt_tool apt-cache "$@"; }

lab_apt_tool() {
  tool=$1
  state=$cache/apt/$2
  arch_only=${2%@*}
  shift 2
  "$tool" -q -o Dir::State="$state/state" -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" \
    -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/nonexistent \
    -o APT::Architecture="$arch_only" -o APT::Architectures::="$arch_only" -o APT::Sandbox::User= \
    -o Acquire::Languages=none -o Acquire::Retries=3 -o Acquire::http::Timeout=30 "$@" </dev/null
}

# lab_lists ARCH: what packages there are, as it was when somebody asked first.
lab_lists() {
  [ -e "$cache/apt/$1/ready" ] && [ -e "$cache/apt/$1/sources.list" ] && return
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
    { echo "lab: packages are fetched by apt-get and dpkg-deb, which are not here" >&2; return 1; }
  mkdir -p "$cache/apt/$1/state/lists/partial" "$cache/apt/$1/cache/archives/partial"
  : >"$cache/apt/$1/status"
  lab_lines "$1" >"$cache/apt/$1/sources.list" || return 1
  echo "lab: fetching the list of packages for $1" >&2
  # By itself apt takes lists that cannot be fetched for a warning.
  lab_apt "$1" -o APT::Update::Error-Mode=any update >"$cache/apt/update.log" 2>&1 || { tail -3 "$cache/apt/update.log" >&2; return 1; }
  : >"$cache/apt/$1/ready"
  lab_fresh+=" $1 "
}

# lab_stale ARCH: forgets a list that was made before this run, as what it names may be gone; fails for one that was just made.
lab_stale() {
  case $lab_fresh in *" $1 "*) return 1 ;; esac
  rm -f "$cache/apt/$1/ready"
}

# lab_download ARCH NAME: a package's file in debs.
lab_download() {
  lab_lists "$1" || return 1
  if ! (cd "$cache/debs" && lab_apt "$1" download "$2" >"$cache/apt/download.log" 2>&1); then
    if lab_stale "$1"; then lab_download "$1" "$2"; return; fi
    tail -3 "$cache/apt/download.log" >&2
    return 1
  fi
}

# lab_unpack FOLDER PACKAGE:ARCH...: unpacks packages below a folder, once.
lab_unpack() {
  folder=$1
  shift
  for package in "$@"; do
    mark=$folder/.unpacked/${package}
    [ -e "$mark" ] && continue
    mkdir -p "$cache/debs" "$folder/.unpacked"
    echo "lab: fetching $package" >&2
    rm -f "$cache/debs/${package%%:*}"_*
    lab_download "${package#*:}" "${package%%:*}" || return 1
    dpkg-deb -x "$cache"/debs/"${package%%:*}"_*.deb "$folder" || return 1
    rm -f "$cache/debs/${package%%:*}"_*
    : >"$mark"
  done
}

# lab_download_all NAME...: packages of the suite's backports with what they need, in apt's cache.
lab_download_all() {
  lab_lists amd64 || return 1
  if ! lab_apt amd64 -y --no-install-recommends -t "$lab_suite-backports" --download-only install "$@" >"$cache/apt/download.log" 2>&1; then
    if lab_stale amd64; then lab_download_all "$@"; return; fi
    tail -3 "$cache/apt/download.log" >&2
    return 1
  fi
}

# lab_qemu PACKAGE PROGRAM: sets qemu, a command. The program is that of the suite's backports, which runs with its own C library and
# its own data, so that the lab is the same whatever this system has.
lab_qemu() {
  [ "$(uname -m)" = x86_64 ] || { echo "lab: its QEMU is built for x86-64, this is $(uname -m)" >&2; return 1; }
  root=$cache/qemu
  mark=$root/.unpacked/$1
  if [ ! -e "$mark" ]; then
    mkdir -p "$root/.unpacked"
    echo "lab: fetching $1 with its libraries" >&2
    lab_download_all "$1" ipxe-qemu seabios || return 1
    for deb in "$cache"/apt/amd64/cache/archives/*.deb; do
      name=${deb##*/}
      [ -e "$root/.unpacked/$name" ] && continue
      dpkg-deb -x "$deb" "$root" || return 1
      : >"$root/.unpacked/$name"
    done
    rm -f "$cache"/apt/amd64/cache/archives/*.deb
    : >"$mark"
  fi
  qemu=("$root/usr/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/x86_64-linux-gnu" "$root/usr/bin/$2"
    -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" -L "$root/usr/lib/ipxe/qemu")
}
