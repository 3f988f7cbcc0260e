package dev.doorbell.hw.smmuv3;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Ipa;
import dev.doorbell.address.Pa;
import java.util.Optional;
import java.util.OptionalInt;

/// One record of the event queue.
///
/// **Source** IHI 0070 G.b, 7.3.
public sealed interface SmmuEvent {
  /// {@return what all records have}
  Header header();

  /// What all records have.
  ///
  /// @param id EventID
  /// @param name the manual's name, or empty when it has none
  /// @param streamId who
  /// @param substreamId process within the device, when the access carried one
  record Header(int id, String name, int streamId, OptionalInt substreamId) {}

  /// An access could not be translated, or was not allowed.
  ///
  /// @param input what the device emitted
  /// @param read whether it was a read
  /// @param stage2 whether stage 2 faulted
  /// @param duringWhat the manual's CLASS: CD, TT or IN
  /// @param ipa the faulting input of stage 2
  record AccessFault(
      Header header, Iova input, boolean read, boolean stage2, String duringWhat, Optional<Ipa> ipa)
      implements SmmuEvent {}

  /// A table entry of the configuration is invalid, or the stream is not one the tables cover.
  record ConfigurationFault(Header header) implements SmmuEvent {}

  /// Memory did not answer when a table was read.
  ///
  /// @param fetch where
  record FetchFault(Header header, Pa fetch) implements SmmuEvent {}

  /// A record of another kind.
  record Unknown(Header header, long w1, long w2, long w3) implements SmmuEvent {}

  /// {@return the record in four words}
  static SmmuEvent decode(long w0, long w1, long w2, long w3) {
    int id = EventLayout.EVENT_ID.getInt(w0);
    Header header =
        new Header(
            id,
            EventLayout.EVENT_ID.names().nameOf(id),
            (int) EventLayout.STREAM_ID.get(w0),
            EventLayout.SSV.isSet(w0)
                ? OptionalInt.of(EventLayout.SUBSTREAM_ID.getInt(w0))
                : OptionalInt.empty());
    return switch (id) {
      case EventLayout.C_BAD_STREAMID,
          EventLayout.C_BAD_STE,
          EventLayout.F_STREAM_DISABLED,
          EventLayout.C_BAD_SUBSTREAMID,
          EventLayout.C_BAD_CD,
          EventLayout.F_CFG_CONFLICT ->
          new ConfigurationFault(header);
      case EventLayout.F_STE_FETCH,
          EventLayout.F_CD_FETCH,
          EventLayout.F_VMS_FETCH,
          EventLayout.F_WALK_EABT ->
          new FetchFault(header, new Pa(EventLayout.FETCH_ADDR.get(w3)));
      case EventLayout.F_UUT,
          EventLayout.F_TRANSLATION,
          EventLayout.F_ADDR_SIZE,
          EventLayout.F_ACCESS,
          EventLayout.F_PERMISSION,
          EventLayout.F_TLB_CONFLICT ->
          accessFault(header, w1, w2, w3);
      default -> new Unknown(header, w1, w2, w3);
    };
  }

  private static SmmuEvent accessFault(Header header, long w1, long w2, long w3) {
    boolean stage2 = EventLayout.S2.isSet(w1);
    return new AccessFault(
        header,
        new Iova(EventLayout.INPUT_ADDR.get(w2)),
        EventLayout.RNW.isSet(w1),
        stage2,
        EventLayout.CLASS.names().nameOf(EventLayout.CLASS.get(w1)),
        stage2 ? Optional.of(new Ipa(EventLayout.IPA.get(w3))) : Optional.empty());
  }
}
