package dev.doorbell.diff;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.InterruptLine;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.Translator;
import dev.doorbell.hw.amdvi.AmdViFeatures;
import dev.doorbell.hw.amdvi.AmdViModel;
import dev.doorbell.hw.amdvi.AmdViRegisters;
import dev.doorbell.qemu.QemuBinary;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// An AMD IOMMU twice: QEMU's `amd-iommu` of a PC, and the model, which reads the same tables in the same memory.
final class AmdViPair implements AutoCloseable {
  private static final long UNIT = 0xfed8_0000L;

  final List<String> modelInterrupts = new ArrayList<>();
  private final EduPc pc;
  private final AmdViModel model;

  private AmdViPair(EduPc pc) {
    this.pc = pc;
    model =
        new AmdViModel(
            AmdViFeatures.all(),
            pc.memory(),
            (destination, command, _) -> {
              modelInterrupts.add(
                  EduPc.interrupt(
                      destination, command >>> 11 & 1, command >>> 8 & 7, command & 0xff));
              return true;
            },
            InterruptLine.NONE);
  }

  /// @param options of the IOMMU, such as `,dma-remap=on`; before QEMU 10 it translates without any
  static AmdViPair start(QemuBinary binary, String options) throws IOException {
    return new AmdViPair(EduPc.start(binary, "amd-iommu,intremap=on" + options));
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

  /// Writes the command buffer's tail, the model's after QEMU's status writes were taken out of memory.
  ///
  /// {@return what QEMU and the model wrote to a status quadword}
  long[] tail(long offset, long status) {
    pc.memory().write64(status, 0);
    pc.write(UNIT + AmdViRegisters.CMD_TAIL_REG.offset(), offset, Long.BYTES);
    long other = pc.memory().read64(status);
    pc.memory().write64(status, 0);
    model.write(AmdViRegisters.CMD_TAIL_REG.offset(), offset, Long.BYTES, -1);
    return new long[] {other, pc.memory().read64(status)};
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

  @Override
  public void close() {
    pc.close();
  }
}
