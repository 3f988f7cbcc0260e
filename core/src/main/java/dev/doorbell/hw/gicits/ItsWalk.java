package dev.doorbell.hw.gicits;

import dev.doorbell.explain.Hop;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// What an ITS's tables say about one message. Each value is there as far as the walk came.
///
/// @param hops the way, in order; the last one tells why it ended
/// @param dteAddress where the device table entry is
/// @param dte its content
/// @param ittAddress the device's interrupt translation table
/// @param iteAddress where the event's entry is
/// @param intid the LPI
/// @param icid the collection
/// @param target the processor number of the Redistributor
/// @param outcome how it ended
public record ItsWalk(
    List<Hop> hops,
    OptionalLong dteAddress,
    OptionalLong dte,
    OptionalLong ittAddress,
    OptionalLong iteAddress,
    OptionalInt intid,
    OptionalInt icid,
    OptionalInt target,
    Outcome outcome) {
  /// How a walk ended.
  public enum Outcome {
    /// The message becomes an LPI at a Redistributor.
    TRANSLATED,
    /// The ITS drops the message; the last hop tells why.
    DROPPED,
    /// Something on the way cannot be seen, which is not the same as being dropped; the last hop tells what.
    CANNOT_SEE
  }

  public ItsWalk {
    hops = List.copyOf(hops);
  }
}
