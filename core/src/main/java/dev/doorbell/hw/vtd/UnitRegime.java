package dev.doorbell.hw.vtd;

import static dev.doorbell.hw.vtd.VtdRegisters.*;

/// What registers say about tables, as of the last command that made it so.
///
/// @param translates whether DMA is translated
/// @param root the root table, with its mode
/// @param remaps whether interrupts are remapped
/// @param table the interrupt remapping table, with size and mode
/// @param compatible whether messages in compatibility format pass
record UnitRegime(boolean translates, long root, boolean remaps, long table, boolean compatible) {
  static final UnitRegime RESET = new UnitRegime(false, 0, false, 0, false);

  /// {@return the regime after a command}
  UnitRegime after(long gsts, long latchedRoot, long latchedTable) {
    return new UnitRegime(
        TES.isSet(gsts), latchedRoot, IRES.isSet(gsts), latchedTable, CFIS.isSet(gsts));
  }

  boolean extended() {
    return EIME.isSet(table);
  }

  long entries() {
    return 2L << SIZE.getInt(table);
  }
}
