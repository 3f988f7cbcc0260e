package dev.doorbell.bus;

/// A Page Request message: a device asks that a page become accessible to it.
///
/// **Source**: PCI Express Base 6.0, 10.4.1.
///
/// @param requester who, as the IOMMU numbers devices
/// @param pasid the process, or -1 where the message has no PASID
/// @param page address of the page; its lower 12 bits are zero
/// @param group Page Request Group Index, 0 to 511
/// @param last whether it is the last of its group, which alone is answered
/// @param wants of {@link Translator#READ} and {@link Translator#WRITE}, 0 for none
public record PageRequest(int requester, int pasid, long page, int group, boolean last, int wants) {
  /// Message Code.
  public static final int CODE = 0x04;

  /// Groups that a function may have open.
  public static final int GROUPS = 512;

  private static final int PAGE_OFFSET = 0xfff;
  private static final int MOST_PASID = 0xfffff;

  /// @throws IllegalArgumentException where no message can say this
  public PageRequest {
    boolean sound =
        pasid >= -1
            && pasid <= MOST_PASID
            && (page & PAGE_OFFSET) == 0
            && group >= 0
            && group < GROUPS
            && (wants & ~(Translator.READ | Translator.WRITE)) == 0;
    if (!sound) {
      throw new IllegalArgumentException(
          "no page request: PASID %d, page 0x%x, group %d, access %d"
              .formatted(pasid, page, group, wants));
    }
  }

  /// {@return whether it is a Stop Marker: the device asks for nothing more with this PASID, and expects no answer}
  public boolean isStopMarker() {
    return last && wants == 0;
  }

  /// {@return whether the device waits for a PRG Response}
  public boolean isAnswered() {
    return last && !isStopMarker();
  }
}
