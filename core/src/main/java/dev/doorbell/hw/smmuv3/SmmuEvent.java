package dev.doorbell.hw.smmuv3;

import dev.doorbell.address.Iova;
import dev.doorbell.address.Ipa;
import dev.doorbell.address.Pa;
import java.util.List;
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
  /// @param input what the device emitted, when the table was one of translation (F_WALK_EABT)
  record FetchFault(Header header, Pa fetch, Optional<Iova> input) implements SmmuEvent {}

  /// A record of another kind.
  ///
  /// @param words its four words
  record Unknown(Header header, List<Long> words) implements SmmuEvent {
    public Unknown {
      words = List.copyOf(words);
    }
  }
}
