import dev.doorbell.address.Iova;
import dev.doorbell.iommu.MappingOverlap;
import dev.doorbell.iommu.OutsideAperture;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.TooFewVectors;
import dev.doorbell.linux.DriverBinding;
import dev.doorbell.linux.Errno;
import dev.doorbell.linux.ErrnoException;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.linux.LinuxVfio;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.EventCounter;
import dev.doorbell.vfio.Group;
import dev.doorbell.vfio.InUse;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.NotViable;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// What the kernel refuses, and what is said of it.
public final class Faults {
  private static final int USER = 1000;
  private static final long MANY = 0x10_0000L;
  private static final long BEYOND = 1L << 60;

  /// Kibibytes that a user may lock. On POWER the table of the platform's window (2 GiB in pages of 4 KiB), and the kernel's copy, are locked with the first mapping.
  private static final long LIMIT_KIB = Lab.MACHINE.startsWith("ppc64le") ? 2 * 4096 + 64 : 64;

  private Faults() {}

  static void all(Access access) throws Exception {
    var unused = new ProcessBuilder("/bin/true").start().waitFor();
    Sbdf alone = Lab.find(Kind.EDU).stream().filter(Lab::isAlone).findFirst().orElseThrow();
    String what = access + " faults";
    Lab.guarded(what + " of mapping", () -> mapping(what, access, alone));
    Lab.guarded(what + " of others", () -> taken(what, access, alone));
    Lab.guarded(what + " of an unprivileged user", () -> unprivileged(what, access, alone));
    for (Sbdf shared : Lab.find(Kind.EDU).stream().filter(f -> !Lab.isAlone(f)).toList()) {
      Lab.guarded(what + " of a shared group", () -> notViable(what, access, shared));
    }
  }

  private static void mapping(String what, Access access, Sbdf f) throws Exception {
    try (Assigned a = Assigned.of(access, f)) {
      Container c = a.container();
      try (DmaBuffer b = c.allocate(0x4000)) {
        c.map(new Iova(MANY), b, Protection.READ_WRITE);
        Lab.refused(what + ": mapping there twice", MappingOverlap.class, () -> c.map(new Iova(MANY), b, Protection.READ_WRITE));
        if (c.iovaRanges().stream().noneMatch(r -> r.contains(BEYOND))) {
          Lab.refused(
              what + ": mapping beyond what the IOMMU translates",
              OutsideAperture.class,
              () -> c.map(new Iova(BEYOND), b, Protection.READ_WRITE));
        } else {
          Lab.say("%s: left out, this IOMMU translates 0x%x, too (AMD's tables have six levels)".formatted(what, BEYOND));
        }
        var unmapped = c.unmap(new dev.doorbell.address.AddressRange(0, 0xff_ffff));
      }
      Lab.refused(
          what + ": more vectors than it has",
          TooFewVectors.class,
          () -> a.device().enable(IrqType.MSI, 2, List.of(new EventCounter(), new EventCounter())));
    }
  }

  private static void taken(String what, Access access, Sbdf f) throws Exception {
    try (Assigned a = Assigned.of(access, f);
        LinuxVfio other = LinuxVfio.open(LinuxOptions.USUAL.with(access));
        Container c = other.open(Assigned.containerOptions())) {
      Lab.refused(what + ": taking a group that somebody has", InUse.class, () -> {
        Group g = other.group(f);
        c.attach(g);
        g.open(f).close();
      });
      Lab.check(a.device().config().read16(0) == Kind.EDU.vendor(), what + ": who has it keeps it");
    }
  }

  private static void notViable(String what, Access access, Sbdf f) throws Exception {
    LinuxOptions options = LinuxOptions.USUAL.with(access);
    try (DriverBinding bound = DriverBinding.toVfio(options, f);
        LinuxVfio vfio = LinuxVfio.open(options);
        Container c = vfio.open(Assigned.containerOptions())) {
      Lab.refused(what + ": a group of which the host uses a function", NotViable.class, () -> c.attach(vfio.group(f)));
      Lab.check(c.groups().isEmpty(), what + ": nothing is attached");
    }
  }

  /// Without the right to the nodes, and with it but a small limit of locked memory.
  private static void unprivileged(String what, Access access, Sbdf f) throws Exception {
    LinuxOptions options = LinuxOptions.USUAL.with(access);
    try (DriverBinding bound = DriverBinding.toVfio(options, f)) {
      Lab.check(child(access, f, "closed", "unlimited") == 0, what + ": a user without rights is told so");
      try (Stream<Path> nodes = Files.walk(Path.of("/dev/vfio"))) {
        for (Path node : Stream.concat(nodes, Stream.of(Path.of("/dev/iommu"))).filter(Files::exists).toList()) {
          Files.setAttribute(node, "unix:uid", USER);
        }
      }
      Lab.check(child(access, f, "limited", Long.toString(LIMIT_KIB)) == 0, what + ": a user with rights and little memory to lock is told so");
    }
  }

  private static int child(Access access, Sbdf f, String mode, String kib) throws Exception {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    Process p =
        new ProcessBuilder(
                "/bin/sh",
                "-c",
                "ulimit -l %s && exec %s -XX:+UseSerialGC -XX:TieredStopAtLevel=1 --enable-native-access=ALL-UNNAMED Faults %s %s %s"
                    .formatted(kib, java, access, f, mode))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader in = new BufferedReader(new InputStreamReader(p.getInputStream(), StandardCharsets.UTF_8))) {
      for (String l = in.readLine(); l != null; l = in.readLine()) {
        // The parent counts its own checks; a failed one of the child's is seen in its status.
        Lab.say("  child: " + l);
      }
    }
    return p.waitFor();
  }

  /// The child, which gives its rights up first.
  public static void main(String[] arguments) throws Throwable {
    Access access = Access.valueOf(arguments[0]);
    Sbdf f = Sbdf.parse(arguments[1]);
    become(USER);
    LinuxOptions options = LinuxOptions.USUAL.with(access);
    if (arguments[2].equals("closed")) {
      closed(options, f);
    } else {
      try (LinuxVfio vfio = LinuxVfio.open(options);
          Container c = vfio.open(Assigned.containerOptions())) {
        c.attach(vfio.group(f));
        limited(c);
      }
    }
    Lab.end();
  }

  private static void closed(LinuxOptions options, Sbdf f) throws IOException {
    denied("without rights, opening", () -> {
      try (LinuxVfio vfio = LinuxVfio.open(options);
          Container c = vfio.open(Assigned.containerOptions())) {
        c.attach(vfio.group(f));
      }
    });
    Sbdf other = Lab.find(Kind.E1000E).getFirst();
    denied("without rights, binding " + other, () -> DriverBinding.toVfio(options, other).close());
  }

  private static void denied(String what, Lab.Work work) {
    Lab.refused(what, ErrnoException.class, () -> {
      try {
        work.run();
      } catch (ErrnoException e) {
        Lab.check(e.errno().equals(Errno.EACCES), "the errno is " + e.errno().name());
        throw e;
      }
    });
  }

  private static void limited(Container c) {
    try (DmaBuffer small = c.allocate(0x4000);
        DmaBuffer large = c.allocate(MANY)) {
      c.map(new Iova(MANY), small, Protection.READ_WRITE);
      Lab.check(true, "16 KiB can be locked within %d KiB".formatted(LIMIT_KIB));
      Lab.refused("with %d KiB to lock, mapping 1 MiB".formatted(LIMIT_KIB), ErrnoException.class, () -> {
        try {
          c.map(new Iova(2 * MANY), large, Protection.READ_WRITE);
        } catch (ErrnoException e) {
          Lab.check(e.errno().equals(Errno.ENOMEM), "the errno is " + e.errno().name());
          throw e;
        }
      });
      Lab.check(
          c.unmap(new dev.doorbell.address.AddressRange(0, 0xfff_ffff)) == 0x4000,
          "only what was mapped before is mapped after the refusal");
    }
  }

  @SuppressWarnings("restricted")
  private static void become(int id) throws Throwable {
    Linker linker = Linker.nativeLinker();
    FunctionDescriptor form =
        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT);
    for (String call : List.of("setresgid", "setresuid")) {
      int answer = (int) linker.downcallHandle(linker.defaultLookup().findOrThrow(call), form).invokeExact(id, id, id);
      if (answer != 0) {
        throw new IOException(call + " was refused");
      }
    }
  }
}
