#!/bin/sh
# Lets Jazzer look for input that a fuzz target does not bear.
#
#   build/fuzz.sh TARGET [SECONDS]     600 seconds unless told
#
# Targets are the folders of fuzz/corpus. New inputs that reach new code are kept in fuzz/target/found/TARGET; what breaks the target
# is written to fuzz/target/crash-*, and belongs, once repaired, into fuzz/corpus/TARGET, which the ordinary tests replay.
set -eu
cd "$(dirname "$0")/.."
target=${1:?usage: build/fuzz.sh TARGET [SECONDS]}
seconds=${2:-600}
[ -d "fuzz/corpus/$target" ] || { echo "fuzz.sh: no target $target; there are:" fuzz/corpus/* >&2; exit 2; }
here=$(pwd)
. "$here/build/find-jdk.sh"
doorbell_find_jdk
java=$JAVA_HOME/bin/java
class=dev.doorbell.fuzz.FuzzEntry
module=core
case $target in
  diff-script) class=dev.doorbell.diff.ScriptFuzz module=diff ;;
  trace-state) class=dev.doorbell.cli.TraceStateFuzz module=cli ;;
  arguments) class=dev.doorbell.cli.ArgumentsFuzz module=cli ;;
  gdb-answers) class=dev.doorbell.qemu.GdbAnswersFuzz module=qemu ;;
  linux-texts) class=dev.doorbell.linux.LinuxTextsFuzz module=linux ;;
  vm-image) class=dev.doorbell.vmm.KernelImageFuzz module=linux ;;
esac
[ "${DOORBELL_FUZZ_BUILT:-}" ] || mvn -q -Pquick test-compile -pl "$module" -am
[ -d fuzz/target/lib ] || mvn -q -f fuzz/pom.xml dependency:copy-dependencies
mkdir -p "fuzz/target/found/$target"
path=testkit/target/quick/classes
for m in core qemu linux diff bench cli; do
  path=$path:$m/target/quick/classes:$m/target/quick/test-classes
done
exec nice -n 19 "$java" -XX:+EnableDynamicAgentLoading --enable-native-access=ALL-UNNAMED -Xmx1g -ea \
  "-Ddoorbell.fuzz.target=$target" \
  "-Ddoorbell.root=$here" -cp "$path:fuzz/target/lib/*" \
  com.code_intelligence.jazzer.Jazzer \
  "--target_class=$class" \
  --instrumentation_includes='dev.doorbell.**' \
  --reproducer_path=fuzz/target \
  "-artifact_prefix=fuzz/target/" \
  "-max_total_time=$seconds" -max_len=8192 -rss_limit_mb=3000 -print_final_stats=1 \
  "fuzz/target/found/$target" "fuzz/corpus/$target"
