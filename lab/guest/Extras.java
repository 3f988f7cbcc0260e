import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.iommu.Protection;
import dev.doorbell.linux.DirtyPages;
import dev.doorbell.linux.ErrnoException;
import dev.doorbell.linux.EventFd;
import dev.doorbell.linux.IntxResample;
import dev.doorbell.linux.KernelLacks;
import dev.doorbell.linux.LinuxContainer;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.RegionType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/// What a container and a function of the kernel have beside the contract: mappings left, what devices write, huge pages, and INTx.
final class Extras {
  private static final Iova AT = new Iova(0x40_0000);
  private static final long HUGE = 0x20_0000;
  private static final int PAGES = 4;
  private static final int PATIENCE_MILLIS = 30_000;
  private static final int QUIET_MILLIS = 300;

  // e1000e: interrupt causes read, set, and which of them interrupt.
  private static final int ICR = 0xc0;
  private static final int ICS = 0xc8;
  private static final int IMS = 0xd0;
  private static final int IMC = 0xd8;
  private static final int LINK = 4;

  private Extras() {}

  static void all(Access access) throws Exception {
    Sbdf edu = Lab.find(Kind.EDU).stream().filter(Lab::isAlone).findFirst().orElseThrow();
    Sbdf nic = Lab.find(Kind.E1000E).stream().filter(Lab::isAlone).findFirst().orElseThrow();
    Lab.guarded(access + " mappings left", () -> left(access, edu));
    Lab.guarded(access + " writes", () -> writes(access, edu));
    Lab.guarded(access + " huge pages", () -> huge(access, edu));
    Lab.guarded(access + " INTx", () -> level(access, nic));
  }

  private static void left(Access access, Sbdf f) {
    try (Assigned a = Assigned.of(access, f);
        DmaBuffer b = a.container().allocate(0x1000)) {
      LinuxContainer c = (LinuxContainer) a.container();
      OptionalLong before = c.mappingsLeft();
      c.map(AT, b, Protection.READ_WRITE);
      OptionalLong one = c.mappingsLeft();
      c.unmap(AddressRange.ofSize(AT.value(), 0x1000));
      boolean counts = before.isPresent() && one.orElse(-1) == before.getAsLong() - 1 && c.mappingsLeft().equals(before);
      Lab.check(access == Access.CONTAINER ? counts : before.isEmpty(), access + " mappings left: " + before + ", with one more " + one);
    }
  }

  private static void writes(Access access, Sbdf f) {
    try (Assigned a = Assigned.of(access, f);
        DmaBuffer b = a.container().allocate(PAGES * 0x1000L)) {
      LinuxContainer c = (LinuxContainer) a.container();
      c.map(AT, b, Protection.READ_WRITE);
      AddressRange all = AddressRange.ofSize(AT.value(), PAGES * 0x1000L);
      try (DirtyPages t = c.trackWrites()) {
        List<AddressRange> seen = t.take();
        // No device wrote: type 1 counts what could have been written, dirty bits count nothing.
        List<AddressRange> wanted = access == Access.CONTAINER ? List.of(all) : List.of();
        Lab.check(seen.equals(wanted), access + " writes, in pages of " + t.page() + ": " + seen);
      } catch (KernelLacks e) {
        Lab.check(access == Access.IOMMUFD && e.refusal().type().equals("NoDirtyTracking"), access + " writes: " + e.getMessage());
      }
      Lab.check(c.unmap(all) == all.bytes(), access + " writes: unmapped as before");
    }
  }

  private static void huge(Access access, Sbdf f) throws Exception {
    Path pool = Path.of("/proc/sys/vm/nr_hugepages");
    try (Assigned a = Assigned.of(access, f)) {
      LinuxContainer c = (LinuxContainer) a.container();
      Lab.refused(access + " huge pages that nobody set aside", ErrnoException.class, () -> c.allocateHuge(2 * HUGE).close());
      Files.writeString(pool, "4");
      try (DmaBuffer b = c.allocateHuge(2 * HUGE)) {
        c.map(AT, b, Protection.READ_WRITE);
        b.write(HUGE, 8, 0x5aL);
        Lab.check(b.read(HUGE, 8) == 0x5a, access + " huge pages are memory");
        Lab.check(c.unmap(AddressRange.ofSize(AT.value(), 2 * HUGE)) == 2 * HUGE, access + " huge pages are mapped and unmapped");
      } finally {
        Files.writeString(pool, "0");
      }
    }
  }

  private static void level(Access access, Sbdf f) throws Exception {
    try (Assigned a = Assigned.of(access, f);
        EventFd fired = EventFd.create("INTx");
        EventFd handled = EventFd.create("handled")) {
      a.device().enable(IrqType.INTX, 1, List.of(fired));
      RegisterBus r = a.device().region(RegionType.BAR0);
      try (IntxResample _ = IntxResample.of(a.device(), handled)) {
        r.write32(IMS, LINK);
        r.write32(ICS, LINK);
        Lab.check(awaited(fired), access + " INTx is signalled");
        Thread.sleep(QUIET_MILLIS);
        Lab.check(fired.take() == 0, access + " INTx is held back until it was handled");
        handled.signal();
        Lab.check(awaited(fired), access + " INTx, still asserted, is signalled again");
        r.write32(ICR, -1);
        r.write32(IMC, -1);
        handled.signal();
        Thread.sleep(QUIET_MILLIS);
        Lab.check(fired.take() == 0, access + " INTx, asserted no more, is quiet");
      }
      a.device().disable();
    }
  }

  private static boolean awaited(EventFd e) throws InterruptedException {
    for (int i = 0; i < PATIENCE_MILLIS / 10; i++) {
      if (e.take() > 0) {
        return true;
      }
      Thread.sleep(10);
    }
    return false;
  }
}
