package dev.doorbell.hw.amdvi;

import static dev.doorbell.hw.amdvi.AmdViRegisters.*;

/// What the registers of a model say about accesses, taken over at each write of one.
///
/// @param enabled whether accesses are looked at
/// @param deviceTable where the device table lies
/// @param devices entries that it has
/// @param guestTables whether guest tables may be used
/// @param guestMode whether interrupt table entries can be in guest virtual APIC mode
/// @param wide whether interrupt table entries have 16 bytes
/// @param extended whether destinations have 32 bits
/// @param excluding whether there is an exclusion range
/// @param excludesAll whether it is one for every device
/// @param excludedFirst its first address
/// @param excludedLast its last address
record Settings(
    boolean enabled,
    long deviceTable,
    int devices,
    boolean guestTables,
    boolean guestMode,
    boolean wide,
    boolean extended,
    boolean excluding,
    boolean excludesAll,
    long excludedFirst,
    long excludedLast) {
  static Settings of(RegisterFile registers) {
    long control = registers.get(CONTROL_REG);
    long table = registers.get(DEV_TAB_BASE_REG);
    long exclusion = registers.get(EXCL_BASE_REG);
    boolean wide = GA_EN.isSet(control);
    return new Settings(
        IOMMU_EN.isSet(control),
        DEV_TAB_BASE.get(table),
        (DEV_TAB_SIZE.getInt(table) + 1) * (DEV_TAB_UNIT / DteLayout.BYTES),
        GT_EN.isSet(control),
        wide && GAM_EN.getInt(control) == GAM_GUEST,
        wide,
        wide && XT_EN.isSet(control),
        EXCL_EN.isSet(exclusion),
        EXCL_ALLOW.isSet(exclusion),
        EXCL_BASE.get(exclusion),
        EXCL_LIMIT.get(registers.get(EXCL_LIMIT_REG)) + (DEV_TAB_UNIT - 1));
  }

  /// {@return whether an access passes by all tables}
  boolean excludes(DeviceEntry entry, long iova) {
    return excluding
        && (excludesAll || entry.excluded)
        && iova >= excludedFirst
        && iova <= excludedLast;
  }
}
