package dev.doorbell.firmware;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;

/// The first cell of a PCI address in a device tree.
///
/// **Source**: PCI Bus Binding to Open Firmware, revision 2.1, 2.2.1.1 (`phys.hi`).
final class FdtLayout {
  private FdtLayout() {}

  private static final Layout L = Layout.lsb0("phys.hi", 4);

  // spotless:off
  static final Field REGISTER     = L.bits ("rrrrrrrr",  7,  0);
  static final Field FUNCTION     = L.bits ("fff",      10,  8);
  static final Field DEVICE       = L.bits ("ddddd",    15, 11);
  static final Field BUS          = L.bits ("bbbbbbbb", 23, 16);
  static final Field SPACE        = L.bits ("ss",       25, 24);
  static final Field ALIASED      = L.bit  ("t",        29);
  static final Field PREFETCHABLE = L.bit  ("p",        30);
  static final Field RELOCATABLE  = L.bit  ("n",        31);
  // spotless:on

  static final Layout PHYS_HI = L.res0(26, 28).seal();
}
