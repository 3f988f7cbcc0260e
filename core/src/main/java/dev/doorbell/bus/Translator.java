package dev.doorbell.bus;

/// An IOMMU model on the path of a device's access. Allocates nothing. Safe for use from many threads.
///
/// An access that is to be delivered is put between {@link #begin} and {@link #end}: the completion of an invalidation waits for it,
/// so that a stale translation never delivers.
public interface Translator {
  int READ = 1;
  int WRITE = 2;

  /// Result of {@link #translate} when the access ends here; a recorded fault has been queued.
  long FAULT = -1;

  /// Result of {@link #translate} when no memory lies there: a write is to be given to {@link #message}, and a read of 32 bits finds zero.
  long MESSAGE = -2;

  /// {@return the physical address (below 2^52), {@link #FAULT}, or {@link #MESSAGE}}
  ///
  /// @param streamId who, as this IOMMU numbers devices
  /// @param substreamId process within the device (PASID), or -1
  /// @param iova what the device emitted
  /// @param access {@link #READ}, {@link #WRITE} or both
  long translate(int streamId, int substreamId, long iova, int access);

  /// {@return whether a write to an address is an interrupt message, which meets no translation table and goes to {@link #message} (x86)}
  default boolean isMessage(long address) {
    return false;
  }

  /// Takes an interrupt message, or a write for which {@link #translate} answered {@link #MESSAGE}, between {@link #begin} and {@link #end} like other accesses.
  ///
  /// {@return whether it was taken; a fault was recorded otherwise, where it is one}
  default BusOutcome message(int streamId, long address, long value, int bytes) {
    return BusOutcome.ERROR;
  }

  /// Delivers a device's write: translated, or as an interrupt message. One access, opened and closed here.
  ///
  /// {@return whether something took it}
  ///
  /// @param to what lies behind the IOMMU
  default BusOutcome write(Requester from, long address, long value, int bytes, SystemBus to) {
    // An invalidation waits for what lies between, so that no access lands by a translation that
    // was taken away.
    begin();
    try {
      if (isMessage(address)) {
        return message(from.streamId(), address, value, bytes);
      }
      long pa = translate(from.streamId(), -1, address, WRITE);
      if (pa < 0) {
        return pa == MESSAGE ? message(from.streamId(), address, value, bytes) : BusOutcome.ERROR;
      }
      return to.write(pa, value, bytes, from.deviceId());
    } finally {
      end();
    }
  }

  /// Opens an access of the current thread. Nests. What runs until {@link #end} may not wait for another thread that may be
  /// programming this IOMMU.
  default void begin() {}

  /// Closes the access that the current thread opened last: it has been delivered, or has failed.
  default void end() {}
}
