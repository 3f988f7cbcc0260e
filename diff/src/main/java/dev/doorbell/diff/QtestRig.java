package dev.doorbell.diff;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.hw.pcie.EduLayout;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.MsiLayout;
import dev.doorbell.qemu.QemuProcess;
import dev.doorbell.qemu.QemuVersion;
import dev.doorbell.qemu.QtestBatch;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A machine of QEMU's with `edu` devices, whose MSI capability is used as a way to write 16 bits, zero-extended to 32, to any address: the
/// capability's address and data are set, and a write of the device's interrupt raise register sends them. What is asked of it goes out in
/// batches.
///
/// **Source** QEMU, `docs/specs/edu.rst`.
abstract class QtestRig implements QemuMachine {
  private static final int CONFIG_SHIFT = 12;
  private static final int MESSAGE_BYTES =
      (int) (MsiLayout.DATA_64.offset() + Short.BYTES - MsiLayout.MESSAGE_ADDRESS_64.offset());

  private final QemuProcess process;
  private final QtestBatch batch;
  private final long ecam;
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

  /// @param ecam where configuration space begins, once it is there
  QtestRig(QemuProcess process, long ecam) {
    this.process = process;
    this.ecam = ecam;
    batch = process.qtest().batch();
  }

  @Override
  public final QemuVersion version() {
    return process.version();
  }

  final QemuProcess process() {
    return process;
  }

  /// {@return what was not sent yet}
  final QtestBatch batch() {
    return batch;
  }

  /// {@return where the configuration space of a function is}
  final long config(int requester) {
    return ecam + ((long) requester << CONFIG_SHIFT);
  }

  /// {@return where the registers of an `edu` are}
  final long bar(int requester) {
    return device(requester).bar;
  }

  /// Makes an `edu` ready to write messages.
  ///
  /// @param bar where its registers are to be
  final void place(int requester, long bar) {
    long config = config(requester);
    set(config, ConfigHeaderLayout.BAR, bar);
    set(config, ConfigHeaderLayout.COMMAND, on());
    Edu before = devices.get(requester);
    int capability = before == null ? msi(config) : before.capability;
    set(config + capability, MsiLayout.CONTROL_64, MsiLayout.ENABLE.place(1));
    devices.put(requester, new Edu(config, bar, capability));
  }

  /// {@return a Command register with which a function answers and writes}
  static long on() {
    return ConfigHeaderLayout.MEMORY_SPACE_ENABLE.place(1)
        | ConfigHeaderLayout.BUS_MASTER_ENABLE.place(1);
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

  final void set(long base, Register register, long value) {
    batch.write(base + register.offset(), value, register.bytes());
  }

  private long get(long address, int bytes) {
    return read(List.of(new Place("configuration space", address, bytes)))[0];
  }

  @Override
  public final void settle() {
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
  public final PhysicalMemory memory() {
    settle();
    return process.ram();
  }

  @Override
  public final void write(long address, long value, int bytes) {
    batch.write(address, value, bytes);
  }

  @Override
  public final void store(long address, List<Long> words) {
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
  public final void clear(long address, long bytes) {
    if (batch.size() == 0) {
      process.ram().fill(address, bytes, (byte) 0);
    } else {
      batch.fill(address, Math.toIntExact(bytes), (byte) 0);
    }
  }

  @Override
  public final long[] ask(List<Place> places) {
    long[] answers = new long[places.size()];
    asked.add(new Asked(batch.size(), answers));
    for (Place p : places) {
      batch.read(p.address(), p.bytes());
    }
    return answers;
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
  public final void message(int requester, long address, int data) {
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
