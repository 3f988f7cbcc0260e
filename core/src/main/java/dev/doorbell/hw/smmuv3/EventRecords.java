package dev.doorbell.hw.smmuv3;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Ipa;
import dev.doorbell.address.Pa;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// Decodes event records.
///
/// **Source** IHI 0070 G.b, 7.3.
final class EventRecords {
  private EventRecords() {}

  /// {@return the record in four words}
  static SmmuEvent decode(long w0, long w1, long w2, long w3) {
    int id = EventLayout.EVENT_ID.getInt(w0);
    SmmuEvent.Header header =
        new SmmuEvent.Header(
            id,
            EventLayout.EVENT_ID.names().nameOf(id),
            (int) EventLayout.STREAM_ID.get(w0),
            // C_BAD_SUBSTREAMID is about a SubstreamID and has no SSV (7.3.9).
            EventLayout.SSV.isSet(w0) || id == EventLayout.C_BAD_SUBSTREAMID
                ? OptionalInt.of(EventLayout.SUBSTREAM_ID.getInt(w0))
                : OptionalInt.empty());
    return switch (id) {
      case EventLayout.C_BAD_STREAMID,
          EventLayout.C_BAD_STE,
          EventLayout.F_STREAM_DISABLED,
          EventLayout.C_BAD_SUBSTREAMID,
          EventLayout.C_BAD_CD,
          EventLayout.F_CFG_CONFLICT ->
          new SmmuEvent.ConfigurationFault(header);
      case EventLayout.F_STE_FETCH, EventLayout.F_CD_FETCH, EventLayout.F_VMS_FETCH ->
          new SmmuEvent.FetchFault(
              header, new Pa(EventLayout.FETCH_ADDR.get(w3)), Optional.empty());
      case EventLayout.F_WALK_EABT ->
          new SmmuEvent.FetchFault(
              header,
              new Pa(EventLayout.FETCH_ADDR.get(w3)),
              Optional.of(new Iova(EventLayout.INPUT_ADDR.get(w2))));
      case EventLayout.F_UUT,
          EventLayout.F_TRANSLATION,
          EventLayout.F_ADDR_SIZE,
          EventLayout.F_ACCESS,
          EventLayout.F_PERMISSION,
          EventLayout.F_TLB_CONFLICT ->
          accessFault(header, w1, w2, w3);
      default -> new SmmuEvent.Unknown(header, List.of(w0, w1, w2, w3));
    };
  }

  private static SmmuEvent accessFault(SmmuEvent.Header header, long w1, long w2, long w3) {
    boolean stage2 = EventLayout.S2.isSet(w1);
    return new SmmuEvent.AccessFault(
        header,
        new Iova(EventLayout.INPUT_ADDR.get(w2)),
        EventLayout.RNW.isSet(w1),
        stage2,
        EventLayout.CLASS.names().nameOf(EventLayout.CLASS.get(w1)),
        stage2 ? Optional.of(new Ipa(EventLayout.IPA.get(w3))) : Optional.empty());
  }
}
