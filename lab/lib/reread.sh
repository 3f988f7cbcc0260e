# What was captured inside is read again on this host. Sourced by lab/run. Uses: here, work.

# lab_reread: every command that a program inside ran on its capture is run on a copy of it, and must say the same to the byte.
lab_reread() {
  kept=$work/share/kept
  [ -e "$kept/capture.tar" ] || return 0
  tar -C "$kept" -xf "$kept/capture.tar" || return 1
  worse=0
  for told in "$kept"/*.command; do
    # shellcheck disable=SC2046
    (cd "$kept" && "$here/doorbell" $(cat "$told") >"$kept/here.out" 2>"$kept/here.err")
    if cmp -s "$kept/here.out" "${told%.command}.out"; then
      echo "ok   on the host, of the copied capture, the same $(wc -c <"$kept/here.out") bytes: doorbell $(cat "$told")"
    else
      echo "FAIL on the host, of the copied capture, otherwise than inside: doorbell $(cat "$told")"
      { diff "${told%.command}.out" "$kept/here.out" | head -n 20; tail -n 5 "$kept/here.err"; } >&2
      worse=1
    fi
  done
  return $worse
}
