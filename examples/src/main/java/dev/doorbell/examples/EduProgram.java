package dev.doorbell.examples;

import dev.doorbell.address.Iova;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.hw.pcie.EduLayout;
import dev.doorbell.vfio.IrqType;
import java.util.ArrayList;
import java.util.List;

/// QEMU's teaching device `edu`: one MSI vector, and a copy by way of the device's own buffer.
///
/// **Source**: QEMU 10.0, `docs/specs/edu.rst`.
public record EduProgram(RegisterBus registers) implements DeviceProgram {
  private static final long ANY_CAUSE = 1;

  /// Bytes of a transfer. QEMU 7.2 ends itself at one that fills the buffer to its last byte.
  private static final int PART = EduLayout.BUFFER_BYTES / 2;

  public EduProgram {
    long id = registers.read(EduLayout.IDENTIFICATION.offset(), Integer.BYTES);
    if (EduLayout.SIGNATURE.get(id) != EduLayout.SIGNATURE.get(EduLayout.IDENTIFICATION.reset())) {
      throw new IllegalStateException("the device is no edu");
    }
  }

  @Override
  public IrqType irqs() {
    return IrqType.MSI;
  }

  @Override
  public int vectors() {
    return 1;
  }

  @Override
  public void ring(int vector) {
    registers.write(EduLayout.RAISE.offset(), ANY_CAUSE, EduLayout.RAISE.bytes());
  }

  @Override
  public List<Runnable> copy(Iova from, Iova to, int bytes, int vector) {
    List<Runnable> steps = new ArrayList<>();
    for (int done = 0; done < bytes; done += PART) {
      Iova source = from.plus(done);
      Iova destination = to.plus(done);
      int part = Math.min(PART, bytes - done);
      steps.add(() -> transfer(source.value(), EduLayout.BUFFER, part, 0));
      steps.add(() -> transfer(EduLayout.BUFFER, destination.value(), part, 1));
    }
    return steps;
  }

  private void transfer(long source, long destination, int bytes, int fromDevice) {
    registers.write64(EduLayout.DMA_SOURCE.offset(), source);
    registers.write64(EduLayout.DMA_DESTINATION.offset(), destination);
    registers.write64(EduLayout.DMA_COUNT.offset(), bytes);
    registers.write64(
        EduLayout.DMA_COMMAND.offset(),
        EduLayout.START.place(1)
            | EduLayout.FROM_DEVICE.place(fromDevice)
            | EduLayout.INTERRUPT.place(1));
  }

  /// Its causes stay until they are acknowledged.
  @Override
  public void acknowledge() {
    long causes = registers.read(EduLayout.INTERRUPT_STATUS.offset(), Integer.BYTES);
    registers.write(EduLayout.ACKNOWLEDGE.offset(), causes, Integer.BYTES);
  }
}
