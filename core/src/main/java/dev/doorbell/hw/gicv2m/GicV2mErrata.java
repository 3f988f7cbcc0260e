package dev.doorbell.hw.gicv2m;

/// Frames that want less than an SPI's number as the datum, told by MSI_IIDR.
///
/// **Source**: Linux 6.1, `drivers/irqchip/irq-gic-v2m.c` (APM X-Gene, Broadcom NS2). Amazon's Graviton, which takes the SPI from the address and
/// does not let MSI_IIDR be read, is not known by its registers and not driven (`docs/caveats.md`).
final class GicV2mErrata {
  private static final long XGENE_IIDR = 0x0600_0170L;
  private static final long NS2_IIDR = 0x0000_013fL;

  private GicV2mErrata() {}

  /// {@return what a frame adds to the datum to find the SPI; 0 for one that follows the architecture}
  static int spiOffset(long iidr, int firstSpi) {
    if (iidr == XGENE_IIDR) {
      return firstSpi;
    }
    return iidr == NS2_IIDR ? GicV2mRegisters.FIRST_SPI : 0;
  }
}
