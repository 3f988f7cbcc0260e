package dev.doorbell.diff;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What both machines showed after a step.
///
/// @param records the model's new ones
/// @param registers as they were written, until then
/// @param reasons known differences that the model was brought past
/// @param access what a device did
/// @param got what the other machine's device read, if it did
/// @param landed where the model wrote that, or what its device read
/// @param live whether nothing happened since, so that the two can be brought together again
/// @param starts whether nothing is compared, but what is in the event queue belongs to the past
record SmmuMoment(
    int at,
    String after,
    SmmuLook model,
    SmmuLook other,
    List<SmmuRecord> records,
    Map<Long, Long> registers,
    List<String> reasons,
    Step.@Nullable Access access,
    long got,
    long landed,
    boolean live,
    boolean starts) {
  /// {@return the one from which on there is something to compare}
  static SmmuMoment start(int at, SmmuLook model, SmmuLook other) {
    return new SmmuMoment(
        at, "", model, other, List.of(), Map.of(), List.of(), null, 0, 0, false, true);
  }
}
