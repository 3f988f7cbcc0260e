#!/bin/sh
# Runs the differential test over a long range of seeds, slice by slice, and keeps a ledger of what ran. Stopped at any
# moment, it goes on behind the last slice that was finished when it is called again.
#
#   build/diff-slices.sh LEDGER HARDWARE FIRST LAST [SLICE]      SLICE: seeds a call of `doorbell diff`, default 2000
#
# LEDGER is a table, tabs between its columns; each line says which seeds of which hardware ran, at which commit and
# on which QEMU, and what came out. It runs from a copy of the application, LEDGER.app, which it makes from this tree
# when it is not there: so that building goes on undisturbed. Remove it to test a newer state.
#
# A difference that is not known ends it: the seed gets a line of its own, and the report is LEDGER.d/HARDWARE-SEED.json. The next
# call goes on behind that seed.
#
# Exit status: 0 the range is done, 1 an unknown difference, 2 it could not run.
set -eu

[ $# -ge 4 ] || {
  sed -n '2,16s/^# \{0,1\}//p' "$0" >&2
  exit 2
}
ledger=$1 hardware=$2 first=$3 last=$4 slice=${5:-2000}
here=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")/.." && pwd -P)
. "$here/build/find-jdk.sh"
doorbell_find_jdk || exit 2

app=$ledger.app
if [ ! -r "$app/commit" ]; then
  "$here/doorbell" --version > /dev/null || exit 2
  rm -rf "$app.part" "$app"
  mkdir -p "$app.part"
  read -r built < "$here/.cache/app/current"
  cp "$built"/*.jar "$app.part/"
  commit=$(git -C "$here" rev-parse --short=12 HEAD)
  [ -z "$(git -C "$here" status --porcelain -- '*.java' '*.xml')" ] || commit=$commit+
  echo "$commit" > "$app.part/commit"
  mv "$app.part" "$app"
fi
read -r commit < "$app/commit"
[ -s "$ledger" ] || printf 'ended\thardware\tfirst\tlast\tcommit\tother\tsteps\tresult\tknown\n' > "$ledger"

# Prints the first seed from $first on that no line has.
missing() {
  awk -F '\t' -v h="$hardware" -v at="$first" '
    BEGIN { n = 0 }
    NR > 1 && $2 == h { from[n] = $3; to[n] = $4; n++ }
    END {
      do {
        moved = 0
        for (i = 0; i < n; i++) if (from[i] <= at && at <= to[i]) { at = to[i] + 1; moved = 1 }
      } while (moved)
      printf "%d\n", at
    }' "$ledger"
}

# Prints a field of the report, without quotes.
field() {
  sed -n "s/^ *\"$1\" : \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}$/\1/p" "$report" | head -n 1
}

# note FIRST LAST RESULT adds a line.
note() {
  known=$(sed -n '/^  "known" : {$/,/^  }/s/^ *"\(.*\)" : \([0-9]*\),\{0,1\}$/\1=\2/p' "$report" | paste -s -d ' ' -)
  printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$hardware" "$1" "$2" "$commit" \
    "$(field other)" "$(field steps)" "$3" "$known" >> "$ledger"
}

report=$(mktemp)
trap 'rm -f "$report"' EXIT
trap 'exit 130' INT TERM
while :; do
  from=$(missing)
  [ "$from" -le "$last" ] || exit 0
  count=$((last - from + 1))
  [ "$count" -le "$slice" ] || count=$slice
  status=0
  "$JAVA_HOME/bin/java" -XX:+UseSerialGC -Xmx512m -Ddoorbell.home="$here" -cp "$app/*" dev.doorbell.cli.Main \
    diff --hardware "$hardware" --seed "$from" --count "$count" --json > "$report" 2> "$report.err" || status=$?
  case $status in
    0)
      note "$from" $((from + count - 1)) same ;;
    1)
      seed=$((from + $(field scenarios) - 1))
      mkdir -p "$ledger.d"
      cp "$report" "$ledger.d/$hardware-$seed.json"
      [ "$seed" -eq "$from" ] || note "$from" $((seed - 1)) same
      printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$hardware" "$seed" "$seed" \
        "$commit" "$(field other)" "" different "" >> "$ledger"
      rm -f "$report.err"
      echo "diff-slices: $hardware seed $seed shows a difference that is not known; see $ledger.d/$hardware-$seed.json" >&2
      exit 1 ;;
    *)
      echo "diff-slices: $hardware from seed $from could not run (status $status):" >&2
      tail -n 5 "$report.err" >&2
      rm -f "$report.err"
      exit 2 ;;
  esac
  rm -f "$report.err"
done
