package dev.doorbell.qemu;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.pci.Firing;

/// The shared memory device `ivshmem-doorbell`: any vector on demand, by its peer or by itself.
///
/// **Source**: QEMU 10.0, `docs/specs/ivshmem-spec.rst`.
public final class IvshmemStimulus implements Stimulus {
  /// Commands after a ring. QEMU serves eventfds between commands, in no order that a caller can see.
  private static final int TURNS = 20;

  private final DeviceRegisters registers;
  private final IvshmemPeer peer;

  /// @param bar0 the device's registers
  /// @param peer the server that QEMU was started with
  public IvshmemStimulus(String device, RegisterBus bar0, IvshmemPeer peer) {
    registers = new DeviceRegisters(device, bar0);
    this.peer = peer;
  }

  @Override
  public int vectors() {
    return peer.vectors();
  }

  @Override
  public Firing raise(int vector) {
    peer.ring(vector);
    letWork();
    return Firing.UNTOLD;
  }

  /// Has the device ring itself, by its own Doorbell register.
  public void ringOwn(int vector) {
    registers.write(
        IvshmemLayout.DOORBELL,
        IvshmemLayout.PEER.place(registers.read(IvshmemLayout.IV_POSITION))
            | IvshmemLayout.VECTOR.place(vector));
    letWork();
  }

  private void letWork() {
    for (int i = 0; i < TURNS; i++) {
      var unused = registers.read(IvshmemLayout.INTERRUPT_MASK);
    }
  }
}
