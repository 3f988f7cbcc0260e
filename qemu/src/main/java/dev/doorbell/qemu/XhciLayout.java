package dev.doorbell.qemu;

import dev.doorbell.bits.Access;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;

/// Registers of a USB host controller (QEMU's `nec-usb-xhci`, 1033:0194), BAR 0, as far as its interrupters go, and an entry of the Event Ring
/// Segment Table. The operational and runtime registers lie at offsets that the capability registers tell.
///
/// **Source**: eXtensible Host Controller Interface 1.2, 5.3 (capability registers), 5.4.1, 5.4.2 (USBCMD, USBSTS), 5.5.2 (interrupter
/// registers), 6.5 (Event Ring Segment Table).
public final class XhciLayout {
  public static final int VENDOR = 0x1033;
  public static final int DEVICE = 0x0194;

  /// Bytes from one interrupter's registers to the next one's; the first follow as many bytes of other runtime registers.
  public static final int INTERRUPTER_BYTES = 32;

  /// Bytes of a Transfer Request Block, of which an event ring is made.
  public static final int TRB_BYTES = 16;

  /// Fewest TRBs of a segment of an event ring.
  public static final int SEGMENT_LEAST = 16;

  private static final RegisterMap.Builder C = RegisterMap.named("xHCI capability registers", 0x20);
  private static final RegisterMap.Builder O =
      RegisterMap.named("xHCI operational registers", 0x400);
  private static final RegisterMap.Builder I =
      RegisterMap.named("xHCI interrupter registers", INTERRUPTER_BYTES);
  private static final RegisterMap.Builder S =
      RegisterMap.named("Event Ring Segment Table entry", 16);
  private static final Layout LENGTH_L = Layout.lsb0("CAPLENGTH, HCIVERSION", 4);
  private static final Layout PARAMS_L = Layout.lsb0("HCSPARAMS1", 4);
  private static final Layout RTSOFF_L = Layout.lsb0("RTSOFF", 4);
  private static final Layout USBCMD_L = Layout.lsb0("USBCMD", 4);
  private static final Layout USBSTS_L = Layout.lsb0("USBSTS", 4);
  private static final Layout IMAN_L = Layout.lsb0("IMAN", 4);
  private static final Layout IMOD_L = Layout.lsb0("IMOD", 4);
  private static final Layout ERSTSZ_L = Layout.lsb0("ERSTSZ", 4);
  private static final Layout ERSTBA_L = Layout.lsb0("ERSTBA", 8);
  private static final Layout ERDP_L = Layout.lsb0("ERDP", 8);
  private static final Layout BASE_L = Layout.lsb0("Ring Segment Base Address", 8);
  private static final Layout SIZE_L = Layout.lsb0("Ring Segment Size", 8);

  // spotless:off
  public static final Field CAPLENGTH  = LENGTH_L.bits("CAPLENGTH", 7, 0);
  public static final Field HCIVERSION = LENGTH_L.bits("HCIVERSION", 31, 16);
  public static final Field MAX_SLOTS  = PARAMS_L.bits("MaxSlots", 7, 0);
  public static final Field MAX_INTRS  = PARAMS_L.bits("MaxIntrs", 18, 8);
  public static final Field MAX_PORTS  = PARAMS_L.bits("MaxPorts", 31, 24);
  public static final Field RUNTIME    = RTSOFF_L.address("Runtime Register Space Offset", 31, 5);
  public static final Field RS         = USBCMD_L.bit("R/S", 0);
  public static final Field HCRST      = USBCMD_L.bit("HCRST", 1);
  public static final Field INTE       = USBCMD_L.bit("INTE", 2);
  public static final Field HSEE       = USBCMD_L.bit("HSEE", 3);
  public static final Field LHCRST     = USBCMD_L.bit("LHCRST", 7);
  public static final Field CSS        = USBCMD_L.bit("CSS", 8);
  public static final Field CRS        = USBCMD_L.bit("CRS", 9);
  public static final Field EWE        = USBCMD_L.bit("EWE", 10);
  public static final Field EU3S       = USBCMD_L.bit("EU3S", 11);
  public static final Field CME        = USBCMD_L.bit("CME", 13);
  public static final Field ETE        = USBCMD_L.bit("ETE", 14);
  public static final Field TSC_EN     = USBCMD_L.bit("TSC_EN", 15);
  public static final Field VTIOE      = USBCMD_L.bit("VTIOE", 16);
  public static final Field HCH        = USBSTS_L.bit("HCH", 0);
  public static final Field HSE        = USBSTS_L.bit("HSE", 2);
  public static final Field EINT       = USBSTS_L.bit("EINT", 3);
  public static final Field PCD        = USBSTS_L.bit("PCD", 4);
  public static final Field SSS        = USBSTS_L.bit("SSS", 8);
  public static final Field RSS        = USBSTS_L.bit("RSS", 9);
  public static final Field SRE        = USBSTS_L.bit("SRE", 10);
  public static final Field CNR        = USBSTS_L.bit("CNR", 11);
  public static final Field HCE        = USBSTS_L.bit("HCE", 12);
  public static final Field IP         = IMAN_L.bit("IP", 0);
  public static final Field IE         = IMAN_L.bit("IE", 1);
  public static final Field IMODI      = IMOD_L.bits("IMODI", 15, 0);
  public static final Field IMODC      = IMOD_L.bits("IMODC", 31, 16);
  public static final Field SEGMENTS   = ERSTSZ_L.bits("Event Ring Segment Table Size", 15, 0);
  public static final Field TABLE      = ERSTBA_L.address("Event Ring Segment Table Base Address", 63, 6);
  public static final Field DESI       = ERDP_L.bits("DESI", 2, 0);
  public static final Field EHB        = ERDP_L.bit("EHB", 3);
  public static final Field DEQUEUE    = ERDP_L.address("Event Ring Dequeue Pointer", 63, 4);
  public static final Field SEGMENT    = BASE_L.address("Ring Segment Base Address", 63, 6);
  /// In TRBs.
  public static final Field SEGMENT_SIZE = SIZE_L.bits("Ring Segment Size", 15, 0);

  public static final Register LENGTH     = C.register("CAPLENGTH", 0x00, Access.RO, LENGTH_L.res0(15, 8).seal());
  public static final Register HCSPARAMS1 = C.register("HCSPARAMS1", 0x04, Access.RO, PARAMS_L.res0(23, 19).seal());
  public static final Register RTSOFF     = C.register("RTSOFF", 0x18, Access.RO, RTSOFF_L.res0(4, 0).seal());
  public static final Register USBCMD     = O.register("USBCMD", 0x00, Access.RW, USBCMD_L.res0(6, 4).res0(12, 12).res0(31, 17).seal());
  public static final Register USBSTS     = O.register("USBSTS", 0x04, Access.RO.andW1c(0x41c), USBSTS_L.res0(1, 1).res0(7, 5).res0(31, 13).seal());
  public static final Register IMAN       = I.register("IMAN", 0x00, Access.rw(0x2).andW1c(0x1), IMAN_L.res0(31, 2).seal());
  public static final Register IMOD       = I.register("IMOD", 0x04, Access.RW, IMOD_L.seal());
  public static final Register ERSTSZ     = I.register("ERSTSZ", 0x08, Access.RW, ERSTSZ_L.res0(31, 16).seal());
  public static final Register ERSTBA     = I.register("ERSTBA", 0x10, Access.RW, ERSTBA_L.res0(5, 0).seal());
  public static final Register ERDP       = I.register("ERDP", 0x18, Access.rw(~0x8L).andW1c(0x8), ERDP_L.seal());
  public static final Register ENTRY_BASE = S.register("Ring Segment Base Address", 0x00, Access.RW, BASE_L.res0(5, 0).seal());
  public static final Register ENTRY_SIZE = S.register("Ring Segment Size", 0x08, Access.RW, SIZE_L.res0(63, 16).seal());
  // spotless:on

  public static final RegisterMap CAPABILITY = C.seal();
  public static final RegisterMap OPERATIONAL = O.seal();
  public static final RegisterMap INTERRUPTER = I.seal();
  public static final RegisterMap SEGMENT_ENTRY = S.seal();

  private XhciLayout() {}
}
