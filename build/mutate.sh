#!/bin/sh
# Mutation testing of one room of core by the room's own tests, with PIT (fetched on first use; no part of the build).
#
#   build/mutate.sh ROOM [MAVEN-OPTION...]     such as bits, address, iova, iommu, irq, hw.smmuv2
#
# Where a room's properties are long, -DjvmArgs=-Ddoorbell.seed=1 tries one case of each; a score is then a lower bound.
# PIT counts a timeout as killed; its XML tells them apart.
# The report is core/target/quick/pit-reports/index.html; its figures are printed.
set -eu
cd "$(dirname "$0")/.."
room=${1:?usage: build/mutate.sh ROOM [MAVEN-OPTION...]}
shift
here=$(pwd)
. "$here/build/find-jdk.sh"
doorbell_find_jdk
exec nice -n 19 mvn -Pquick,mutation test -pl core -am -Dtest=None -Dsurefire.failIfNoSpecifiedTests=false "-Ddoorbell.mutate=$room" "$@"
