#!/bin/sh
# Plants faults in copies of the sources of core, one at a time, and tells which test notices each.
#
#   build/sabotage.sh [PART-OF-NAME...]     all unless told
#
# The faults are in stress/src/main/resources/dev/doorbell/stress/sabotages.txt; docs/sabotage.md has the table that this prints. Ends with 1 when a
# fault is not noticed, or cannot be planted any more because the lines are others now.
set -eu
cd "$(dirname "$0")/.."
here=$(pwd)
. "$here/build/find-jdk.sh"
doorbell_find_jdk
nice -n 10 mvn -q -Pquick,jcstress test-compile -pl stress -am
out=target/quick
path=$here/stress/$out/classes:$here/core/$out/classes:$here/core/$out/test-classes:$here/testkit/$out/classes
for jar in "$here/stress/$out/lib"/*.jar; do
  path=$path:$jar
done
exec nice -n 10 "$JAVA_HOME/bin/java" -cp "$path" dev.doorbell.stress.SabotageRun "$here" "$@"
