#!/bin/sh
# Tries many more draws of what two threads do at once than the ordinary tests do.
#
#   build/stress.sh [FACTOR]     100 times as many unless told
set -eu
cd "$(dirname "$0")/.."
here=$(pwd)
. "$here/build/find-jdk.sh"
doorbell_find_jdk
exec nice -n 19 mvn -q -Pquick test -pl core -am '-Dtest=*OrderTest' -Dsurefire.failIfNoSpecifiedTests=false "-Ddoorbell.effort=${1:-100}"
