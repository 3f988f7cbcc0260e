package dev.doorbell.qemu;

import dev.doorbell.bits.Field;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.pci.Firing;
import java.util.List;

/// The network controller `e1000e`: five MSI-X vectors, raised by setting interrupt causes.
///
/// Each vector comes once while the machine's clock stands still: its throttle, of about 128 µs at least, does not run out then.
/// {@link QemuMachine#runClock} lets it. A message that the throttle holds back comes when it has run out.
///
/// **Source**: Intel 82574 GbE Controller Family datasheet 3.4, 7.4 (interrupts), 10.2.4.
final class E1000eStimulus implements Stimulus {
  private static final List<Field> ALLOCATIONS =
      List.of(
          E1000eLayout.RXQ0,
          E1000eLayout.RXQ1,
          E1000eLayout.TXQ0,
          E1000eLayout.TXQ1,
          E1000eLayout.OTHER);

  private final DeviceRegisters registers;

  E1000eStimulus(String device, RegisterBus bar0) {
    registers = new DeviceRegisters(device, bar0);
    registers.write(E1000eLayout.IMC, E1000eLayout.QUEUES.mask());
    long ivar = E1000eLayout.WRITE_BACK.mask();
    for (int v = 0; v < ALLOCATIONS.size(); v++) {
      ivar |= ALLOCATIONS.get(v).place(E1000eLayout.valid(v));
    }
    registers.write(E1000eLayout.IVAR, ivar);
    registers.write(E1000eLayout.ICR, E1000eLayout.QUEUES.mask());
    registers.write(E1000eLayout.IMS, E1000eLayout.QUEUES.mask());
  }

  @Override
  public int vectors() {
    return ALLOCATIONS.size();
  }

  @Override
  public Firing raise(int vector) {
    if (vector < 0 || vector >= vectors()) {
      throw new IndexOutOfBoundsException("e1000e has 5 vectors, asked for " + vector);
    }
    long cause = E1000eLayout.QUEUES.place(1L << vector);
    registers.write(E1000eLayout.ICS, cause);
    registers.write(E1000eLayout.ICR, cause);
    return Firing.UNTOLD;
  }
}
