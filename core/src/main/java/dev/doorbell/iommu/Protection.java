package dev.doorbell.iommu;

/// What a mapping allows.
///
/// @param read the device may read
/// @param write the device may write
/// @param device the target is a device's registers (a doorbell), not memory
public record Protection(boolean read, boolean write, boolean device) {
  public static final Protection READ_ONLY = new Protection(true, false, false);
  public static final Protection READ_WRITE = new Protection(true, true, false);

  /// For doorbells: device memory, write-only where the table format can say so.
  public static final Protection DOORBELL = new Protection(false, true, true);
}
