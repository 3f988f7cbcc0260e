package dev.doorbell.qemu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.Hypervisor;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.hw.papr.Calls;
import dev.doorbell.hw.papr.ConfigAddressLayout;
import dev.doorbell.hw.papr.PaprFunctions;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MessageTable;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/// QEMU's `pseries` machine with a network card, the teaching device and an NVMe controller. RTAS calls are made from outside, hypervisor calls by a guest
/// that does nothing else.
final class Pseries implements Hypervisor, PaprFunctions, AutoCloseable {
  static final long BUID = 0x800_0000_2000_0000L;
  static final int RID = 0;
  static final int EDU = 0x08;
  static final int NVME = 0x10;
  static final long LIOBN = 0x8000_0000L;
  static final AddressRange RAM = AddressRange.ofSize(0, 1L << 30);

  /// The window that the machine begins with.
  static final AddressRange WINDOW_32 = AddressRange.ofSize(0, 1L << 30);

  /// Where a processor finds its own context (XIVE), as the operating system sees it.
  private static final AddressRange CONTEXT = AddressRange.ofSize(0x6_0302_031a_0000L, 0x1_0000);

  /// How the guest's interrupts are presented.
  enum Presentation {
    XICS("xics", "power8"),
    XIVE("xive", "power9");

    private final String mode;
    private final String cpu;

    Presentation(String mode, String cpu) {
      this.mode = mode;
      this.cpu = cpu;
    }
  }

  /// Where a processor finds addresses of the bus from 2 GiB on.
  private static final long WINDOW = 0x2000_8000_0000L;

  private static final long PCI32 = 0x8000_0000L;
  private static final long ARGUMENTS = 0x10_0000L;
  private static final long RESULTS = 0x10_1000L;
  private static final long OPTIONS = 0x10_2000L;
  private static final long BLOCK = 0x10_3000L;
  private static final long H_RTAS = 0xf000;
  private static final long TREE = 0x20_0000L;
  private static final long TREE_BYTES = 0x10_0000L;
  private static final int BARS = 6;
  private static final long BAR_BYTES = 0x10_0000L;
  private static final long LOGICAL_CI_LOAD = 0x3c;
  private static final long LOGICAL_CI_STORE = 0x40;
  private static final long CLIENT_SUPPORT = 0xf002;

  private final QemuProcess qemu;
  private final Qtest qtest;
  private final Map<String, Integer> tokens = new HashMap<>();

  private Pseries(QemuProcess qemu) {
    this.qemu = qemu;
    qtest = qemu.qtest();
  }

  static Pseries startOrSkip() {
    return startOrSkip(Presentation.XICS);
  }

  static Pseries startOrSkip(Presentation presentation) {
    QemuBinary binary;
    try {
      binary = QemuBinary.all("qemu-system-ppc64").getFirst();
    } catch (QemuMissing e) {
      return Assumptions.abort("%s; %s".formatted(e.getMessage(), e.advice()));
    }
    QemuProcess qemu = start(binary, presentation);
    try {
      Pseries out = new Pseries(qemu);
      var unused = qemu.qmp().execute("cont", Map.of());
      if (presentation == Presentation.XIVE) {
        out.chooseXive();
      }
      for (int rid : new int[] {RID, EDU, NVME}) {
        out.place(rid);
      }
      return out;
    } catch (RuntimeException | Error failed) {
      qemu.close();
      throw failed;
    }
  }

  private static QemuProcess start(QemuBinary binary, Presentation presentation) {
    try {
      Path firmware = Files.createTempFile("calling-guest", ".bin");
      try {
        Files.write(firmware, CallingGuest.image());
        return QemuProcess.start(
            new QemuProcess.Settings(
                binary,
                "pseries,ic-mode=%s,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off"
                    .formatted(presentation.mode),
                RAM,
                List.of(
                    "-cpu",
                    presentation.cpu,
                    "-bios",
                    firmware.toString(),
                    "-device",
                    "e1000e,addr=0,romfile=",
                    "-device",
                    "edu,addr=1",
                    "-device",
                    "nvme,addr=2,serial=a,max_ioqpairs=8,msix_qsize=9"),
                Qemus.PATIENCE));
      } finally {
        Files.delete(firmware);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// BARs of 32 bits, side by side, and memory and bus mastering on.
  private void place(int rid) {
    ConfigSpace config = config(rid).orElseThrow();
    for (int i = 0; i < BARS; i++) {
      boolean wide = (config.read(0x10 + 4 * i, 4) & 7) == 4;
      config.write(0x10 + 4 * i, (int) bar(rid, i), 4);
      if (wide) {
        i++;
        config.write(0x10 + 4 * i, 0, 4);
      }
    }
    config.write(4, 6, 2);
  }

  private static long bar(int rid, int index) {
    return PCI32 + ((rid >>> 3) * BARS + index) * BAR_BYTES;
  }

  /// Asks for XIVE as a guest does: ibm,client-architecture-support with one processor version, and option vectors of which the fifth has byte 23 and,
  /// for radix tables, byte 24.
  private void chooseXive() {
    ByteBuffer out = ByteBuffer.allocate(64);
    out.putInt(-1).putInt(0x0f00_0005).putInt(0).putInt(-1);
    out.put((byte) 4);
    for (int i = 0; i < 4; i++) {
      out.put((byte) 0).put((byte) 0);
    }
    byte[] fifth = new byte[24];
    fifth[22] = 0x40;
    fifth[23] = 0x40;
    out.put((byte) (fifth.length - 1)).put(fifth);
    byte[] all = out.array();
    for (int i = 0; i < all.length; i++) {
      qemu.ram().write(OPTIONS + i, all[i] & 0xff, 1);
    }
    long[] r = {CLIENT_SUPPORT, OPTIONS, TREE, TREE_BYTES};
    hcall(0, r);
    if (r[0] != 0) {
      throw new AssertionError("ibm,client-architecture-support: " + r[0]);
    }
    readTokens();
  }

  PhysicalMemory memory() {
    return qemu.ram();
  }

  RegisterBus bar(int index) {
    return register(RID, index);
  }

  /// The teaching device has its registers in the processor's order of bytes, all others in little-endian order.
  RegisterBus register(int rid, int index) {
    RegisterBus big =
        new QtestWindow(qtest, AddressRange.ofSize(WINDOW - PCI32 + bar(rid, index), BAR_BYTES));
    return rid == EDU ? big : new PowerNv.Swapped(big);
  }

  /// {@return registers as a processor of the guest reaches them: those of the interrupt controller want to know whose access it is}
  RegisterBus registers(AddressRange range) {
    return new RegisterBus() {
      @Override
      public long read(long offset, int bytes) {
        long[] r = {LOGICAL_CI_LOAD, bytes, range.start() + offset};
        hcall(0, r);
        if (r[0] != Calls.H_SUCCESS) {
          throw new BusErrorException("read", range.start() + offset, bytes);
        }
        return r[1];
      }

      @Override
      public void write(long offset, long value, int bytes) {
        long[] r = {LOGICAL_CI_STORE, bytes, range.start() + offset, value};
        hcall(0, r);
        if (r[0] != Calls.H_SUCCESS) {
          throw new BusErrorException("write", range.start() + offset, bytes);
        }
      }
    };
  }

  /// {@return what the interrupt controller tells of a source: its priority and its state, as two numbers}
  int[] source(int number) {
    return qemu.qmp()
        .monitor("info pic")
        .lines()
        .map(String::strip)
        .filter(l -> l.startsWith(Integer.toHexString(number) + " "))
        .map(l -> l.split("\\s+"))
        .map(w -> new int[] {Integer.parseInt(w[2], 16), Integer.parseInt(w[3], 16)})
        .findFirst()
        .orElseThrow(() -> new AssertionError("no source 0x%x".formatted(number)));
  }

  @Override
  public Optional<ConfigSpace> config(int rid) {
    return Optional.of(new Config(rid));
  }

  @Override
  public Optional<MessageTable> table(int rid, MessageTable.Kind kind) {
    PciFunction f = PciFunction.of(Sbdf.of(0, rid), new Config(rid), "QEMU");
    return kind == MessageTable.Kind.MSI
        ? f.msi().thing().map(m -> m)
        : f.msix()
            .thing()
            .map(m -> m.table(register(rid, m.tableBar()), register(rid, m.pbaBar())));
  }

  @Override
  public void hcall(int cpu, long[] registers) {
    hcalls(List.of(registers));
  }

  /// Makes many calls, one after another.
  void hcalls(List<long[]> calls) {
    if (!calls.isEmpty()) {
      CallingGuest.call(qemu, Qemus.PATIENCE, calls);
    }
  }

  /// As the machine's processor has it (XIVE).
  @Override
  public Optional<RegisterBus> context(int cpu) {
    return Optional.of(registers(CONTEXT));
  }

  @Override
  public boolean rtas(String call, int[] arguments, int[] results) {
    for (int i = 0; i < arguments.length; i++) {
      put(ARGUMENTS + 4L * i, arguments[i]);
    }
    for (int i = 0; i < results.length; i++) {
      put(RESULTS + 4L * i, results[i]);
    }
    boolean there =
        tokens.isEmpty() ? byQtest(call, arguments, results) : byGuest(call, arguments, results);
    for (int i = 0; i < results.length; i++) {
      results[i] = Integer.reverseBytes(qemu.ram().read32(RESULTS + 4L * i));
    }
    return there;
  }

  private boolean byQtest(String call, int[] arguments, int[] results) {
    return qtest
        .command(
            "rtas %s %d 0x%x %d 0x%x"
                .formatted(call, arguments.length, ARGUMENTS, results.length, RESULTS))
        .equals("0");
  }

  /// QEMU 7.2 ends itself at some calls from outside where there is an XIVE.
  private boolean byGuest(String call, int[] arguments, int[] results) {
    Integer token = tokens.get(call);
    if (token == null) {
      return false;
    }
    put(BLOCK, token);
    put(BLOCK + 4, arguments.length);
    put(BLOCK + 8, results.length);
    for (int i = 0; i < arguments.length; i++) {
      put(BLOCK + 12 + 4L * i, arguments[i]);
    }
    long[] r = {H_RTAS, BLOCK};
    hcall(0, r);
    long told = BLOCK + 12 + 4L * arguments.length;
    for (int i = 0; i < results.length; i++) {
      qemu.ram().write32(RESULTS + 4L * i, qemu.ram().read32(told + 4L * i));
    }
    return r[0] == Calls.H_SUCCESS;
  }

  /// Numbers of RTAS calls stand in the tree that the machine makes when a guest has told what it can.
  private void readTokens() {
    long tree = TREE + 4;
    long at = tree + big(tree + 8);
    long names = tree + big(tree + 12);
    for (int kind = big(at); kind != 9; kind = big(at)) {
      at += 4;
      if (kind == 1) {
        at += (text(at).length() + 4) & -4;
      } else if (kind == 3) {
        String name = text(names + big(at + 4));
        if (big(at) == 4 && name.startsWith("ibm,")) {
          tokens.put(name, big(at + 8));
        }
        at += 8 + (big(at) + 3 & -4);
      }
    }
  }

  private int big(long at) {
    return Integer.reverseBytes(qemu.ram().read32(at));
  }

  private String text(long at) {
    StringBuilder out = new StringBuilder();
    for (long i = at; qemu.ram().read(i, 1) != 0; i++) {
      out.append((char) qemu.ram().read(i, 1));
    }
    return out.toString();
  }

  private void put(long at, int word) {
    qemu.ram().write32(at, Integer.reverseBytes(word));
  }

  @Override
  public void close() {
    qemu.close();
  }

  /// Configuration space by ibm,read-pci-config and ibm,write-pci-config.
  private final class Config implements ConfigSpace {
    private final int rid;

    Config(int rid) {
      this.rid = rid;
    }

    private int[] arguments(int offset, int... more) {
      int[] out = new int[3 + more.length];
      out[0] =
          (int)
              (ConfigAddressLayout.RID.place(rid)
                  | ConfigAddressLayout.REGISTER_LOW.place(offset & 0xff)
                  | ConfigAddressLayout.REGISTER_HIGH.place(offset >>> 8));
      out[1] = (int) (BUID >>> 32);
      out[2] = (int) BUID;
      System.arraycopy(more, 0, out, 3, more.length);
      return out;
    }

    @Override
    public int size() {
      return 0x1000;
    }

    @Override
    public int read(int offset, int bytes) {
      ConfigSpace.check(offset, bytes);
      int[] results = new int[2];
      rtas(Calls.READ_CONFIG, arguments(offset, bytes), results);
      return results[1];
    }

    @Override
    public void write(int offset, int value, int bytes) {
      ConfigSpace.check(offset, bytes);
      rtas(Calls.WRITE_CONFIG, arguments(offset, bytes, value), new int[1]);
    }
  }
}
