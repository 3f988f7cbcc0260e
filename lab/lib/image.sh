# The guest's Java runtime and initramfs. Sourced by lab/run after lib/packages.sh. Uses: cache, here, JAVA_HOME.

# What the command line and the lab's programs need.
lab_modules=java.base,java.xml

# lab_target ARCH: sets triple, loader, root (where its C library is) and run (a command that runs its programs).
lab_target() {
  case "$1" in
    arm64)
      triple=aarch64-linux-gnu loader=ld-linux-aarch64.so.1 root=$cache/sysroot-arm64
      run=("$cache/tools/usr/bin/qemu-aarch64" -L "$root" -E LD_LIBRARY_PATH="$root/usr/lib/$triple") ;;
    ppc64el)
      triple=powerpc64le-linux-gnu loader=ld64.so.2 root=$cache/sysroot-ppc64el
      run=("$cache/tools/usr/bin/qemu-ppc64le" -L "$root" -E LD_LIBRARY_PATH="$root/usr/lib/$triple") ;;
    amd64)
      # This system's own library, which the JDK that builds runs with, too.
      triple=x86_64-linux-gnu loader=ld-linux-x86-64.so.2 root=
      run=(env) ;;
  esac
}

# lab_jre ARCH: a runtime with what the command line needs, with an archive of its classes, made under user-mode emulation where it must.
lab_jre() {
  jre=$cache/jre-$1
  [ -e "$jre/.ready-$lab_modules" ] && return
  jmods=()
  if [ -n "$root" ]; then
    lab_unpack "$cache/jdk-$1" "openjdk-25-jdk-headless:$1" "openjdk-25-jre-headless:$1" &&
      lab_unpack "$root" "libc6:$1" "libgcc-s1:$1" "libstdc++6:$1" "zlib1g:$1" &&
      lab_unpack "$cache/tools" "qemu-user:amd64" || return 1
    [ -e "$root/lib" ] || ln -s usr/lib "$root/lib"
    [ -e "$root/lib64" ] || ln -s "usr/lib/$triple" "$root/lib64"
    jmods=(--module-path "$(ls -d "$cache/jdk-$1"/usr/lib/jvm/java-25-openjdk-*/jmods)")
  fi
  rm -rf "$jre"
  "$JAVA_HOME/bin/jlink" "${jmods[@]}" --add-modules "$lab_modules" --strip-java-debug-attributes \
    --no-header-files --no-man-pages --output "$jre" >&2 || return 1
  # Some packages have the libraries' symbols beside them, and POWER's firmware takes 128 MiB.
  find "$jre" -name '*.debuginfo' -delete
  timeout 600 "${run[@]}" "$jre/bin/java" -XX:+UseSerialGC -Xshare:dump >"$cache/cds.log" 2>&1 ||
    echo "lab: no class archive could be made; the guest's JVM starts slower (see $cache/cds.log)" >&2
  : >"$jre/.ready-$lab_modules"
}

# lab_initramfs ARCH: busybox, the C library's files, the kernel's modules where it has some, the runtime and /init, in the file that `initramfs` names.
lab_initramfs() {
  out=$initramfs
  ready=$cache/jre-$1/.ready-$lab_modules
  [ "$out" -nt "$here/lab/guest/init" ] && [ -e "$ready" ] && [ "$out" -nt "$ready" ] &&
    { [ -z "$module_tree" ] || [ "$out" -nt "$module_tree/.ready" ]; } && return
  lab_target "$1"
  lab_jre "$1" && lab_unpack "$cache/busybox-$1" "busybox-static:$1" || return 1
  tree=$cache/tree-$1
  rm -rf "$tree"
  mkdir -p "$tree"/{bin,sbin,proc,sys,dev,tmp,lab,lib,usr}
  ln -s lib "$tree/lib64"
  cp "$cache/busybox-$1/usr/bin/busybox" "$tree/bin/busybox" || return 1
  for lib in libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libgcc_s.so.1 libstdc++.so.6 libz.so.1 "$loader"; do
    file=$root/usr/lib/$triple/$lib
    [ -e "$file" ] || file=$root/lib/$triple/$lib
    cp -L "$file" "$tree/lib/$lib" || return 1
  done
  if [ -n "$module_tree" ]; then cp -a "$module_tree/lib/modules" "$tree/lib/" || return 1; fi
  cp -a "$cache/jre-$1" "$tree/jre" && cp "$here/lab/guest/init" "$tree/init" && chmod 755 "$tree/init" || return 1
  "$JAVA_HOME/bin/java" "$here/lab/host/Cpio.java" "$tree" "$out.new" && mv "$out.new" "$out" || return 1
  rm -rf "$tree"
}

# lab_guest FOLDER ARCH: kernel and initramfs of a guest inside the guest.
lab_guest() {
  tree=$work/guest-tree
  mkdir -p "$tree"/{bin,proc,sys,dev,lib}
  if [ -n "$module_tree" ]; then cp -a "$module_tree/lib/modules" "$tree/lib/" || return 1; fi
  cp "$cache/busybox-$2/usr/bin/busybox" "$tree/bin/busybox" && cp "$here/lab/guest/vm/init" "$tree/init" && chmod 755 "$tree/init" &&
    "$JAVA_HOME/bin/java" "$here/lab/host/Cpio.java" "$tree" "$1/guest.cpio" && cp "$kernel" "$1/Image"
}

# lab_loops FOLDER ARCH: loops in C that those in Java are compared with, in the file `loops`, where this system has a compiler for the guest.
lab_loops() {
  compiler=gcc
  [ "$2" = amd64 ] && [ "$(uname -m)" = x86_64 ] || compiler=$triple-gcc
  "$compiler" -O2 -pthread -static -o "$1/loops" "$here/bench/src/main/resources/dev/doorbell/bench/kernel-calls.c" 2>"$work/loops.log" ||
    echo "lab: nothing is compared with C inside: $(grep -m 1 -E 'error|not found' "$work/loops.log")" >&2
}

# lab_program FOLDER: the application's jars and those of the guest's programs, in FOLDER/app.
lab_program() {
  "$here/doorbell" --version >/dev/null || return 1
  read -r app <"$here/.cache/app/current"
  mkdir -p "$1/app" "$work/classes"
  # What measures, and what reads QEMU's answers on the host, is not needed inside.
  for jar in "$app"/*.jar; do
    case "${jar##*/}" in jmh-* | commons-math* | jopt-*) ;; *) cp "$jar" "$1/app/" ;; esac
  done
  find "$here/lab/guest" -name '*.java' >"$work/sources"
  # The program that a guest without an operating system runs.
  find "$here/linux/src/test/java/dev/doorbell/vmm/payload" -name '*.java' ! -name '*Test.java' >>"$work/sources"
  # The example, unchanged, on the kernel.
  for source in DemoDriver DeviceProgram EduProgram; do
    echo "$here/examples/src/main/java/dev/doorbell/examples/$source.java" >>"$work/sources"
  done
  # Until the application brings the module itself.
  ls "$app"/doorbell-linux-*.jar >/dev/null 2>&1 || find "$here/linux/src/main/java/dev" -name '*.java' >>"$work/sources"
  annotations=$(ls "$HOME"/.m2/repository/org/jspecify/jspecify/*/jspecify-*.jar 2>/dev/null | grep -v sources | tail -n 1)
  [ -n "$annotations" ] || { echo "lab: run ./verify once, which fetches the annotations that the sources name" >&2; return 1; }
  "$JAVA_HOME/bin/javac" -nowarn -proc:none -encoding UTF-8 -cp "$annotations:$1/app/*" -d "$work/classes" @"$work/sources" &&
    "$JAVA_HOME/bin/jar" --create --file "$1/app/lab.jar" --no-compress -C "$work/classes" .
}
