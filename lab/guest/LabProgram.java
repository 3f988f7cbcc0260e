import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.iommu.MsiWindowConflict;
import dev.doorbell.iommu.Protection;
import dev.doorbell.iommu.ReservedRegion;
import dev.doorbell.iommu.ReservedRegionConflict;
import dev.doorbell.linux.DriverBinding;
import dev.doorbell.linux.ErrnoException;
import dev.doorbell.linux.EventFd;
import dev.doorbell.linux.LinuxDevice;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.linux.LinuxVfio;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.Device;
import dev.doorbell.vfio.DmaBuffer;
import dev.doorbell.vfio.EventCounter;
import dev.doorbell.vfio.InUse;
import dev.doorbell.vfio.IrqInfo;
import dev.doorbell.vfio.IrqType;
import dev.doorbell.vfio.RegionType;
import dev.doorbell.vfio.WindowFixedByKernel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// What the lab does inside: every function is bound, opened both ways, made to interrupt on each vector and to do DMA, and given back.
public final class LabProgram {
  private static final boolean X86 = System.getProperty("os.arch").equals("amd64");
  private static final AddressRange SW_MSI = AddressRange.ofSize(0x800_0000L, 0x10_0000L);
  private static final AddressRange FEE = AddressRange.ofSize(0xfee0_0000L, 0x10_0000L);
  private static final int LINK = 4;
  private static final int ROUNDS = 20;
  private static final int WAIT_MILLIS = 10_000;
  private static final int QUIET_MILLIS = 100;
  private static int failures;

  private LabProgram() {}

  public static void main(String[] arguments) throws IOException {
    say("kernel " + Files.readString(Path.of("/proc/version")).strip());
    for (Access access : Access.values()) {
      boolean has = Files.exists(Path.of(access == Access.CONTAINER ? "/dev/vfio/vfio" : "/dev/iommu"));
      if (!has) {
        say("%s: this kernel has it not".formatted(access));
        continue;
      }
      for (Sbdf f : find(0x1234, 0x11e8)) {
        guarded(access + " edu " + f, () -> edu(access, f));
      }
      for (Sbdf f : find(0x8086, 0x10d3)) {
        guarded(access + " e1000e " + f, () -> e1000e(access, f));
      }
    }
    say(failures == 0 ? "PASSED" : "FAILED: " + failures);
  }

  private interface Work {
    void run() throws Exception;
  }

  private static void guarded(String what, Work work) throws IOException {
    long before = openFiles();
    try {
      work.run();
    } catch (Exception | AssertionError e) {
      failures++;
      say("%s: FAILED with %s".formatted(what, e));
      e.printStackTrace();
    }
    check(openFiles() == before, what + ": open files before %d, after %d".formatted(before, openFiles()));
  }

  private static long openFiles() throws IOException {
    try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
      return all.count();
    }
  }

  /// edu: MSI with one vector, and a DMA engine of 28 bits.
  private static void edu(Access access, Sbdf f) throws Exception {
    LinuxOptions options = LinuxOptions.USUAL.with(access);
    String what = access + " edu " + f;
    try (DriverBinding bound = DriverBinding.toVfio(options, f);
        LinuxVfio vfio = LinuxVfio.open(options);
        Container c = vfio.open(ContainerOptions.USUAL)) {
      c.attach(vfio.group(f));
      say("%s: group %d, IOVA ranges %s, granule %s, reserved %s".formatted(what, vfio.group(f).id(), c.iovaRanges(), c.granule(), c.reserved()));
      window(what, c);
      try (DmaBuffer buffer = c.allocate(0x4000)) {
        c.map(new Iova(0x10_0000), buffer, Protection.READ_WRITE);
        refused(
            what + ": mapping over it",
            X86 ? ReservedRegionConflict.class : MsiWindowConflict.class,
            () -> c.map(new Iova(messages(c).range().start()), buffer, Protection.READ_WRITE));
        try (Device d = vfio.group(f).open(f);
            EventFd event = EventFd.create("edu")) {
          master(d);
          RegisterBus r = d.region(RegionType.BAR0);
          irqs(what, d);
          check(d.enable(IrqType.MSI, 1, List.of(event)) == 1, what + ": one MSI vector");
          predicted(what, f, c);
          long received = 0;
          for (int i = 0; i < ROUNDS; i++) {
            r.write32(0x60, 1);
            received += event.await(WAIT_MILLIS);
            r.write32(0x64, r.read32(0x24));
          }
          check(received == ROUNDS, what + ": %d of %d MSIs received by eventfd".formatted(received, ROUNDS));
          d.mask(0, true);
          r.write32(0x60, 1);
          check(event.await(QUIET_MILLIS) == 0, what + ": nothing while masked");
          d.mask(0, false);
          check(event.await(WAIT_MILLIS) == 1, what + ": fires once unmasked");
          r.write32(0x64, r.read32(0x24));
          d.loopback(0);
          check(event.await(WAIT_MILLIS) == 1, what + ": loopback");
          dma(what, r, buffer);
          EventCounter counter = new EventCounter();
          d.add(0, counter);
          r.write32(0x60, 1);
          waitFor(counter, 1);
          check(counter.take() == 1 && event.take() == 0, what + ": another trigger, called by the loop's thread");
          r.write32(0x64, r.read32(0x24));
          refused(what + ": buffer in use", InUse.class, buffer::close);
          d.disable();
          r.write32(0x60, 1);
          check(counter.take() == 0 && event.await(QUIET_MILLIS) == 0, what + ": nothing once disabled");
          r.write32(0x64, r.read32(0x24));
        }
        check(c.unmap(new AddressRange(0, 0xff_ffff)) == 0x4000, what + ": the kernel unmapped what was mapped");
      }
    }
    gone(what, f, "");
  }

  private static void dma(String what, RegisterBus r, DmaBuffer buffer) throws InterruptedException {
    for (int i = 0; i < 256; i += 8) {
      buffer.write(i, 8, 0x0123_4567_89ab_cdefL * (i + 1));
    }
    buffer.publish();
    transfer(r, 0x10_0000, 0x4_0000, 1);
    transfer(r, 0x4_0000, 0x10_2000, 3);
    boolean same = true;
    for (int i = 0; i < 256; i += 8) {
      same &= buffer.read(0x2000 + i, 8) == 0x0123_4567_89ab_cdefL * (i + 1);
    }
    check(same, what + ": 256 bytes through the IOMMU to the device and back");
    long before = buffer.read(0x3000, 8);
    transfer(r, 0x4_0000, 0x900_0000, 3);
    check(buffer.read(0x3000, 8) == before, what + ": a DMA to an IOVA that is not mapped changes nothing");
  }

  private static void transfer(RegisterBus r, long from, long to, int command) throws InterruptedException {
    r.write64(0x80, from);
    r.write64(0x88, to);
    r.write64(0x90, 256);
    r.write64(0x98, command);
    for (int i = 0; i < 1000 && (r.read64(0x98) & 1) != 0; i++) {
      Thread.sleep(5);
    }
  }

  /// e1000e: MSI-X with five vectors.
  private static void e1000e(Access access, Sbdf f) throws Exception {
    LinuxOptions options = LinuxOptions.USUAL.with(access);
    String what = access + " e1000e " + f;
    String before;
    try (DriverBinding bound = DriverBinding.toVfio(options, f);
        LinuxVfio vfio = LinuxVfio.open(options);
        Container c = vfio.open(ContainerOptions.USUAL)) {
      before = bound.before().orElse("");
      c.attach(vfio.group(f));
      window(what, c);
      try (Device d = vfio.group(f).open(f)) {
        master(d);
        irqs(what, d);
        List<EventCounter> counters = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
          counters.add(new EventCounter());
        }
        check(d.enable(IrqType.MSIX, 5, counters) == 5, what + ": five MSI-X vectors");
        table(what, f, c);
        prepare(d);
        long received = rounds(d, counters);
        check(received == 5L * ROUNDS, what + ": %d of %d MSI-X messages, each on its own vector".formatted(received, 5 * ROUNDS));
        d.mask(2, true);
        cause(d, 2);
        quiet(counters.get(2), what + ": nothing while vector 2 is masked");
        d.mask(2, false);
        waitFor(counters.get(2), 1);
        check(counters.get(2).take() >= 1, what + ": vector 2 fires once it is unmasked");
        settle(d, counters);
        d.reset();
        master(d);
        prepare(d);
        settle(d, counters);
        received = rounds(d, counters);
        check(received == 5L * ROUNDS, what + ": %d of %d after a reset".formatted(received, 5 * ROUNDS));
        check(d.region(RegionType.BAR3).read32(0) == 0, what + ": the user's copy of the table is its own");
        if (d instanceof LinuxDevice l) {
          try {
            say("%s: reset together with %s".formatted(what, l.resetTogether()));
          } catch (ErrnoException e) {
            say("%s: no hot reset: %s".formatted(what, e.getMessage()));
          }
        }
        resize(what, d, counters);
      }
    }
    gone(what, f, before);
  }

  private static void resize(String what, Device d, List<EventCounter> counters) throws InterruptedException {
    d.disable();
    boolean resizable = d.irqs().get(IrqType.MSIX.ordinal()).resizable();
    check(d.enable(IrqType.MSIX, 2, counters.subList(0, 2)) == 2, what + ": two vectors");
    if (resizable) {
      d.add(4, counters.get(4));
      prepare(d);
      cause(d, 4);
      waitFor(counters.get(4), 1);
      check(counters.get(4).take() >= 1, what + ": vector 4 added to the live ones");
      d.remove(0);
    } else {
      say("%s: vectors of this kernel are taken together".formatted(what));
    }
    prepare(d);
    cause(d, 1);
    waitFor(counters.get(1), 1);
    check(counters.get(1).take() >= 1, what + ": vector 1 still lives");
  }

  private static void prepare(Device d) {
    RegisterBus r = d.region(RegionType.BAR0);
    r.write32(0xd8, -1);
    r.write32(0xc0, -1);
    r.write32(0x18, 0xc100_0000);
    r.write32(0xe4, 0x800c_ba98);
    // No throttling: a message that the device holds back would count for a later round.
    r.write32(0xc4, 0);
    for (int v = 0; v < 5; v++) {
      r.write32(0xe8 + 4 * v, 0);
    }
    r.write32(0xd0, 0x1f0_0000);
  }

  /// Clears every cause and waits for what is on its way.
  private static void settle(Device d, List<EventCounter> counters) throws InterruptedException {
    d.region(RegionType.BAR0).write32(0xc0, -1);
    Thread.sleep(QUIET_MILLIS);
    counters.forEach(EventCounter::take);
  }

  private static void cause(Device d, int vector) {
    d.region(RegionType.BAR0).write32(0xc8, 1 << 20 + vector);
  }

  /// One vector after the other: what any other one signals meanwhile counts against the sum. QEMU's model repeats messages by a timer of
  /// 128 microseconds once it has held one back, so that a vector may signal more than once, and what is on its way is waited for.
  private static long rounds(Device d, List<EventCounter> counters) throws InterruptedException {
    long received = 0;
    for (int v = 0; v < counters.size(); v++) {
      settle(d, counters);
      for (int i = 0; i < ROUNDS; i++) {
        cause(d, v);
        waitFor(counters.get(v), 1);
        received += Math.min(counters.get(v).take(), 1);
        d.region(RegionType.BAR0).write32(0xc0, -1);
      }
      for (int w = 0; w < counters.size(); w++) {
        // The last vector tells of the link, too, which changes by itself some time after a reset.
        if (w != v && w != LINK && counters.get(w).count() > 0) {
          say("vector %d signalled %d times while vector %d was raised".formatted(w, counters.get(w).count(), v));
          received -= 1000;
        }
      }
    }
    settle(d, counters);
    return received;
  }

  /// Where the kernel maps doorbells itself there is a window, and no other one can be had; else messages do not meet the tables.
  private static void window(String what, Container c) {
    ReservedRegion region = messages(c);
    check(region.range().equals(X86 ? FEE : SW_MSI), what + ": messages in " + region);
    check(c.msiWindow().isPresent() == !X86, what + ": MSI window " + c.msiWindow());
    refused(what + ": another window", WindowFixedByKernel.class, () -> c.reserveMsiWindow(AddressRange.ofSize(0xa000_0000L, 0x10_0000)));
    check(c.iovaRanges().stream().noneMatch(r -> r.overlaps(region.range())), what + ": no IOVA range meets it");
  }

  private static ReservedRegion messages(Container c) {
    return c.reserved().stream()
        .filter(r -> r.kind() == (X86 ? ReservedRegion.Kind.MSI : ReservedRegion.Kind.SW_MSI))
        .findFirst()
        .orElseThrow();
  }

  /// Arm: the kernel maps the doorbell's page to the window's first place, and the address is that place plus the doorbell's offset in its
  /// page. x86 with interrupt remapping: FEE0_0000h with the remappable format's two bits, whatever the handle.
  private static boolean isPredicted(Container c, long address) {
    if (X86) {
      return (address & 0xffff_ffff_fff0_001fL) == 0xfee0_0018L;
    }
    long translater = 0x808_0000L + 0x1_0040L;
    return address == c.msiWindow().orElseThrow().start() + c.granule().offset(translater);
  }

  private static void predicted(String what, Sbdf f, Container c) throws IOException {
    byte[] config = Files.readAllBytes(Path.of("/sys/bus/pci/devices", f.toString(), "config"));
    long address = message(config);
    check(isPredicted(c, address), what + ": the kernel programmed address 0x%x, as predicted".formatted(address));
  }

  private static long message(byte[] config) {
    ByteBuffer b = ByteBuffer.wrap(config).order(ByteOrder.LITTLE_ENDIAN);
    int at = b.get(0x34) & 0xff;
    while (at != 0 && (b.get(at) & 0xff) != 5) {
      at = b.get(at + 1) & 0xff;
    }
    return at == 0 ? -1 : b.getLong(at + 4);
  }

  private static void table(String what, Sbdf f, Container c) throws IOException {
    Path bar = Path.of("/sys/bus/pci/devices", f.toString(), "resource3");
    try (FileChannel ch = FileChannel.open(bar, StandardOpenOption.READ)) {
      ByteBuffer b = ch.map(FileChannel.MapMode.READ_ONLY, 0, ch.size()).order(ByteOrder.LITTLE_ENDIAN);
      for (int v = 0; v < 5; v++) {
        long address = Integer.toUnsignedLong(b.getInt(v * 16)) | (long) b.getInt(v * 16 + 4) << 32;
        check(
            isPredicted(c, address) && (X86 || b.getInt(v * 16 + 8) == v),
            what + ": vector %d programmed with address 0x%x, datum %d".formatted(v, address, b.getInt(v * 16 + 8)));
      }
    }
  }

  private static void irqs(String what, Device d) {
    for (IrqInfo i : d.irqs()) {
      if (i.count() > 0) {
        say("%s: %s".formatted(what, i));
      }
    }
    d.regions().stream().filter(r -> r.bytes() > 0).forEach(r -> say("%s: %s".formatted(what, r)));
  }

  private static void master(Device d) {
    d.config().write(4, d.config().read16(4) | 6, 2);
  }

  private static void gone(String what, Sbdf f, String driver) throws IOException {
    Path link = Path.of("/sys/bus/pci/devices", f.toString(), "driver");
    String now = Files.isSymbolicLink(link) ? Files.readSymbolicLink(link).getFileName().toString() : "";
    check(now.equals(driver), what + ": given back to '%s'".formatted(now));
  }

  private static void waitFor(EventCounter c, long signals) throws InterruptedException {
    for (int i = 0; i < WAIT_MILLIS && c.count() < signals; i++) {
      Thread.sleep(1);
    }
  }

  private static void quiet(EventCounter c, String what) throws InterruptedException {
    Thread.sleep(QUIET_MILLIS);
    check(c.take() == 0, what);
  }

  private static void refused(String what, Class<? extends RuntimeException> type, Runnable work) {
    try {
      work.run();
      check(false, what + " is not refused");
    } catch (RuntimeException e) {
      check(type.isInstance(e), what + ": " + e.getMessage());
    }
  }

  private static List<Sbdf> find(int vendor, int device) throws IOException {
    List<Sbdf> out = new ArrayList<>();
    try (Stream<Path> all = Files.list(Path.of("/sys/bus/pci/devices"))) {
      for (Path p : all.sorted().toList()) {
        if (number(p.resolve("vendor")) == vendor && number(p.resolve("device")) == device) {
          out.add(Sbdf.parse(p.getFileName().toString()));
        }
      }
    }
    return out;
  }

  private static int number(Path file) throws IOException {
    return Integer.decode(Files.readString(file).strip());
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      failures++;
    }
    say((holds ? "ok   " : "FAIL ") + what);
  }

  private static void say(String line) {
    System.out.println(line);
  }
}
