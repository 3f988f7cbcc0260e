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
    '' | distribution) ;;
    *) [ -r "$kernel" ] && return; echo "lab: there is no kernel $kernel, which DOORBELL_LAB_KERNEL names" >&2; return 1 ;;
  esac
  initramfs=$cache/initramfs-$1-modules.cpio
  lab_distribution_kernel "$1" || return 1
  echo "lab: boots the distribution's kernel, which has no iommufd: containers alone${image:+ ('lab/kernel $1' builds one that has it)}" >&2
}

# lab_distribution_kernel ARCH: the newest of the distribution's stable line that can be fetched: a list may name what the mirror has not got yet.
lab_distribution_kernel() {
  folder=$cache/kernel-$1
  if [ ! -e "$folder/.ready" ]; then
    lab_lists "$1" || return 1
    case $1 in ppc64el) flavour=powerpc64le ;; *) flavour=$1 ;; esac
    for name in $(lab_apt_cache "$1" pkgnames linux-image- | grep -E "^linux-image-6\.12\.[0-9]+\+deb13-$flavour\$" | sort -rV); do
      lab_unpack "$folder" "$name:$1" && break
    done
    # shellcheck disable=SC2144
    [ -n "$(ls "$folder"/boot/vmlinu* 2>/dev/null)" ] || { echo "lab: no kernel of the distribution's for $1 could be fetched" >&2; return 1; }
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
