package dev.doorbell.bus;

/// A Translation Request of Address Translation Services: a device asks where a page is, to keep the answer.
///
/// **Source**: PCI Express Base 6.0, 10.2.2.
///
/// @param requester who, as the IOMMU numbers devices
/// @param pasid the process, or -1 where the request has no PASID
/// @param page untranslated address; its lower 12 bits are zero
/// @param writes whether the device asks to write, too (No Write is 0); where it does not, an IOMMU may grant it all the same
/// @param executes Execute Requested
/// @param privileged Privileged Mode Requested
public record TranslationRequest(
    int requester, int pasid, long page, boolean writes, boolean executes, boolean privileged) {
  private static final int PAGE_OFFSET = 0xfff;
  private static final int MOST_PASID = 0xfffff;

  /// @throws IllegalArgumentException where no request can say this
  public TranslationRequest {
    boolean unnamed = pasid == -1 && (executes || privileged);
    if (pasid < -1 || pasid > MOST_PASID || (page & PAGE_OFFSET) != 0 || unnamed) {
      throw new IllegalArgumentException(
          "no translation request: PASID %d, page 0x%x, execute %s, privileged %s"
              .formatted(pasid, page, executes, privileged));
    }
  }
}
