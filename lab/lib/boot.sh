# One run of one machine. Sourced by lab/run after the other parts. Uses: cache, here, JAVA_HOME.

# What most machines have. Behind ports: an nvme; an igb, which is unplugged; and two e1000e that share their slot, and its reset, but no
# group. On the root bus: two functions that share a group, of which the kernel has a driver for the second.
lab_devices=(
  -device edu,addr=5
  -device e1000e,romfile=,addr=6
  -device edu,addr=b.0,multifunction=on
  -drive if=none,id=d1,file=null-co://,file.size=64M,format=raw
  -device nvme,addr=b.1,serial=mate,drive=d1
  -device pcie-root-port,id=rp0,chassis=1,slot=1,addr=8
  -device pcie-root-port,id=rp1,chassis=2,slot=2,addr=9
  -device pcie-root-port,id=rp2,chassis=3,slot=3,addr=a
  -drive if=none,id=d0,file=null-co://,file.size=64M,format=raw
  -device nvme,id=nvme0,bus=rp0,serial=doorbell,drive=d0,max_ioqpairs=8,msix_qsize=9
  -device igb,id=igb0,romfile=,bus=rp1
  -device e1000e,romfile=,bus=rp2,addr=0.0,multifunction=on
  -device e1000e,romfile=,bus=rp2,addr=0.1
)

# lab_machine NAME: reads the file of a machine, which sets
#   arch      the guest's architecture as the distribution names it
#   emulator  QEMU's package and program
#   image     the file of a kernel with everything built in, a pattern; none where only the distribution's kernel will do
#   modules   those of the distribution's kernel that are loaded first
#   options   QEMU's machine, its way to offer the folder `lab` by 9p, and its devices
#   defaults  what QEMU leaves out of the machine
#   append    the kernel's command line
#   steps     what runs inside: classes of lab/guest with arguments; all of them must end with 0
#   memory    MiB
#   guest     1 where a guest of its own boots inside: the share has the kernel and an initramfs for it
lab_machine() {
  [ -r "$here/lab/machines/$1" ] ||
    { echo "lab: there is no machine $1 among: $(ls "$here/lab/machines" | tr '\n' ' ')" >&2; return 1; }
  options=() steps=() append='' memory=1024 guest='' image='' modules=("${lab_drivers[@]}") defaults=(-nodefaults)
  . "$here/lab/machines/$1"
}

# lab_run MACHINE [STEP]: 0 passed, 1 failed inside, 2 could not run.
lab_run() {
  # A name that is wrong is a mistake, not something missing.
  lab_machine "$1" || return 1
  [ -z "$2" ] || steps=("$2")
  limit=${DOORBELL_LAB_SECONDS:-1200}
  command -v setpriv >/dev/null || { echo "lab: setpriv (util-linux) is missing here" >&2; return 2; }
  exec 8>"$cache/lock"
  flock -w 1200 8 || { echo "lab: another run holds $cache" >&2; return 2; }
  lab_kernel "$arch" && lab_qemu "${emulator[@]}" && lab_initramfs "$arch" ||
    { echo "lab: $1 could not be prepared" >&2; return 2; }
  exec 8>&-

  lab_work || return 2
  mkdir -p "$work/share/qmp"
  lab_program "$work/share" || { echo "lab: the guest's programs cannot be built" >&2; lab_end; return 1; }
  if [ -n "$guest" ]; then lab_guest "$work/share" "$arch" || { echo "lab: the inner guest cannot be built" >&2; lab_end; return 2; }; fi
  case ${steps[*]} in *Cost*) lab_target "$arch"; lab_loops "$work/share" "$arch" ;; esac
  cp "$here/lab/guest/run.sh" "$work/share/run.sh"
  printf '%s\n' "${steps[@]}" >"$work/share/steps"
  echo "$1" >"$work/share/machine"

  echo "lab: $1 boots $(basename "$kernel"), at most $limit s" >&2
  lab_boot "$limit"
  status=$?
  lab_reread >>"$work/share/report.txt"
  reread=$?
  lab_verdict "$1" $status $reread
  verdict=$?
  lab_end
  return $verdict
}

# lab_work: sets work, a folder of this run's own. Whoever uses it holds its file `busy` locked, QEMU too; folders of runs that were killed go.
lab_work() {
  for left in "${TMPDIR:-/tmp}"/doorbell-lab.*/busy; do
    [ ! -e "$left" ] || (flock -n 9 && rm -rf "${left%/busy}") 9<"$left"
  done
  work=$(mktemp -d "${TMPDIR:-/tmp}/doorbell-lab.XXXXXX") || return 1
  # It has its name once it is locked.
  exec 9>"$work/new" && flock 9 && mv "$work/new" "$work/busy"
}

# lab_end: the end of a run, by itself or by a signal: its processes end, its files go.
lab_end() {
  for process in ${emulation:-} ${relay:-}; do kill "$process" 2>/dev/null && wait "$process"; done
  emulation='' relay=''
  exec 9>&-
  [ -n "${work:-}" ] && [ -d "$work" ] || return 0
  if [ -n "${DOORBELL_LAB_KEEP:-}" ]; then
    rm -f "$work/busy"
    echo "lab: files are in $work" >&2
  else
    rm -rf "$work"
  fi
  work=''
}

# lab_boot SECONDS: the machine, from its start to power off. A relay beside it hands requests of programs inside to QEMU.
lab_boot() {
  # Killed as soon as whoever started it is gone, by a kill that no script notices, too.
  mortal=(setpriv --pdeathsig KILL)
  "${mortal[@]}" timeout -k 10 "$1" "${mortal[@]}" "${qemu[@]}" -accel tcg,thread=multi -smp 1 -m "$memory" -nographic "${defaults[@]}" -no-reboot \
    "${options[@]}" -append "$append quiet iomem=relaxed panic=-1" -kernel "$kernel" -initrd "$initramfs" \
    -serial file:"$work/console" -qmp unix:"$work/qmp",server=on,wait=off \
    -fsdev local,id=lab,path="$work/share",security_model=none </dev/null >"$work/qemu.log" 2>&1 &
  emulation=$!
  "${mortal[@]}" "$JAVA_HOME/bin/java" "$here/lab/host/QmpRelay.java" "$work/qmp" "$work/share/qmp" </dev/null >"$work/relay.log" 2>&1 &
  relay=$!
  wait $emulation
  ended=$?
  # It ends by itself when QEMU does.
  wait $relay
  emulation='' relay=''
  return $ended
}

# lab_verdict MACHINE STATUS REREAD: shows what was reported, and on a failure the ends of all logs.
lab_verdict() {
  report=$work/share/report.txt
  cat "$report" 2>/dev/null
  passed=$(grep -c '^lab: passed ' "$report" 2>/dev/null)
  if [ "$2" -eq 0 ] && [ "$3" -eq 0 ] && [ "${passed:-0}" -eq ${#steps[@]} ]; then
    left=$(grep '^SKIPPED ' "$report" | sort -u)
    echo "lab: $1 passed: ${#steps[@]} steps, $(grep -c '^ok ' "$report") checks${left:+, $left}" >&2
    return 0
  fi
  echo "lab: $1 failed: ${passed:-0} of ${#steps[@]} steps passed, QEMU ended with $2" >&2
  for log in "$work/qemu.log" "$work/relay.log" "$work/console" "$work/share/error.txt"; do
    [ -s "$log" ] && { echo "--- the end of ${log##*/}"; tail -n 25 "$log"; } >&2
  done
  return 1
}
