package dev.doorbell.pci;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// The headers that chain capabilities, and the capability ids that Doorbell reads.
///
/// **Source**: PCI Express Base 6.0, 7.5.1.1.11 (list), 7.6.3 (extended header); PCI Code and ID Assignment 1.16, 2 and 3.
public final class CapabilityLayout {
  private static final Layout HEADER_L = Layout.lsb0("Capability Header", 2);
  private static final Layout EXTENDED_L = Layout.lsb0("Extended Capability Header", 4);
  private static final RegisterMap.Builder M = RegisterMap.named("Capability header", 4);
  private static final RegisterMap.Builder X = RegisterMap.named("Extended capability header", 4);

  // spotless:off
  public static final Field ID               = HEADER_L.bits("Capability ID", 7, 0);
  public static final Field NEXT             = HEADER_L.address("Next Capability Pointer", 15, 8);
  public static final Field EXTENDED_ID      = EXTENDED_L.bits("PCI Express Extended Capability ID", 15, 0);
  public static final Field EXTENDED_VERSION = EXTENDED_L.bits("Capability Version", 19, 16);
  public static final Field EXTENDED_NEXT    = EXTENDED_L.bits("Next Capability Offset", 31, 20);
  public static final Register HEADER        = M.register("Capability Header", 0, Access.RO, HEADER_L.seal());
  public static final Register EXTENDED_HEADER = X.register("Extended Capability Header", 0, Access.RO, EXTENDED_L.seal());

  /// Where the first capability of conventional space may lie, and the first extended one does.
  public static final int FIRST = 0x40;
  public static final int CONVENTIONAL_BYTES = 0x100;
  public static final int EXTENDED_BYTES = 0x1000;

  public static final int POWER_MANAGEMENT = 0x01;
  public static final int MSI          = 0x05;
  public static final int PCIX         = 0x07;
  public static final int PCI_EXPRESS  = 0x10;
  public static final int MSIX         = 0x11;
  public static final int ENHANCED_ALLOCATION = 0x14;
  public static final int EXTENDED_ACS   = 0x000d;
  public static final int EXTENDED_ARI   = 0x000e;
  public static final int EXTENDED_ATS   = 0x000f;
  public static final int EXTENDED_SRIOV = 0x0010;
  public static final int EXTENDED_PASID = 0x001b;
  // spotless:on

  public static final RegisterMap MAP = M.seal();
  public static final RegisterMap EXTENDED_MAP = X.seal();

  private CapabilityLayout() {}
}
