package dev.doorbell.pci;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bits.ValueNames;

/// The Access Control Services and ARI extended capabilities.
///
/// **Source**: PCI Express Base 6.0, 7.7.11 (ACS, behaviour in 6.12), 7.8.8 (ARI, 6.13).
public final class ExtendedLayout {
  private static final RegisterMap.Builder A = RegisterMap.named("ACS", 0x28);
  private static final RegisterMap.Builder R = RegisterMap.named("ARI", 0x08);
  private static final ValueNames TARGET =
      ValueNames.of(0, "direct access", 1, "blocked", 2, "redirected", 3, "reserved");

  private static final Layout ACS_CAPABILITY_L = Layout.lsb0("ACS Capability", 2);
  private static final Layout ACS_CONTROL_L = Layout.lsb0("ACS Control", 2);
  private static final Layout EGRESS_L = Layout.lsb0("Egress Control Vector", 4);
  private static final Layout ARI_CAPABILITY_L = Layout.lsb0("ARI Capability", 2);
  private static final Layout ARI_CONTROL_L = Layout.lsb0("ARI Control", 2);

  // spotless:off
  public static final Field SOURCE_VALIDATION_CAPABLE    = ACS_CAPABILITY_L.bit("ACS Source Validation", 0);
  public static final Field TRANSLATION_BLOCKING_CAPABLE = ACS_CAPABILITY_L.bit("ACS Translation Blocking", 1);
  public static final Field REQUEST_REDIRECT_CAPABLE     = ACS_CAPABILITY_L.bit("ACS P2P Request Redirect", 2);
  public static final Field COMPLETION_REDIRECT_CAPABLE  = ACS_CAPABILITY_L.bit("ACS P2P Completion Redirect", 3);
  public static final Field UPSTREAM_FORWARDING_CAPABLE  = ACS_CAPABILITY_L.bit("ACS Upstream Forwarding", 4);
  public static final Field EGRESS_CONTROL_CAPABLE       = ACS_CAPABILITY_L.bit("ACS P2P Egress Control", 5);
  public static final Field DIRECT_TRANSLATED_CAPABLE    = ACS_CAPABILITY_L.bit("ACS Direct Translated P2P", 6);
  public static final Field ENHANCED_CAPABLE             = ACS_CAPABILITY_L.bit("ACS Enhanced Capability", 7);
  public static final Field EGRESS_VECTOR_SIZE           = ACS_CAPABILITY_L.bits("Egress Control Vector Size", 15, 8);

  public static final Field SOURCE_VALIDATION    = ACS_CONTROL_L.bit("ACS Source Validation Enable", 0);
  public static final Field TRANSLATION_BLOCKING = ACS_CONTROL_L.bit("ACS Translation Blocking Enable", 1);
  public static final Field REQUEST_REDIRECT     = ACS_CONTROL_L.bit("ACS P2P Request Redirect Enable", 2);
  public static final Field COMPLETION_REDIRECT  = ACS_CONTROL_L.bit("ACS P2P Completion Redirect Enable", 3);
  public static final Field UPSTREAM_FORWARDING  = ACS_CONTROL_L.bit("ACS Upstream Forwarding Enable", 4);
  public static final Field EGRESS_CONTROL       = ACS_CONTROL_L.bit("ACS P2P Egress Control Enable", 5);
  public static final Field DIRECT_TRANSLATED    = ACS_CONTROL_L.bit("ACS Direct Translated P2P Enable", 6);
  public static final Field IO_REQUEST_BLOCKING  = ACS_CONTROL_L.bit("ACS I/O Request Blocking Enable", 7);
  public static final Field DSP_MEMORY_TARGET    = ACS_CONTROL_L.bits("ACS DSP Memory Target Access Control", 9, 8, TARGET);
  public static final Field USP_MEMORY_TARGET    = ACS_CONTROL_L.bits("ACS USP Memory Target Access Control", 11, 10, TARGET);
  public static final Field UNCLAIMED_REDIRECT   = ACS_CONTROL_L.bit("ACS Unclaimed Request Redirect Control", 12);
  public static final Field EGRESS_VECTOR        = EGRESS_L.bits("Egress Control Vector", 31, 0);

  public static final Field ARI_MFVC_CAPABLE     = ARI_CAPABILITY_L.bit("MFVC Function Groups Capability", 0);
  public static final Field ARI_ACS_CAPABLE      = ARI_CAPABILITY_L.bit("ACS Function Groups Capability", 1);
  public static final Field ARI_NEXT_FUNCTION    = ARI_CAPABILITY_L.bits("Next Function Number", 15, 8);
  public static final Field ARI_MFVC_ENABLE      = ARI_CONTROL_L.bit("MFVC Function Groups Enable", 0);
  public static final Field ARI_ACS_ENABLE       = ARI_CONTROL_L.bit("ACS Function Groups Enable", 1);
  public static final Field ARI_FUNCTION_GROUP   = ARI_CONTROL_L.bits("Function Group", 6, 4);

  public static final Register ACS_CAPABILITY = A.register("ACS Capability", 0x04, Access.RO, ACS_CAPABILITY_L.seal());
  public static final Register ACS_CONTROL    = A.register("ACS Control", 0x06, Access.rw(0x1fff), ACS_CONTROL_L.res0(15, 13).seal());
  public static final Register ACS_EGRESS     = A.array("Egress Control Vector", 0x08, 8, Access.RW, EGRESS_L.seal());
  public static final Register ARI_CAPABILITY = R.register("ARI Capability", 0x04, Access.RO, ARI_CAPABILITY_L.res0(7, 2).seal());
  public static final Register ARI_CONTROL    = R.register("ARI Control", 0x06, Access.rw(0x0073), ARI_CONTROL_L.res0(3, 2).res0(15, 7).seal());
  // spotless:on

  public static final RegisterMap ACS_MAP = A.seal();
  public static final RegisterMap ARI_MAP = R.seal();

  private ExtendedLayout() {}
}
