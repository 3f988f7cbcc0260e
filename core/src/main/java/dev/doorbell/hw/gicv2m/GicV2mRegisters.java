package dev.doorbell.hw.gicv2m;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// The registers of a Non-secure GICv2m frame.
///
/// All are of 32 bits; MSI_SETSPI_NS also takes writes of its lower half, as a device's MSI may be 16 bits. Source: ARM DEN 0029
/// v2.2 (Server Base System Architecture), pages 35 to 39.
public final class GicV2mRegisters {
  /// Bytes of the frame.
  public static final long BYTES = 0x1000;

  /// SPIs that a frame can have.
  public static final int FIRST_SPI = 32;

  public static final int LAST_SPI = 1019;

  private static final Layout TYPER_L = Layout.lsb0("MSI_TYPER", 4);
  private static final Layout SETSPI_L = Layout.lsb0("MSI_SETSPI_NS", 4);
  private static final Layout IIDR_L = Layout.lsb0("MSI_IIDR", 4);

  // spotless:off
  public static final Field SPI_COUNT     = TYPER_L.bits ("Number of SPIs",        9,  0);
  public static final Field SPI_BASE      = TYPER_L.bits ("Base SPI",             25, 16);
  public static final Layout TYPER_LAYOUT = TYPER_L.res0(15, 10).res0(31, 26).seal();

  public static final Field SPI           = SETSPI_L.bits("SPI",                   9,  0);
  public static final Layout SETSPI_LAYOUT = SETSPI_L.res0(31, 10).seal();

  public static final Field IMPLEMENTER   = IIDR_L.bits  ("Implementer",          11,  0);
  public static final Field REVISION      = IIDR_L.bits  ("Revision",             15, 12);
  public static final Field ARCH_VERSION  = IIDR_L.bits  ("Architecture version", 19, 16);
  public static final Field PRODUCT_ID    = IIDR_L.bits  ("ProductID",            31, 20);
  public static final Layout IIDR_LAYOUT  = IIDR_L.seal();

  private static final RegisterMap.Builder B = RegisterMap.named("GICv2m", BYTES);
  public static final Register TYPER     = B.register("MSI_TYPER",     0x008, Access.RO, TYPER_LAYOUT);
  public static final Register SETSPI_NS = B.register("MSI_SETSPI_NS", 0x040, Access.WO, SETSPI_LAYOUT);
  public static final Register IIDR      = B.register("MSI_IIDR",      0xfcc, Access.RO, IIDR_LAYOUT);
  public static final RegisterMap MAP    = B.seal();
  // spotless:on

  private GicV2mRegisters() {}
}
