package dev.doorbell.iommu;

import dev.doorbell.explain.Refusal;
import dev.doorbell.iommu.IommuGroup.Member;
import dev.doorbell.iommu.IommuGroup.Stream;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/// Firmware gives a function a StreamID that its IOMMU has no place for.
public final class StreamIdOutOfRange extends IommuException {
  private static final long serialVersionUID = 1L;

  private StreamIdOutOfRange(String attempt, Member member, Stream stream, int bits) {
    super(
        new Refusal(
            "StreamIdOutOfRange",
            "%s: %s has %s, whose StreamIDs have %d bits"
                .formatted(attempt, member.name(), stream, bits),
            Optional.empty(),
            Optional.empty(),
            List.of(member.name(), stream.iommu().id()),
            member.isolation().source(),
            "check the firmware's id mapping (IORT, RIMT, iommu-map) of " + member.name()));
  }

  /// Refuses functions with such a stream.
  static void check(String attempt, Collection<Member> members) {
    for (Member m : members) {
      for (Stream s : m.streams()) {
        int bits = s.iommu().capabilities().streamIdBits();
        if (Integer.toUnsignedLong(s.streamId()) >>> bits != 0) {
          throw new StreamIdOutOfRange(attempt, m, s, bits);
        }
      }
    }
  }
}
