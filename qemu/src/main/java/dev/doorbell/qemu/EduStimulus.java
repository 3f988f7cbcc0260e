package dev.doorbell.qemu;

import dev.doorbell.address.Iova;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.hw.pcie.EduLayout;
import dev.doorbell.pci.Firing;

/// The teaching device `edu`: its one MSI vector, and transfers between memory and its buffer of 4096 bytes.
///
/// It emits addresses of 28 bits, and cuts others (its property `dma_mask` unless set). A transfer takes 100 ms of the machine's clock, which stands still until {@link QemuMachine#runClock}.
/// QEMU 7.2 ends itself at a transfer that reaches the last byte of the buffer.
///
/// It has one vector; {@link XhciStimulus} is for MSI of several.
///
/// **Source**: QEMU 7.2 and 10.0, `docs/specs/edu.rst` (`.txt`).
public final class EduStimulus implements Stimulus {
  private static final int ADDRESS_BITS = 28;

  private final DeviceRegisters registers;

  /// @param bar0 its registers
  public EduStimulus(String device, RegisterBus bar0) {
    registers = new DeviceRegisters(device, bar0);
  }

  @Override
  public int vectors() {
    return 1;
  }

  @Override
  public Firing raise(int vector) {
    if (vector != 0) {
      throw new IndexOutOfBoundsException("edu has one vector, asked for " + vector);
    }
    registers.write(EduLayout.RAISE, 1);
    registers.write(EduLayout.ACKNOWLEDGE, 1);
    return Firing.UNTOLD;
  }

  /// Copies memory into the device's buffer.
  ///
  /// @param offset in the buffer
  /// @throws IllegalArgumentException when the address has more than 28 bits
  /// @throws DeviceStuck when the clock stands still
  public void fetch(Iova from, int offset, int bytes) {
    transfer(reachable(from), EduLayout.BUFFER + offset, bytes, 0);
  }

  /// Copies the device's buffer into memory.
  ///
  /// @param offset in the buffer
  /// @throws IllegalArgumentException when the address has more than 28 bits
  /// @throws DeviceStuck when the clock stands still
  public void store(int offset, Iova to, int bytes) {
    transfer(EduLayout.BUFFER + offset, reachable(to), bytes, 1);
  }

  private static long reachable(Iova iova) {
    if (iova.value() >>> ADDRESS_BITS != 0) {
      throw new IllegalArgumentException(
          "edu emits addresses of %d bits; %s has more".formatted(ADDRESS_BITS, iova));
    }
    return iova.value();
  }

  private void transfer(long source, long destination, int bytes, int fromDevice) {
    registers.write(EduLayout.DMA_SOURCE, source);
    registers.write(EduLayout.DMA_DESTINATION, destination);
    registers.write(EduLayout.DMA_COUNT, bytes);
    registers.write(
        EduLayout.DMA_COMMAND, EduLayout.START.place(1) | EduLayout.FROM_DEVICE.place(fromDevice));
    registers.await(EduLayout.DMA_COMMAND, EduLayout.START, 0);
  }
}
