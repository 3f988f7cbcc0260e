package dev.doorbell.vmm;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Ipa;
import dev.doorbell.linux.kvm.ArmGic;

/// What lies where in a guest. Nothing below its memory is reached by DMA: a function's DMA sees memory at the guest's own addresses, and the
/// host's MSI window (0x8000000) lies beside it.
final class GuestMap {
  static final AddressRange DISTRIBUTOR =
      AddressRange.ofSize(0x0800_0000L, ArmGic.DISTRIBUTOR_BYTES);
  static final AddressRange ITS = AddressRange.ofSize(0x0808_0000L, ArmGic.ITS_BYTES);
  static final AddressRange REDISTRIBUTOR =
      AddressRange.ofSize(0x080a_0000L, ArmGic.REDISTRIBUTOR_BYTES);
  static final AddressRange CONSOLE = AddressRange.ofSize(0x0900_0000L, 0x1000);

  /// Where the BARs go, as the host bridge says.
  static final AddressRange BARS = AddressRange.ofSize(0x1000_0000L, 0x2f00_0000L);

  /// One bus.
  static final AddressRange ECAM = AddressRange.ofSize(0x3f00_0000L, 0x10_0000L);

  static final Ipa MEMORY = new Ipa(0x4000_0000L);

  static final ArmGic.V3Places GIC =
      new ArmGic.V3Places(
          new Ipa(DISTRIBUTOR.start()), new Ipa(REDISTRIBUTOR.start()), new Ipa(ITS.start()));

  /// Interrupts below LPIs.
  static final int INTERRUPTS = 64;

  /// The console's interrupt: SPI 1.
  static final int CONSOLE_INTID = 33;

  private GuestMap() {}
}
