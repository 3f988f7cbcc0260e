package dev.doorbell.hw.lapic;

import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.Source;
import dev.doorbell.irq.X86Interrupt;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Tells which processor's local APIC takes an interrupt. Immutable.
///
/// **Source**: Intel SDM volume 3, 11.5.2 (valid interrupt vectors), 11.6.2 (destination), 11.12.10.2 (logical x2APIC ids).
public final class LapicWalker {
  private static final int FIXED = 0;
  private static final int LOWEST_PRIORITY = 1;

  /// Vectors below are reserved for the processor, and a local APIC that is sent one drops it.
  private static final int FIRST_LEGAL = 16;

  /// A logical x2APIC id holds a cluster in its upper half and one bit a processor in its lower: those of APIC id bits 31:4 and 3:0.
  private static final int CLUSTER_SHIFT = 16;

  private static final int CLUSTER_BITS = 4;
  private static final int IN_CLUSTER = 0xf;

  private final String id;
  private final List<Long> apicIds;

  /// @param apicIds of the processors, by Doorbell's numbers; empty when they cannot be seen
  public LapicWalker(String id, List<Long> apicIds) {
    this.id = id;
    this.apicIds = List.copyOf(apicIds);
  }

  /// Where an interrupt ends.
  ///
  /// @param cpu Doorbell's number of the processor that takes it; empty when several may, or it cannot be told
  /// @param stoppedAt of an interrupt that none takes, why
  public record Arrival(Hop hop, OptionalInt cpu, Optional<String> stoppedAt) {}

  /// {@return where an interrupt ends}
  public Arrival arrive(X86Interrupt i) {
    if (i.deliveryMode() != FIXED && i.deliveryMode() != LOWEST_PRIORITY) {
      return stop(i, "delivery mode %d raises no vector".formatted(i.deliveryMode()));
    }
    if (i.vector() < FIRST_LEGAL) {
      return stop(i, "vector %d is below 16: the local APIC drops it".formatted(i.vector()));
    }
    if (isBroadcast(i)) {
      return arrived(i, "broadcast: every processor takes it", OptionalInt.empty());
    }
    if (apicIds.isEmpty()) {
      return arrived(i, "the processors are not in the capture", OptionalInt.empty());
    }
    if (i.logical() && !i.wide()) {
      return arrived(
          i,
          "logical ids of 8 bits are the system's choice and not in the capture",
          OptionalInt.empty());
    }
    int[] takers = IntStream.range(0, apicIds.size()).filter(c -> takes(i, c)).toArray();
    return switch (takers.length) {
      case 0 ->
          stop(
              i,
              "firmware has no processor %s 0x%x"
                  .formatted(
                      i.logical() ? "in logical destination" : "with APIC id", i.destination()));
      case 1 ->
          arrived(
              i,
              "CPU %d, APIC id 0x%x".formatted(takers[0], apicIds.get(takers[0])),
              OptionalInt.of(takers[0]));
      default ->
          arrived(
              i,
              "the destination names several processors: CPUs "
                  + IntStream.of(takers)
                      .mapToObj(String::valueOf)
                      .collect(Collectors.joining(", ")),
              OptionalInt.empty());
    };
  }

  private Arrival arrived(X86Interrupt i, String who, OptionalInt cpu) {
    return new Arrival(
        new Hop(
            id,
            i.toString(),
            "vector " + i.vector(),
            who,
            Source.rule("Intel SDM volume 3, 11.6.2"),
            Basis.DERIVED),
        cpu,
        Optional.empty());
  }

  private static boolean isBroadcast(X86Interrupt i) {
    return i.destination() == (i.wide() ? 0xffff_ffffL : 0xffL);
  }

  /// Logical ids of x2APIC follow from the APIC id.
  private boolean takes(X86Interrupt i, int cpu) {
    long apicId = apicIds.get(cpu);
    if (!i.logical()) {
      return i.destination() == apicId;
    }
    boolean cluster = i.destination() >>> CLUSTER_SHIFT == apicId >>> CLUSTER_BITS;
    return cluster && (i.destination() >>> (apicId & IN_CLUSTER) & 1) != 0;
  }

  private Arrival stop(X86Interrupt i, String why) {
    return new Arrival(
        new Hop(
            id,
            i.toString(),
            "nothing",
            why,
            Source.rule("Intel SDM volume 3, 11.5.2"),
            Basis.DERIVED),
        OptionalInt.empty(),
        Optional.of(why));
  }
}
