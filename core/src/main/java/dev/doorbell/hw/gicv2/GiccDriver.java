package dev.doorbell.hw.gicv2;

import static dev.doorbell.hw.gicv2.GiccRegisters.*;

import dev.doorbell.bus.CpuInterface;
import dev.doorbell.bus.RegisterBus;

/// Takes interrupts through one processor's CPU interface registers. Callers synchronise.
///
/// **Source**: IHI 0048B.b, 3.2.1 and 4.4.
final class GiccDriver {
  private final RegisterBus bus;
  private final int cpu;
  // What GICC_IAR answered for the interrupt that is in service; GICC_EOIR wants all of it back.
  private int answer;

  /// @param cpu whose registers these are, as the driver numbers CPUs
  GiccDriver(RegisterBus bus, int cpu) {
    this.bus = bus;
    this.cpu = cpu;
  }

  int cpu() {
    return cpu;
  }

  /// Lets every priority through and turns the first enable bit on, which is Group 0 without Security Extensions or for a Secure access, and Group 1
  /// for a Non-secure one: in both cases the group that this driver's interrupts are in. Bypass settings stay as firmware left them.
  void initialise() {
    bus.write32(PMR.offset(), (int) PRIORITY.place(PRIORITY.max()));
    long bypass =
        FIQ_BYP_DIS_GRP0.mask()
            | IRQ_BYP_DIS_GRP0.mask()
            | FIQ_BYP_DIS_GRP1.mask()
            | IRQ_BYP_DIS_GRP1.mask();
    int kept = (int) (bus.read32(CTLR.offset()) & bypass);
    bus.write32(CTLR.offset(), kept | (int) ENABLE_GRP0.place(1));
  }

  /// {@return the interrupt that is now active, or {@link CpuInterface#NONE}}
  int acknowledge() {
    answer = bus.read32(IAR.offset());
    int intid = INTERRUPT_ID.getInt(Integer.toUnsignedLong(answer));
    return intid >= GicdRegisters.SPI_LIMIT ? CpuInterface.NONE : intid;
  }

  /// Ends the interrupt that was acknowledged last.
  void endOfInterrupt() {
    bus.write32(EOIR.offset(), answer);
  }
}
