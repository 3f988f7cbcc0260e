#!/bin/sh
# Runs the jcstress tests (module stress; its harness is fetched on first use and is no part of the build).
#
#   build/jcstress.sh [OPTION...]     such as -t MsiWindow, -m default; -h lists them
#
# Without options each test runs in jcstress's short form. Any outcome that is not allowed makes it end with another code than 0. The report is
# stress/target/results/index.html.
set -eu
cd "$(dirname "$0")/.."
here=$(pwd)
. "$here/build/find-jdk.sh"
doorbell_find_jdk
nice -n 19 mvn -q -Pquick,jcstress test-compile -pl stress -am
out=target/quick
path=$here/stress/$out/classes:$here/core/$out/classes:$here/core/$out/test-classes:$here/testkit/$out/classes:$here/stress/$out/lib/*
mkdir -p stress/target
cd stress/target
[ $# -gt 0 ] || set -- -m quick
exec nice -n 19 "$JAVA_HOME/bin/java" -cp "$path" org.openjdk.jcstress.Main -r results "$@"
