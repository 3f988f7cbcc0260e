package dev.doorbell.hw.amdvi;

import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.ValueNames;

/// Records of the guest virtual APIC log: 8 bytes, of an interrupt whose guest's processor did not run.
///
/// **Source** AMD I/O Virtualization Technology (IOMMU) Specification, 48882, revision 3.09, 2.7 Guest Virtual APIC Log.
public final class GuestLogLayout {
  /// Bytes of a record.
  public static final int BYTES = 8;

  /// GACode: an interrupt of a guest that is not running.
  public static final int GUEST_NOT_RUNNING = 1;

  /// Bytes of a log whose GALogLen is 0, as of the other rings: 16, and twice as many for each step.
  public static final int UNIT = 16;

  private static final Layout L = Layout.lsb0("GALog", 8);

  // spotless:off
  public static final Field TAG    = L.bits("GATag",    31,  0);
  public static final Field DEVICE = L.bits("DeviceID", 47, 32);
  public static final Field CODE   = L.bits("GACode",   63, 60, ValueNames.of(GUEST_NOT_RUNNING, "guest not running"));
  // spotless:on

  public static final Layout RECORD = L.res0(59, 48).seal();

  private GuestLogLayout() {}
}
