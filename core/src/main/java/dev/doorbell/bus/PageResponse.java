package dev.doorbell.bus;

/// A PRG Response message: what became of a group of page requests.
///
/// **Source**: PCI Express Base 6.0, 10.4.2.
///
/// @param requester the device that is answered, as the IOMMU numbers it
/// @param pasid the process, or -1 where the message has no PASID
/// @param group Page Request Group Index
/// @param code Response Code: one of the constants here, or an unused value, which a function takes for {@link #FAILURE}
public record PageResponse(int requester, int pasid, int group, int code) {
  /// All pages are accessible now.
  public static final int SUCCESS = 0;

  /// At least one page does not exist, or not with that access.
  public static final int INVALID_REQUEST = 1;

  /// The interface is broken: the function asks for no page any more.
  public static final int FAILURE = 15;
}
