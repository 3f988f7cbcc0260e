# Distribution packages of other suites and architectures, fetched and unpacked into the cache without touching the system.
# Sourced by lab/run. Uses: cache (a folder).
#
# The archive's address is the one that this system's own apt uses; only the suite changes.

lab_suite=trixie

# lab_archive WORD: prints the first address in apt's sources that ends in WORD.
lab_archive() {
  {
    cat /etc/apt/sources.list.d/*.sources 2>/dev/null | sed -n 's/^URIs:[[:space:]]*//p' | tr ' ' '\n'
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
      sed -n 's/^deb[[:space:]]\+\(\[[^]]*\][[:space:]]*\)\?\([^[:space:]]*\).*/\2/p'
  } | sed 's:/*$::' | grep -m1 -- "$1\$"
}

# lab_apt ARGUMENTS: apt-get with its own lists, cache and sources.
lab_apt() {
  apt-get -q -o Dir::State="$cache/apt/state" -o Dir::State::status="$cache/apt/status" -o Dir::Cache="$cache/apt/cache" \
    -o Dir::Etc::sourcelist="$cache/apt/sources.list" -o Dir::Etc::sourceparts=/nonexistent \
    -o APT::Architecture=amd64 -o APT::Architectures::=amd64 -o APT::Architectures::=arm64 -o APT::Sandbox::User= \
    -o Acquire::Retries=3 -o Acquire::http::Timeout=30 "$@"
}

lab_lists() {
  [ -e "$cache/apt/ready" ] && return
  mkdir -p "$cache/apt/state/lists/partial" "$cache/apt/cache/archives/partial"
  : >"$cache/apt/status"
  main=$(lab_archive /debian) || { echo "lab: no Debian archive in apt's sources" >&2; return 1; }
  {
    echo "deb $main $lab_suite main"
    echo "deb $main $lab_suite-updates main"
    if security=$(lab_archive /debian-security); then echo "deb $security $lab_suite-security main"; fi
  } >"$cache/apt/sources.list"

  lab_apt update >"$cache/apt/update.log" 2>&1 || { tail -3 "$cache/apt/update.log" >&2; return 1; }
  : >"$cache/apt/ready"
}

# lab_unpack FOLDER PACKAGE:ARCH...: unpacks packages below a folder, once.
lab_unpack() {
  folder=$1
  shift
  for package in "$@"; do
    mark=$folder/.unpacked/${package}
    [ -e "$mark" ] && continue
    lab_lists || return 1
    mkdir -p "$cache/debs" "$folder/.unpacked"
    echo "lab: fetching $package" >&2
    rm -f "$cache/debs/${package%%:*}"_*
    (cd "$cache/debs" && lab_apt download "$package" >"$cache/apt/download.log" 2>&1) ||
      { tail -3 "$cache/apt/download.log" >&2; return 1; }
    dpkg-deb -x "$cache"/debs/"${package%%:*}"_*.deb "$folder" || return 1
    rm -f "$cache/debs/${package%%:*}"_*
    : >"$mark"
  done
}
