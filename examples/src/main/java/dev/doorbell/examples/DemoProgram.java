package dev.doorbell.examples;

import dev.doorbell.address.Iova;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.hw.pcie.DemoLayout;
import dev.doorbell.vfio.IrqType;
import java.util.List;

/// The endpoint `doorbell-demo`: MSI-X, and a copy in one step.
public record DemoProgram(RegisterBus registers) implements DeviceProgram {
  public DemoProgram {
    if (registers.read(DemoLayout.ID.offset(), Integer.BYTES) != DemoLayout.SIGNATURE) {
      throw new IllegalStateException("the device is no doorbell-demo");
    }
  }

  @Override
  public IrqType irqs() {
    return IrqType.MSIX;
  }

  @Override
  public int vectors() {
    return registers.read32(DemoLayout.VECTORS.offset());
  }

  @Override
  public void ring(int vector) {
    registers.write32(DemoLayout.RING.offset(), vector);
  }

  @Override
  public List<Runnable> copy(Iova from, Iova to, int bytes, int vector) {
    return List.of(() -> {
      registers.write64(DemoLayout.SOURCE.offset(), from.value());
      registers.write64(DemoLayout.DESTINATION.offset(), to.value());
      registers.write32(DemoLayout.LENGTH.offset(), bytes);
      registers.write(
          DemoLayout.COPY.offset(),
          DemoLayout.START.place(1)
              | DemoLayout.THEN_RING.place(1)
              | DemoLayout.RING_VECTOR.place(vector),
          Integer.BYTES);
    });
  }

  @Override
  public void acknowledge() {
    // A message is all that there is.
  }
}
