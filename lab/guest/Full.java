import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.EventCounter;
import dev.doorbell.vfio.IrqType;
import java.nio.file.Files;
import java.util.List;
import java.util.stream.Stream;

/// More vectors than the host's processor has: a function with hundreds of them, on a PC with one processor, which takes some two hundred.
final class Full {
  private static final String VIRTIO = "0x1af4";
  private static final int MANY = 400;

  private Full() {}

  static void all(Access access) throws Exception {
    Sbdf f = null;
    for (Sbdf x : Lab.functions()) {
      // The last, behind the one that brings this folder here.
      if (Files.readString(Lab.folder(x).resolve("vendor")).strip().equals(VIRTIO)) {
        f = x;
      }
    }
    Sbdf large = f;
    String what = "%s, %s wants %d vectors".formatted(access, large, MANY);
    Lab.guarded(what, () -> one(what, access, large));
  }

  private static void one(String what, Access access, Sbdf f) throws Exception {
    try (Assigned a = Assigned.of(access, f)) {
      List<EventCounter> counters = counters(MANY);
      Lab.check(a.device().irqs().get(IrqType.MSIX.ordinal()).count() >= MANY, what + ": it has as many");
      Lab.refused(what, VectorsExhausted.class, () -> a.device().enable(IrqType.MSIX, MANY, counters));
      Lab.check(vectors(f) == 0, what + ": the refusal leaves none enabled");
      int some = a.device().enable(IrqType.MSIX, 1, counters);
      Lab.check(some > 1 && some < MANY && vectors(f) == some, "%s: who is content with fewer gets %d".formatted(what, some));
      a.device().loopback(some - 1);
      Lab.check(Waiting.until(() -> counters.get(some - 1).take() > 0), what + ": the last of them signals");
      a.device().disable();
      Lab.check(a.device().enable(IrqType.MSIX, 8, counters(8)) == 8, what + ": 8 are there afterwards");
    }
  }

  private static List<EventCounter> counters(int n) {
    return Stream.generate(EventCounter::new).limit(n).toList();
  }

  private static long vectors(Sbdf f) throws Exception {
    if (!Files.exists(Lab.folder(f).resolve("msi_irqs"))) {
      return 0;
    }
    try (var all = Files.list(Lab.folder(f).resolve("msi_irqs"))) {
      return all.count();
    }
  }
}
