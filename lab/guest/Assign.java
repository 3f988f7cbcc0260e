import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.iommu.MsiWindowConflict;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.iommu.ReservedRegionConflict;
import dev.doorbell.linux.EventFd;
import dev.doorbell.linux.LinuxDevice;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.CallbackTrigger;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.EventCounter;
import dev.doorbell.vfio.InUse;
import dev.doorbell.vfio.IrqInfo;
import dev.doorbell.vfio.RegionType;
import dev.doorbell.vfio.VectorsFixed;
import dev.doorbell.vfio.WindowFixedByKernel;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

/// Every function is bound, opened, made to interrupt on each vector and to do DMA, its vectors changed one by one, and given back.
final class Assign {
  private static final Iova DMA = new Iova(0x10_0000L);
  private static final int CHANGES = 10;

  private Assign() {}

  static void all(Access access) throws Exception {
    int seen = 0;
    for (Kind kind : Kind.values()) {
      for (Sbdf f : Lab.find(kind)) {
        if (!Lab.isAlone(f)) {
          // See HotReset and Faults.
          continue;
        }
        String what = "%s %s %s".formatted(access, kind, f);
        Lab.guarded(what, () -> one(what, access, kind, f));
        seen++;
      }
    }
    Lab.check(seen >= 3, access + ": functions assigned: " + seen);
  }

  private static void one(String what, Access access, Kind kind, Sbdf f) throws Exception {
    String before;
    try (Assigned a = Assigned.of(access, f)) {
      before = a.before();
      LinuxDevice d = a.device();
      show(what, a);
      window(what, a.container());
      try (Raiser raiser = Raiser.of(kind, a.container(), d)) {
        Signals signals = new Signals(what, raiser, kind.vectors());
        int enabled = d.enable(kind.irqs(), kind.vectors(), signals.counters());
        Lab.check(enabled == kind.vectors(), "%s: %d vectors of %s".formatted(what, enabled, kind.irqs()));
        Prediction.of(f).check(what, a.container(), d, kind.irqs());
        raiser.arm();
        signals.rounds("at first");
        mask(what, d, raiser, signals);
        if (kind == Kind.EDU) {
          edu(what, a, raiser, signals);
        } else {
          d.reset();
          Assigned.master(d);
          raiser.arm();
          signals.rounds("after a reset of the function");
          oneByOne(what, kind, d, raiser, signals);
        }
        if (raiser instanceof Raiser.Nvme n) {
          Lab.check(n.model().contains("QEMU NVMe"), "%s: DMA brings the controller's name '%s'".formatted(what, n.model()));
        }
        d.disable();
        signals.settle();
        raiser.raise(0);
        Lab.check(signals.isQuiet(0), what + ": nothing once disabled");
      }
    }
    Lab.check(Lab.driver(f).equals(before), "%s: given back to '%s'".formatted(what, before));
  }

  private static void show(String what, Assigned a) {
    Container c = a.container();
    Lab.say("%s: group %d, IOVA ranges %s, granule %s, reserved %s".formatted(what, a.group().id(), c.iovaRanges(), c.granule(), c.reserved()));
    for (IrqInfo i : a.device().irqs()) {
      if (i.count() > 0) {
        Lab.say("%s: %s".formatted(what, i));
      }
    }
  }

  /// Where the kernel maps doorbells itself there is a window, and no other one can be had; else messages do not meet the tables.
  private static void window(String what, Container c) {
    Lab.refused(
        what + ": another window", WindowFixedByKernel.class, () -> c.reserveMsiWindow(AddressRange.ofSize(0xa000_0000L, 0x10_0000)));
    for (ReservedRegion r : c.reserved()) {
      if (r.kind() == ReservedRegion.Kind.SW_MSI || r.kind() == ReservedRegion.Kind.MSI) {
        Lab.check(c.iovaRanges().stream().noneMatch(i -> i.overlaps(r.range())), "%s: no IOVA range meets %s".formatted(what, r));
        try (DmaBuffer b = c.allocate(0x4000)) {
          Lab.refused(
              what + ": mapping over it",
              r.kind() == ReservedRegion.Kind.MSI ? ReservedRegionConflict.class : MsiWindowConflict.class,
              () -> c.map(new Iova(r.range().start()), b, Protection.READ_WRITE));
        }
      }
    }
  }

  private static void mask(String what, LinuxDevice d, Raiser raiser, Signals signals) throws InterruptedException {
    int v = signals.counters().size() / 2;
    d.mask(v, true);
    raiser.raise(v);
    Lab.check(signals.isQuiet(v), "%s: nothing while vector %d is masked".formatted(what, v));
    int other = (v + 1) % signals.counters().size();
    if (other != v) {
      raiser.clear();
      Lab.check(signals.fires(other), "%s: vector %d fires meanwhile".formatted(what, other));
    }
    d.mask(v, false);
    Lab.check(signals.comes(v), "%s: vector %d fires once it is unmasked".formatted(what, v));
    signals.settle();
    d.loopback(v);
    Lab.check(signals.comes(v), what + ": loopback");
    signals.settle();
  }

  /// Vectors come and go while others are raised.
  private static void oneByOne(String what, Kind kind, LinuxDevice d, Raiser raiser, Signals signals) throws Exception {
    d.disable();
    List<EventCounter> two = signals.counters().subList(0, 2);
    Lab.check(d.enable(kind.irqs(), 2, two) == 2, what + ": two vectors");
    raiser.arm();
    boolean resizable = d.irqs().get(kind.irqs().ordinal()).resizable();
    int last = kind.vectors() - 1;
    if (!resizable) {
      Lab.refused(what + ": adding a vector where the kernel takes them together", VectorsFixed.class, () -> d.add(last, signals.counter(last)));
      Lab.refused(what + ": removing one", VectorsFixed.class, () -> d.remove(0));
      signals.rounds(List.of(0, 1), "after both refusals");
      return;
    }
    List<Prediction.Message> table = Prediction.of(d.function()).table(d);
    int lost = 0;
    for (int i = 0; i < CHANGES; i++) {
      d.add(last, signals.counter(last));
      raiser.clear();
      lost += signals.fires(1) ? 0 : 1;
      raiser.clear();
      lost += signals.fires(last) ? 0 : 1;
      d.remove(last);
      raiser.clear();
      lost += signals.fires(1) ? 0 : 1;
    }
    Lab.check(lost == 0, "%s: vector %d added and removed %d times, no signal of vector 1 nor of itself lost".formatted(what, last, CHANGES));
    List<Prediction.Message> now = Prediction.of(d.function()).table(d);
    Lab.check(
        now.subList(0, 2).equals(table.subList(0, 2)),
        "%s: entries 0 and 1 are as before: %s".formatted(what, now.subList(0, 2)));
    for (int v = 2; v <= last; v++) {
      d.add(v, signals.counter(v));
    }
    d.remove(0);
    raiser.arm();
    signals.rounds(IntStream.rangeClosed(1, last).boxed().toList(), "after adding to all and removing the first");
    raiser.raise(0);
    Lab.check(signals.isQuiet(0), what + ": vector 0 is gone");
  }

  /// The kernel signals an eventfd itself; and 28 bits of DMA through the IOMMU.
  private static void edu(String what, Assigned a, Raiser raiser, Signals signals) throws Exception {
    LinuxDevice d = a.device();
    Container c = a.container();
    RegisterBus r = d.region(RegionType.BAR0);
    try (EventFd event = EventFd.create("edu");
        DmaBuffer buffer = c.allocate(0x4000)) {
      d.add(0, event);
      long began = System.nanoTime();
      long received = 0;
      for (int i = 0; i < Signals.ROUNDS; i++) {
        raiser.raise(0);
        received += event.await(1000);
      }
      long micros = (System.nanoTime() - began) / 1000 / Signals.ROUNDS;
      Lab.check(received == Signals.ROUNDS, "%s: %d of %d by the process's own eventfd, %d us each".formatted(what, received, Signals.ROUNDS, micros));
      d.add(0, signals.counter(0));
      Lab.check(signals.fires(0) && event.take() == 0, what + ": another trigger, called by the loop's thread");
      callback(what, d, raiser, signals.counter(0));
      c.map(DMA, buffer, Protection.READ_WRITE);
      if (Lab.MACHINE.startsWith("ppc64le")) {
        // QEMU's edu has registers in its target's order of bytes, which POWER's kernel does not run in: no command of DMA is one there.
        Lab.say(what + ": no DMA, its registers have the other order of bytes; nvme does some");
      } else {
        dma(what, r, buffer);
      }
      Lab.refused(what + ": closing a buffer in use", InUse.class, buffer::close);
      Lab.check(c.unmap(new AddressRange(0, 0xff_ffff)) == buffer.bytes(), what + ": the kernel unmapped what was mapped");
    }
  }

  /// A listener on a virtual thread of its own, which may block there.
  private static void callback(String what, LinuxDevice d, Raiser raiser, EventCounter next) throws Exception {
    AtomicLong told = new AtomicLong();
    AtomicInteger elsewhere = new AtomicInteger();
    try (CallbackTrigger trigger =
        CallbackTrigger.of(
            "edu",
            times -> {
              elsewhere.addAndGet(Thread.currentThread().isVirtual() ? 0 : 1);
              LockSupport.parkNanos(1_000_000);
              told.addAndGet(times);
            })) {
      d.add(0, trigger);
      boolean all = true;
      for (int i = 1; i <= Signals.ROUNDS; i++) {
        long wanted = i;
        raiser.raise(0);
        all &= Waiting.until(() -> told.get() >= wanted);
      }
      d.add(0, next);
      Lab.check(all && told.get() == Signals.ROUNDS && elsewhere.get() == 0, "%s: %d of %d by callback on a virtual thread".formatted(what, told.get(), Signals.ROUNDS));
    }
  }

  private static void dma(String what, RegisterBus r, DmaBuffer buffer) throws InterruptedException {
    for (int i = 0; i < 256; i += 8) {
      buffer.write(i, 8, 0x0123_4567_89ab_cdefL * (i + 1));
    }
    buffer.publish();
    transfer(r, DMA.value(), 0x4_0000, 1);
    transfer(r, 0x4_0000, DMA.value() + 0x2000, 3);
    boolean same = true;
    for (int i = 0; i < 256; i += 8) {
      same &= buffer.read(0x2000 + i, 8) == 0x0123_4567_89ab_cdefL * (i + 1);
    }
    Lab.check(same, what + ": 256 bytes through the IOMMU to the device and back");
    long before = buffer.read(0x3000, 8);
    transfer(r, 0x4_0000, 0x900_0000, 3);
    Lab.check(buffer.read(0x3000, 8) == before, what + ": a DMA to an IOVA that is not mapped changes nothing");
  }

  private static void transfer(RegisterBus r, long from, long to, int command) throws InterruptedException {
    r.write64(0x80, from);
    r.write64(0x88, to);
    r.write64(0x90, 256);
    r.write64(0x98, command);
    for (int i = 0; i < 1000 && (r.read64(0x98) & 1) != 0; i++) {
      Thread.sleep(5);
    }
    Lab.check((r.read64(0x98) & 1) == 0, "a DMA transfer of edu has ended");
  }
}
