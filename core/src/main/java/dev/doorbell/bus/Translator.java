package dev.doorbell.bus;

/// An IOMMU model on the path of a device's access. Allocates nothing. Safe for use from many threads.
public interface Translator {
  int READ = 1;
  int WRITE = 2;

  /// Result of {@link #translate} when the access ends here; a recorded fault has been queued.
  long FAULT = -1;

  /// {@return the physical address (below 2^52), or {@link #FAULT}}
  ///
  /// @param streamId who, as this IOMMU numbers devices
  /// @param substreamId process within the device (PASID), or -1
  /// @param iova what the device emitted
  /// @param access {@link #READ}, {@link #WRITE} or both
  long translate(int streamId, int substreamId, long iova, int access);
}
