import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.iommu.Protection;
import dev.doorbell.linux.DriverBinding;
import dev.doorbell.linux.LinuxContainer;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.linux.LinuxVfio;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.DmaBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/// What mapping and unmapping a page costs from Java and from C, in turns, on a kernel that has VFIO: `bench kernel` does the same where it finds a
/// group. The machine is emulated: only the ratio means anything. Run with the whole compiler.
public final class Cost {
  private static final Path LOOPS = Path.of("/lab/loops");
  private static final Iova AT = new Iova(0x10_0000L);
  private static final int TURNS = 5;
  private static final int MILLIS = 2000;

  /// An emulated processor compiles slowly.
  private static final int WARM_UP_MILLIS = 45_000;
  private static final int BATCH = 200;

  private Cost() {}

  public static void main(String[] none) throws Exception {
    Lab.begin();
    Sbdf f = Lab.find(Kind.NVME).stream().filter(Lab::isAlone).findFirst().orElseThrow();
    LinuxOptions options = LinuxOptions.USUAL.with(Access.CONTAINER).withoutThread();
    Lab.guarded("cost of mappings", () -> {
      try (DriverBinding bound = DriverBinding.toVfio(options, f)) {
        measure(options, f);
      }
    });
    Lab.end();
  }

  private static void measure(LinuxOptions options, Sbdf f) throws Exception {
    Lab.say("until it is compiled: %.0f ns".formatted(java(options, f, WARM_UP_MILLIS)));
    double java = Double.MAX_VALUE;
    double c = Double.MAX_VALUE;
    boolean compared = Files.exists(LOOPS);
    for (int i = 0; i < TURNS; i++) {
      java = Math.min(java, java(options, f, MILLIS));
      if (compared) {
        c = Math.min(c, inC(options, f));
      }
    }
    Lab.check(java > 0, "a page mapped and unmapped by a container, Java: %.0f ns, the shortest of %d turns".formatted(java, TURNS));
    if (compared) {
      Lab.check(c < Double.MAX_VALUE, String.format(Locale.ROOT, "the same in C: %.0f ns, Java to C %.3f", c, java / c));
    } else {
      Lab.say("SKIPPED the comparison with C: no compiler for this machine where the lab was started");
    }
  }

  /// {@return nanoseconds}
  private static double java(LinuxOptions options, Sbdf f, int millis) {
    try (LinuxVfio vfio = LinuxVfio.open(options);
        LinuxContainer c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(f));
      try (DmaBuffer page = c.allocate(1)) {
        AddressRange all = AddressRange.ofSize(AT.value(), page.bytes());
        long began = System.nanoTime();
        long ended = began;
        long done = 0;
        while (ended - began < millis * 1_000_000L) {
          for (int i = 0; i < BATCH; i++) {
            c.map(AT, page, Protection.READ_WRITE);
            if (c.unmap(all) != page.bytes()) {
              throw new IllegalStateException("not all was unmapped");
            }
          }
          done += BATCH;
          ended = System.nanoTime();
        }
        return (double) (ended - began) / done;
      }
    }
  }

  private static double inC(LinuxOptions options, Sbdf f) throws Exception {
    int group;
    try (LinuxVfio vfio = LinuxVfio.open(options)) {
      group = vfio.group(f).id();
    }
    Process p =
        new ProcessBuilder(LOOPS.toString(), "dmaMap", "" + MILLIS, "" + group).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    Lab.check(p.waitFor() == 0, "the loop in C says " + out.strip());
    return Double.parseDouble(out.strip());
  }
}
