package dev.doorbell.diff;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.gicv2.GiccRegisters;
import dev.doorbell.hw.pcie.EduLayout;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import dev.doorbell.pci.BridgeHeaderLayout;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.MsiLayout;
import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuProcess;
import dev.doorbell.qemu.QtestBatch;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// QEMU's `virt` machine with `edu` devices, whose MSI capability is used as a way to write 16 bits, zero-extended to 32, to any address:
/// the capability's address and data are set, and a write of the device's interrupt raise register sends them.
///
/// **Source** QEMU, `docs/specs/edu.rst`, `docs/system/arm/virt.rst`.
final class QemuRig implements Rig {
  private static final long ECAM = 0x40_1000_0000L;
  private static final long BARS = 0x1000_0000L;
  private static final long BAR_BYTES = EduLayout.MAP.bytes();
  private static final int BUS_SHIFT = 8;
  private static final int CONFIG_SHIFT = 12;
  private static final int FIRST_PORT_SLOT = 4;
  private static final int MESSAGE_BYTES =
      (int) (MsiLayout.DATA_64.offset() + Short.BYTES - MsiLayout.MESSAGE_ADDRESS_64.offset());
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final Hardware hardware;
  private final QemuProcess process;
  private final QtestBatch batch;
  private final EduReads reads;
  private final Map<Integer, Edu> devices = new LinkedHashMap<>();
  private final List<Asked> asked = new ArrayList<>();

  /// Reads under way.
  ///
  /// @param first number of the first one in the batch
  private record Asked(int first, long[] answers) {}

  /// One `edu`.
  private static final class Edu {
    final long config;
    final long bar;
    final int capability;
    long address = -1;
    int data = -1;

    Edu(long config, long bar, int capability) {
      this.config = config;
      this.bar = bar;
      this.capability = capability;
    }
  }

  private QemuRig(QemuProcess process, Hardware hardware) {
    this.process = process;
    this.hardware = hardware;
    batch = process.qtest().batch();
    reads = new EduReads(process, hardware);
    clearBelowArena();
    placeDevices();
    makeEdges();
    reads.letRun();
  }

  /// Starts QEMU.
  ///
  /// @throws dev.doorbell.qemu.QemuException when it cannot be started
  static QemuRig start(QemuBinary binary, Hardware hardware) {
    QemuProcess process =
        QemuProcess.start(
            new QemuProcess.Settings(
                binary,
                machine(hardware),
                AddressRange.ofSize(Board.RAM, Board.RAM_BYTES),
                arguments(hardware),
                PATIENCE));
    boolean done = false;
    try {
      QemuRig rig = new QemuRig(process, hardware);
      done = true;
      return rig;
    } finally {
      if (!done) {
        process.close();
      }
    }
  }

  private static String machine(Hardware hardware) {
    return switch (hardware) {
      case SMMUV3, SMMUV3_FULL -> "virt,gic-version=3,iommu=smmuv3";
      case ITS -> "virt,gic-version=3,its=on";
      case GICV2M -> "virt,gic-version=2";
    };
  }

  private static List<String> arguments(Hardware hardware) {
    List<String> out = new ArrayList<>();
    out.addAll(List.of("-cpu", "cortex-a57,start-powered-off=on"));
    out.addAll(List.of("-smp", Integer.toString(hardware == Hardware.ITS ? Board.GICV3_CPUS : 1)));
    if (hardware == Hardware.SMMUV3_FULL) {
      out.addAll(EduReads.ARGUMENTS);
    }
    int ports = 0;
    for (int requester : Board.REQUESTERS) {
      if (requester >>> BUS_SHIFT == 0) {
        out.addAll(List.of("-device", "edu,addr=%x".formatted(requester >>> 3)));
      } else {
        ports++;
        out.addAll(
            List.of(
                "-device",
                "pcie-root-port,id=rp%d,chassis=%d,addr=%x"
                    .formatted(ports, ports, FIRST_PORT_SLOT + ports - 1),
                "-device",
                "edu,bus=rp%d".formatted(ports)));
      }
    }
    return out;
  }

  @Override
  public String name() {
    return "QEMU " + process.version();
  }

  QemuProcess process() {
    return process;
  }

  @Override
  public void reset() {
    flush();
    reads.stop();
    process.reset();
    clearWhatStays();
    clearBelowArena();
    placeDevices();
    makeEdges();
    reads.letRun();
  }

  private void makeEdges() {
    if (hardware == Hardware.SMMUV3_FULL) {
      batch.write(SmmuLines.CONFIGURE, SmmuLines.EDGES, Integer.BYTES);
      flush();
    }
  }

  /// What a reset leaves as it was: active priorities (`gicv2-apr-reset`), and where the stream table is.
  private void clearWhatStays() {
    if (hardware.isSmmu()) {
      batch.write(Board.SMMU + SmmuRegisters.STRTAB_BASE.offset(), 0, Long.BYTES);
      batch.write(Board.SMMU + SmmuRegisters.STRTAB_BASE_CFG.offset(), 0, Integer.BYTES);
    }
    for (int i = 0; hardware == Hardware.GICV2M && i < GiccRegisters.APR.count(); i++) {
      batch.write(Board.GICC + GiccRegisters.APR.offset(i), 0, Integer.BYTES);
      batch.write(Board.GICC + GiccRegisters.NSAPR.offset(i), 0, Integer.BYTES);
    }
  }

  /// QEMU puts a device tree at the start of RAM, with random numbers in it: a walk that is led there reads it.
  private void clearBelowArena() {
    process.ram().fill(Board.RAM, Board.ARENA - Board.RAM, (byte) 0);
  }

  private void placeDevices() {
    int index = 0;
    int ports = 0;
    for (int requester : Board.REQUESTERS) {
      long bar = BARS + index * BAR_BYTES;
      int bus = requester >>> BUS_SHIFT;
      if (bus != 0) {
        bridge((FIRST_PORT_SLOT + ports) << 3, bus, bar);
        ports++;
      }
      long config = ECAM + ((long) requester << CONFIG_SHIFT);
      set(config, ConfigHeaderLayout.BAR, bar);
      set(config, ConfigHeaderLayout.COMMAND, command());
      Edu before = devices.get(requester);
      int capability = before == null ? msi(config) : before.capability;
      set(config + capability, MsiLayout.CONTROL_64, MsiLayout.ENABLE.place(1));
      devices.put(requester, new Edu(config, bar, capability));
      index++;
    }
    flush();
  }

  private static long command() {
    return ConfigHeaderLayout.MEMORY_SPACE_ENABLE.place(1)
        | ConfigHeaderLayout.BUS_MASTER_ENABLE.place(1);
  }

  private void bridge(int requester, int bus, long bar) {
    long config = ECAM + ((long) requester << CONFIG_SHIFT);
    set(config, BridgeHeaderLayout.PRIMARY_BUS, 0);
    set(config, BridgeHeaderLayout.SECONDARY_BUS, bus);
    set(config, BridgeHeaderLayout.SUBORDINATE_BUS, bus);
    long window = BridgeHeaderLayout.MEMORY_ADDRESS.place(bar / BAR_BYTES);
    set(config, BridgeHeaderLayout.MEMORY_BASE, window);
    set(config, BridgeHeaderLayout.MEMORY_LIMIT, window);
    set(config, ConfigHeaderLayout.COMMAND, command());
  }

  private int msi(long config) {
    int at = (int) get(config + ConfigHeaderLayout.CAP_POINTER.offset(), 1);
    while (at != 0) {
      long header = get(config + at, 2);
      if (CapabilityLayout.ID.get(header) == CapabilityLayout.MSI) {
        return at;
      }
      at = (int) (CapabilityLayout.NEXT.get(header) >>> Byte.SIZE);
    }
    throw new NoMessages(name(), config);
  }

  private void set(long config, Register register, long value) {
    batch.write(config + register.offset(), value, register.bytes());
  }

  private long get(long address, int bytes) {
    return read(List.of(new Place("configuration space", address, bytes)))[0];
  }

  private void flush() {
    if (batch.size() > 0) {
      batch.run();
    }
    for (Asked a : asked) {
      for (int i = 0; i < a.answers.length; i++) {
        a.answers[i] = batch.value(a.first + i);
      }
    }
    asked.clear();
    batch.clear();
  }

  @Override
  public PhysicalMemory memory() {
    flush();
    return process.ram();
  }

  @Override
  public void write(long address, long value, int bytes) {
    batch.write(address, value, bytes);
  }

  @Override
  public void store(long address, List<Long> words) {
    if (batch.size() == 0) {
      for (int i = words.size() - 1; i >= 0; i--) {
        process.ram().write64(address + (long) i * Long.BYTES, words.get(i));
      }
      process.ram().publish();
      return;
    }
    ByteBuffer bytes = ByteBuffer.allocate(words.size() * Long.BYTES);
    bytes.order(ByteOrder.LITTLE_ENDIAN);
    words.forEach(bytes::putLong);
    batch.write(address, bytes.array());
  }

  @Override
  public void clear(long address, long bytes) {
    if (batch.size() == 0) {
      process.ram().fill(address, bytes, (byte) 0);
    } else {
      batch.fill(address, Math.toIntExact(bytes), (byte) 0);
    }
  }

  @Override
  public long[] ask(List<Place> places) {
    long[] answers = new long[places.size()];
    asked.add(new Asked(batch.size(), answers));
    for (Place p : places) {
      batch.read(p.address(), p.bytes());
    }
    return answers;
  }

  @Override
  public void settle() {
    flush();
  }

  private Edu device(int requester) {
    Edu edu = devices.get(requester);
    if (edu == null) {
      throw new IllegalArgumentException(
          "no device with requester id 0x%x; there are %s".formatted(requester, devices.keySet()));
    }
    return edu;
  }

  @Override
  public long fetch(int requester, long address) {
    Edu edu = device(requester);
    flush();
    return reads.fetch(edu.bar, address);
  }

  @Override
  public void message(int requester, long address, int data) {
    Edu edu = device(requester);
    long msi = edu.config + edu.capability;
    if (edu.address != address || edu.data != data) {
      // Address and data lie one behind the other: QEMU makes accesses of four and two bytes of it.
      ByteBuffer registers = ByteBuffer.allocate(MESSAGE_BYTES).order(ByteOrder.LITTLE_ENDIAN);
      registers.putLong(address & -(long) Integer.BYTES).putShort((short) data);
      batch.write(msi + MsiLayout.MESSAGE_ADDRESS_64.offset(), registers.array());
      edu.address = address;
      edu.data = data;
    }
    batch.write(edu.bar + EduLayout.RAISE.offset(), 1, Integer.BYTES);
  }

  @Override
  public void close() {
    process.close();
  }
}
