package dev.doorbell.diff;

import static dev.doorbell.hw.vtd.VtdRegisters.*;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.hw.vtd.VtdFeatures;
import dev.doorbell.hw.vtd.VtdModel;
import dev.doorbell.qemu.QemuBinary;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// A remapping unit twice: QEMU's `intel-iommu` of a PC, and the model, which reads the same tables in the same memory. Interrupts are seen
/// where they reach the local APICs: at the model's port, and in QEMU's trace.
final class VtdPair implements AutoCloseable {
  static final List<Integer> REQUESTERS = EduPc.REQUESTERS;
  private static final long UNIT = 0xfed9_0000L;
  private static final int INPUT_BITS = 39;

  final List<String> modelInterrupts = new ArrayList<>();
  private final EduPc pc;
  private final VtdModel model;

  private VtdPair(EduPc pc) {
    this.pc = pc;
    model =
        new VtdModel(
            VtdFeatures.of(INPUT_BITS, true),
            pc.memory(),
            (destination, command, _) -> {
              modelInterrupts.add(
                  EduPc.interrupt(
                      destination, command >>> 11 & 1, command >>> 8 & 7, command & 0xff));
              return true;
            });
  }

  static VtdPair start(QemuBinary binary) throws IOException {
    return new VtdPair(EduPc.start(binary, "intel-iommu,intremap=on,aw-bits=39"));
  }

  PhysicalMemory memory() {
    return pc.memory();
  }

  /// Writes a register of both.
  void set(Register r, long value) {
    pc.write(UNIT + r.offset(), value, r.bytes());
    if (model.write(r.offset(), value, r.bytes(), -1) != BusOutcome.OK) {
      throw new IllegalStateException("the model has no " + r.name());
    }
  }

  /// Writes the queue's tail, the model's after QEMU's status writes were taken out of memory.
  ///
  /// {@return what QEMU and the model wrote to a status word}
  int[] tail(long offset, long status) {
    pc.memory().write32(status, 0);
    pc.write(UNIT + IQT_REG.offset(), offset, Long.BYTES);
    int other = pc.memory().read32(status);
    pc.memory().write32(status, 0);
    model.write(IQT_REG.offset(), offset, Long.BYTES, -1);
    return new int[] {other, pc.memory().read32(status)};
  }

  long[] both(Register r) {
    return new long[] {
      pc.read(UNIT + r.offset(), r.bytes()), model.read(r.offset(), r.bytes()).value()
    };
  }

  /// Lets a device write to memory, on QEMU's machine.
  void write(int requester, long address, int data) {
    pc.deviceWrites(requester, address, data);
  }

  /// {@return where the model would let it write, or {@link Translator#FAULT}}
  long translate(int requester, long address) {
    return model.translate(requester, -1, address, Translator.WRITE);
  }

  /// The model's part of a message.
  void message(int requester, long address, int data) {
    if (model.message(requester, address, data, Integer.BYTES) == BusOutcome.OK
        && modelInterrupts.isEmpty()) {
      throw new IllegalStateException("a message was taken and raised nothing");
    }
  }

  /// {@return interrupts that reached QEMU's local APICs since the last look}
  List<String> otherInterrupts() {
    return pc.interrupts();
  }

  /// {@return what QEMU recorded, as `requester, reason, address, write or read`; empty for nothing. Cleared behind}
  String otherFault() {
    return fault(
        (at, bytes) -> pc.read(UNIT + at, bytes), (at, v) -> pc.write(UNIT + at, v, Long.BYTES));
  }

  String modelFault() {
    return fault(
        (at, bytes) -> model.read(at, bytes).value(),
        (at, v) -> model.write(at, v, Long.BYTES, -1));
  }

  private interface Reading {
    long read(long offset, int bytes);
  }

  private interface Writing {
    void write(long offset, long value);
  }

  private static String fault(Reading in, Writing out) {
    long fsts = in.read(FSTS_REG.offset(), FSTS_REG.bytes());
    long at = FRCD_REG.offset() + FRI.get(fsts) * OFFSET_UNIT;
    long high = in.read(at + Long.BYTES, Long.BYTES);
    if (!F.isSet(high)) {
      return "";
    }
    long low = in.read(at, Long.BYTES);
    out.write(at + Long.BYTES, F.mask());
    return "0x%x reason %xh at 0x%x, %s"
        .formatted(
            FAULT_SID.get(high), FR.get(high), FI.get(low), T1.isSet(high) ? "read" : "write");
  }

  @Override
  public void close() {
    pc.close();
  }
}
