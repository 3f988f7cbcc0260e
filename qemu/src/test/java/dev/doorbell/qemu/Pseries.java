package dev.doorbell.qemu;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.Hypervisor;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.hw.papr.Calls;
import dev.doorbell.hw.papr.ConfigAddressLayout;
import dev.doorbell.hw.papr.PaprFunctions;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.MessageTable;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/// QEMU's `pseries` machine with a network card, whose guest does not run: its hypervisor's RTAS calls are made from outside. Hypervisor calls cannot be;
/// those about presentation are answered as by a processor to which nothing is presented.
final class Pseries implements Hypervisor, PaprFunctions, AutoCloseable {
  static final long BUID = 0x800_0000_2000_0000L;
  static final int RID = 0;

  /// Where a processor finds addresses of the bus from 2 GiB on.
  private static final long WINDOW = 0x2000_8000_0000L;

  private static final long PCI32 = 0x8000_0000L;
  private static final long ARGUMENTS = 0x10_0000L;
  private static final long RESULTS = 0x10_1000L;
  private static final int BARS = 6;
  private static final long BAR_BYTES = 0x10_0000L;

  private final QemuProcess qemu;
  private final Qtest qtest;

  private Pseries(QemuProcess qemu) {
    this.qemu = qemu;
    qtest = qemu.qtest();
  }

  static Pseries startOrSkip() {
    QemuBinary binary;
    try {
      binary = QemuBinary.all("qemu-system-ppc64").getFirst();
    } catch (QemuMissing e) {
      return Assumptions.abort("%s; %s".formatted(e.getMessage(), e.advice()));
    }
    QemuProcess qemu =
        QemuProcess.start(
            new QemuProcess.Settings(
                binary,
                "pseries,ic-mode=xics,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off",
                AddressRange.ofSize(0, 1L << 30),
                List.of("-cpu", "power8", "-device", "e1000e,addr=0,romfile="),
                Qemus.PATIENCE));
    try {
      Pseries out = new Pseries(qemu);
      out.place();
      return out;
    } catch (RuntimeException | Error failed) {
      qemu.close();
      throw failed;
    }
  }

  /// BARs of 32 bits, side by side, and memory and bus mastering on.
  private void place() {
    ConfigSpace config = config(RID).orElseThrow();
    for (int i = 0; i < BARS; i++) {
      config.write(0x10 + 4 * i, (int) (PCI32 + i * BAR_BYTES), 4);
    }
    config.write(4, 6, 2);
  }

  RegisterBus bar(int index) {
    RegisterBus big =
        new QtestWindow(qtest, AddressRange.ofSize(WINDOW + index * BAR_BYTES, BAR_BYTES));
    return new PowerNv.Swapped(big);
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
        : f.msix().thing().map(m -> m.table(bar(m.tableBar()), bar(m.pbaBar())));
  }

  @Override
  public void hcall(int cpu, long[] registers) {
    registers[1] = 0;
    registers[0] = Calls.H_SUCCESS;
  }

  @Override
  public boolean rtas(String call, int[] arguments, int[] results) {
    for (int i = 0; i < arguments.length; i++) {
      put(ARGUMENTS + 4L * i, arguments[i]);
    }
    for (int i = 0; i < results.length; i++) {
      put(RESULTS + 4L * i, results[i]);
    }
    String answer =
        qtest.command(
            "rtas %s %d 0x%x %d 0x%x"
                .formatted(call, arguments.length, ARGUMENTS, results.length, RESULTS));
    for (int i = 0; i < results.length; i++) {
      results[i] = Integer.reverseBytes(qemu.ram().read32(RESULTS + 4L * i));
    }
    return answer.equals("0");
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
