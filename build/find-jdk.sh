# Finds a JDK that can build and run Doorbell. Sourced by ./verify and ./doorbell; needs only a POSIX shell.
#
# Looks, in this order, at DOORBELL_JAVA_HOME, JAVA_HOME, the java and javac of PATH, and the places where
# distributions and version managers put JDKs. Sets JAVA_HOME and exports it. A JDK named by DOORBELL_JAVA_HOME
# that is too old is an error, not a reason to look further.

doorbell_jdk_wanted=25.0.3

# Holds when the version $1 is the wanted one or later, compared as three numbers.
doorbell_version_fits() {
  doorbell_ifs=$IFS
  IFS=.
  # shellcheck disable=SC2086
  set -- $1 0 0 0
  doorbell_major=$1 doorbell_minor=$2 doorbell_patch=$3
  # shellcheck disable=SC2086
  set -- $doorbell_jdk_wanted
  IFS=$doorbell_ifs
  [ "$doorbell_major" -eq "$1" ] || { [ "$doorbell_major" -gt "$1" ]; return; }
  [ "$doorbell_minor" -eq "$2" ] || { [ "$doorbell_minor" -gt "$2" ]; return; }
  [ "$doorbell_patch" -ge "$3" ]
}

# Holds when folder $1 holds a JDK (not a mere run-time image) that is new enough. Starts no process where the
# JDK has a file `release`, as all since 9 have.
doorbell_jdk_fits() {
  [ -x "$1/bin/javac" ] && [ -x "$1/bin/java" ] || return 1
  doorbell_version=
  if [ -r "$1/release" ]; then
    while IFS='=' read -r doorbell_key doorbell_value; do
      if [ "$doorbell_key" = JAVA_VERSION ]; then
        doorbell_version=$doorbell_value
      fi
    done <"$1/release"
  else
    doorbell_version=$("$1/bin/java" -version 2>&1 | sed -n 's/.*version "\([^"]*\)".*/\1/p' | head -n 1)
  fi
  doorbell_version=${doorbell_version#\"}
  doorbell_version=${doorbell_version%\"}
  doorbell_version=${doorbell_version%%[!0-9.]*}
  [ -n "$doorbell_version" ] && doorbell_version_fits "$doorbell_version"
}

doorbell_find_jdk() {
  if [ -n "${DOORBELL_JAVA_HOME:-}" ]; then
    if doorbell_jdk_fits "$DOORBELL_JAVA_HOME"; then
      JAVA_HOME=$DOORBELL_JAVA_HOME
      export JAVA_HOME
      return 0
    fi
    echo "doorbell: DOORBELL_JAVA_HOME is $DOORBELL_JAVA_HOME, where there is no JDK $doorbell_jdk_wanted or later" >&2
    return 1
  fi
  doorbell_path_java=$(command -v javac || true)
  if [ -n "$doorbell_path_java" ]; then
    doorbell_path_java=$(readlink -f "$doorbell_path_java" 2>/dev/null || echo "$doorbell_path_java")
    doorbell_path_java=${doorbell_path_java%/bin/javac}
  fi
  for doorbell_candidate in "${JAVA_HOME:-}" "$doorbell_path_java" \
      /usr/lib/jvm/* /usr/lib64/jvm/* /usr/java/* /opt/java/* /opt/jdk* /opt/*/jdk* \
      "${HOME:-/nonexistent}"/.sdkman/candidates/java/* "${HOME:-/nonexistent}"/.jdks/* \
      "${HOME:-/nonexistent}"/.asdf/installs/java/* "${HOME:-/nonexistent}"/.local/share/mise/installs/java/* \
      /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    if [ -n "$doorbell_candidate" ] && doorbell_jdk_fits "$doorbell_candidate"; then
      JAVA_HOME=$doorbell_candidate
      export JAVA_HOME
      return 0
    fi
  done
  echo "doorbell: no JDK $doorbell_jdk_wanted or later found (looked at DOORBELL_JAVA_HOME, JAVA_HOME, PATH, /usr/lib/jvm" \
    "and the other usual places); install one, or name one with DOORBELL_JAVA_HOME" >&2
  return 1
}
