# The kernel that a machine boots. Sourced by lab/run after lib/packages.sh. Uses: cache, here.

# lab_kernel ARCH: sets kernel, a file, and where its drivers are modules, module_tree (a folder that goes into the initramfs).
#
# Most machines boot a kernel with everything built in, the newest that the machine's pattern `image` names; a machine that has a pattern
# `package` instead boots the distribution's, with its `modules` and what they need.
lab_kernel() {
  kernel=${DOORBELL_LAB_KERNEL:-} module_tree=
  if [ -n "$package" ] && [ -z "$kernel" ]; then lab_distribution_kernel "$1"; return; fi
  if [ -z "$kernel" ]; then
    # shellcheck disable=SC2086
    kernel=$(ls "${DOORBELL_SHARED:-$here/../shared}"/lab-kernels/$image 2>/dev/null | tail -n 1)
  fi
  [ -n "$kernel" ] && [ -r "$kernel" ] && return 0
  echo "lab: there is no kernel $image: name one in DOORBELL_LAB_KERNEL, or the parent of its folder in DOORBELL_SHARED" >&2
  return 1
}

# lab_distribution_kernel ARCH: the newest of the machine's packages that can be fetched: a list may name what the mirror has not got yet.
lab_distribution_kernel() {
  folder=$cache/kernel-$1
  if [ ! -e "$folder/.ready" ]; then
    lab_lists "$1" || return 1
    for name in $(lab_apt_cache "$1" pkgnames linux-image- | grep -E "^($package)$" | sort -rV); do
      lab_unpack "$folder" "$name:$1" && break
    done
    # shellcheck disable=SC2144
    [ -n "$(ls "$folder"/boot/vmlinu* 2>/dev/null)" ] || { echo "lab: no package $package:$1 could be fetched" >&2; return 1; }
    : >"$folder/.ready"
  fi
  kernel=$(ls "$folder"/boot/vmlinu* | tail -n 1)
  lab_module_tree "$1" "${kernel##*/vmlinu?-}"
}

# lab_module_tree ARCH VERSION: the machine's modules and what they need, unpacked, as modprobe finds them. busybox of this system's kind
# knows the format of every architecture's modules that has this one's order of bytes.
lab_module_tree() {
  module_tree=$cache/modules-$1
  [ "$(cat "$module_tree/.ready" 2>/dev/null)" = "$2 ${modules[*]}" ] && return
  lab_unpack "$cache/busybox-amd64" busybox-static:amd64 || return 1
  box=$cache/busybox-amd64/usr/bin/busybox
  all=$cache/kernel-$1/usr/lib/modules/$2
  "$box" depmod -n -b "$cache/kernel-$1/usr" "$2" >"$cache/depmod-$1" 2>"$cache/depmod-$1.log" ||
    { tail -n 3 "$cache/depmod-$1.log" >&2; return 1; }
  rm -rf "$module_tree"
  mkdir -p "$module_tree/lib/modules/$2"
  for name in "${modules[@]}"; do
    # What is built in is not loaded.
    grep -q "/$name\.ko$" "$all/modules.builtin" && continue
    # A line is a file, a colon, and the files that it needs.
    grep -E "^[^:]*/$name\.ko(\.xz)?:" "$cache/depmod-$1" || { echo "lab: $kernel has no module $name" >&2; return 1; }
    echo "$name" >>"$module_tree/lib/modules/wanted"
  done >"$module_tree/.lines"
  tr -d : <"$module_tree/.lines" | tr ' ' '\n' | sort -u >"$module_tree/.files"
  while read -r file; do
    to=$module_tree/lib/modules/$2/${file%.xz}
    mkdir -p "${to%/*}"
    case $file in *.xz) "$box" unxz -c "$all/$file" >"$to" ;; *) cp "$all/$file" "$to" ;; esac || return 1
  done <"$module_tree/.files"
  "$box" depmod -b "$module_tree" "$2" || return 1
  echo "$2 ${modules[*]}" >"$module_tree/.ready"
}
