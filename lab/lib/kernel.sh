# The kernel that a machine boots. Sourced by lab/run after lib/packages.sh. Uses: cache, here.

# What the machines need of a kernel whose drivers are modules: the shared folder, VFIO, and the drivers of the devices.
lab_drivers=(virtio_mmio virtio_pci 9pnet_virtio 9p vfio-pci vfio_iommu_type1 e1000e igb igbvf nvme)

# lab_kernel ARCH: sets kernel, a file; initramfs, another; and where the kernel's drivers are modules, module_tree (a folder that goes into it).
#
# A kernel with everything built in is taken where there is one, the newest that the machine's pattern `image` names: it has iommufd. Where
# there is none, and where DOORBELL_LAB_KERNEL asks for it, it is the distribution's, with the machine's `modules` and what they need.
lab_kernel() {
  kernel=${DOORBELL_LAB_KERNEL:-} module_tree='' initramfs=$cache/initramfs-$1.cpio
  if [ -z "$kernel" ] && [ -n "$image" ]; then
    for folder in "${DOORBELL_SHARED:-$here/../shared}/lab-kernels" "$cache/kernels"; do
      # shellcheck disable=SC2012,SC2086
      built=$(ls "$folder"/$image 2>/dev/null | tail -n 1)
      # The lab's own before the shared one.
      kernel=${built:-$kernel}
    done
  fi
  case $kernel in
    '' | distribution) series=6.12 ;;
    distribution-*) series=${kernel#distribution-} ;;
    *) [ -r "$kernel" ] && return; echo "lab: there is no kernel $kernel, which DOORBELL_LAB_KERNEL names" >&2; return 1 ;;
  esac
  initramfs=$cache/initramfs-$1-$series.cpio
  lab_distribution_kernel "$1" "$series" || return 1
  echo "lab: boots the distribution's kernel, which has no iommufd: containers alone${image:+ ('lab/kernel $1' builds one that has it)}" >&2
}

# lab_distribution_kernel ARCH SERIES: the newest of a series that can be fetched: a list may name what the mirror has not got yet. What the
# lab's suite has not, the one before may have.
lab_distribution_kernel() {
  folder=$cache/kernel-$1-$2
  if [ ! -e "$folder/.ready" ]; then
    for from in "$1" "$1@$lab_old_suite"; do
      lab_lists "$from" || return 1
      lab_fetch_kernel "$from" "$2" && break
    done
    # shellcheck disable=SC2144
    [ -n "$(lab_kernel_file)" ] || { echo "lab: no kernel $2 of the distribution's for $1 could be fetched" >&2; return 1; }
    : >"$folder/.ready"
  fi
  kernel=$(lab_kernel_file)
  version=$(ls "$folder"/usr/lib/modules "$folder"/lib/modules 2>/dev/null | grep "^$2[.]" | tail -n 1)
  lab_module_tree "$1" "$2" "$version"
}

# lab_kernel_file: the kernel in a folder of unpacked packages.
lab_kernel_file() { ls "$folder"/boot/vmlinu* "$folder"/usr/lib/modules/*/vmlinu* 2>/dev/null | tail -n 1; }

# lab_fetch_kernel ARCH SERIES: newer series have kernel and modules in packages of their own beside that of the name.
lab_fetch_kernel() {
  case $1 in ppc64el*) flavour=powerpc64le ;; *) flavour=${1%@*} ;; esac
  for name in $(lab_apt_cache "$1" pkgnames linux-image- | grep -E "^linux-image-${2/./[.]}[.][0-9]+(-[0-9]+|[+]deb[0-9]+)-$flavour\$" | sort -rV); do
    lab_unpack "$folder" "$name:$1" || continue
    [ -n "$(lab_kernel_file)" ] ||
      lab_unpack "$folder" "${name/image/binary}:$1" "${name/image/modules}:$1" "${name/image/base}:$1" || continue
    return
  done
  return 1
}

# lab_module_tree ARCH SERIES VERSION: the machine's modules and what they need, unpacked, as modprobe finds them. busybox of this system's kind
# knows the format of every architecture's modules that has this one's order of bytes.
lab_module_tree() {
  module_tree=$cache/modules-$1-$2
  [ "$(cat "$module_tree/.ready" 2>/dev/null)" = "$3 ${modules[*]}" ] && return
  # Older packages have them in /lib itself.
  base=$cache/kernel-$1-$2/usr
  [ -d "$base/lib/modules" ] || base=${base%/usr}
  lab_unpack "$cache/busybox-amd64" busybox-static:amd64 || return 1
  box=$cache/busybox-amd64/usr/bin/busybox
  all=$base/lib/modules/$3
  "$box" depmod -n -b "$base" "$3" >"$cache/depmod-$1" 2>"$cache/depmod-$1.log" ||
    { tail -n 3 "$cache/depmod-$1.log" >&2; return 1; }
  rm -rf "$module_tree"
  mkdir -p "$module_tree/lib/modules/$3"
  for name in "${modules[@]}"; do
    # What is built in is not loaded.
    grep -q "/$name\.ko$" "$all/modules.builtin" && continue
    # A line is a file, a colon, and the files that it needs.
    grep -E "^[^:]*/$name\.ko(\.xz)?:" "$cache/depmod-$1" || { echo "lab: $kernel has no module $name" >&2; return 1; }
    echo "$name" >>"$module_tree/lib/modules/wanted"
  done >"$module_tree/.lines"
  tr -d : <"$module_tree/.lines" | tr ' ' '\n' | sort -u >"$module_tree/.files"
  while read -r file; do
    to=$module_tree/lib/modules/$3/${file%.xz}
    mkdir -p "${to%/*}"
    case $file in *.xz) "$box" unxz -c "$all/$file" >"$to" ;; *) cp "$all/$file" "$to" ;; esac || return 1
  done <"$module_tree/.files"
  "$box" depmod -b "$module_tree" "$3" || return 1
  echo "$3 ${modules[*]}" >"$module_tree/.ready"
}
