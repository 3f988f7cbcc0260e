package dev.doorbell.bus;

/// Takes the messages of Address Translation Services that an IOMMU sends to devices. Called in the thread that wrote the command, with the
/// IOMMU's registers locked: it may not reach for them. An invalidation has completed when the call returns.
///
/// **Source**: PCI Express Base 6.0, 10.3.1 (Invalidate Request), 10.4.2 (PRG Response).
public interface AtsMessages {
  /// Of machines whose devices have no translation cache and ask for no pages.
  AtsMessages NOBODY =
      new AtsMessages() {
        @Override
        public void invalidate(int requester, int pasid, long first, long bytes) {}

        @Override
        public void respond(PageResponse response) {}
      };

  /// Drops translations from a device's cache.
  ///
  /// @param requester as the IOMMU numbers devices
  /// @param pasid the process, or -1: those without PASID
  /// @param first address of the range
  /// @param bytes a power of two, 4096 or more; 0 for 2^64
  void invalidate(int requester, int pasid, long first, long bytes);

  /// Answers a group of page requests.
  void respond(PageResponse response);
}
