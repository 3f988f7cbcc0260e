package dev.doorbell.hw.gicv3;

import static dev.doorbell.hw.gicv3.GicrRegisters.*;

import dev.doorbell.bits.Decoded;
import dev.doorbell.bits.Layout;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/// Reads an LPI's configuration and pending state from a Redistributor's tables and tells where. Two reads of memory.
///
/// **Source**: IHI 0069 H, 5.1.
public final class GicV3Walker {
  private static final String CANNOT_SEE = "cannot see";

  private final List<Map<String, Long>> redistributors;
  private final MemoryView memory;
  private final Basis basis;

  /// @param redistributors each one's registers by the manual's names without `GICR_`: `CTLR`, `TYPER`, `PROPBASER`, `PENDBASER`
  /// @param memory where the tables are
  /// @param basis how registers and memory are known
  public GicV3Walker(List<Map<String, Long>> redistributors, MemoryView memory, Basis basis) {
    this.redistributors = redistributors.stream().map(Map::copyOf).toList();
    this.memory = memory;
    this.basis = basis;
  }

  /// {@return the affinity of a processor, if its Redistributor's registers are known}
  public OptionalLong affinity(int processor) {
    return find(processor)
        .map(r -> OptionalLong.of(AFFINITY_VALUE.get(r.getOrDefault("TYPER", 0L))))
        .orElse(OptionalLong.empty());
  }

  /// {@return the state of an LPI at a processor's Redistributor}
  public LpiState lpi(int processor, int intid) {
    String name = "redistributor of processor " + processor;
    List<Hop> hops = new ArrayList<>();
    Map<String, Long> registers = find(processor).orElse(null);
    if (registers == null) {
      hops.add(
          hop(
              name,
              intid,
              CANNOT_SEE,
              "its registers were not recorded",
              Source.rule("GICR_TYPER.Processor_Number")));
      return new LpiState(hops, Optional.empty(), OptionalInt.empty(), Optional.empty());
    }
    if (!isLpi(registers, intid) || !lpisEnabled(registers)) {
      hops.add(
          hop(
              name,
              intid,
              "dropped",
              whyNot(registers),
              Source.rule("GICR_CTLR, GICR_PROPBASER of the " + name)));
      return new LpiState(hops, Optional.of(false), OptionalInt.empty(), Optional.of(false));
    }
    OptionalLong config = configuration(registers, name, intid, hops);
    Optional<Boolean> pending = pending(registers, name, intid, hops);
    return new LpiState(
        hops,
        config.isEmpty()
            ? Optional.empty()
            : Optional.of(LpiTables.ENABLE.isSet(config.getAsLong())),
        config.isEmpty()
            ? OptionalInt.empty()
            : OptionalInt.of(LpiTables.PRIORITY.getInt(config.getAsLong())),
        pending);
  }

  private OptionalLong configuration(
      Map<String, Long> registers, String name, int intid, List<Hop> hops) {
    Long propbaser = registers.get("PROPBASER");
    if (propbaser == null) {
      hops.add(
          hop(
              name,
              intid,
              CANNOT_SEE,
              "GICR_PROPBASER was not recorded",
              Source.rule("GICR_PROPBASER of the " + name)));
      return OptionalLong.empty();
    }
    long at = PROP_ADDRESS.get(propbaser) + LpiTables.configOffset(intid);
    OptionalLong config = memory.read8(at);
    if (config.isEmpty()) {
      hops.add(hop(name, intid, CANNOT_SEE, notThere("configuration", at), memory.source(at)));
      return config;
    }
    boolean enabled = LpiTables.ENABLE.isSet(config.getAsLong());
    String out =
        "%s, priority 0x%x"
            .formatted(
                enabled ? "enabled" : "disabled", LpiTables.PRIORITY.get(config.getAsLong()));
    String why =
        "configuration byte 0x%02x: %s"
            .formatted(config.getAsLong(), fields(LpiTables.CONFIG, config.getAsLong()));
    hops.add(hop(name, intid, out, why, memory.source(at)));
    return config;
  }

  private Optional<Boolean> pending(
      Map<String, Long> registers, String name, int intid, List<Hop> hops) {
    Long pendbaser = registers.get("PENDBASER");
    if (pendbaser == null) {
      return Optional.empty();
    }
    long at = PEND_ADDRESS.get(pendbaser) + LpiTables.pendingOffset(intid);
    OptionalLong pending = memory.read8(at);
    if (pending.isEmpty()) {
      // Nothing breaks here: the bit is a moment's state, and a dump often leaves it out.
      return Optional.empty();
    }
    boolean set = (pending.getAsLong() & LpiTables.pendingBit(intid)) != 0;
    String why = "bit %d of the byte at 0x%x is %d".formatted(intid & 7, at, set ? 1 : 0);
    hops.add(hop(name, intid, set ? "pending" : "not pending", why, memory.source(at)));
    return Optional.of(set);
  }

  private Optional<Map<String, Long>> find(int processor) {
    return redistributors.stream()
        .filter(r ->
            r.containsKey("TYPER")
                && PROCESSOR_NUMBER.get(r.getOrDefault("TYPER", 0L)) == processor)
        .findFirst();
  }

  private static boolean lpisEnabled(Map<String, Long> registers) {
    Long ctlr = registers.get("CTLR");
    return ctlr == null || ENABLE_LPIS.isSet(ctlr);
  }

  private static boolean isLpi(Map<String, Long> registers, int intid) {
    Long propbaser = registers.get("PROPBASER");
    long bits = propbaser == null ? LpiTables.MAX_ID_BITS : PROP_ID_BITS.get(propbaser) + 1;
    return intid >= LpiTables.FIRST_LPI && intid >>> Math.min(bits, Integer.SIZE - 1) == 0;
  }

  private static String whyNot(Map<String, Long> registers) {
    return lpisEnabled(registers)
        ? "the number is outside its LPIs: "
            + fields(PROPBASER_LAYOUT, registers.getOrDefault("PROPBASER", 0L))
        : "LPIs are disabled: " + fields(CTLR_LAYOUT, registers.getOrDefault("CTLR", 0L));
  }

  private static String notThere(String table, long at) {
    return "the %s table at 0x%x is not there to be read".formatted(table, at);
  }

  private Hop hop(String at, int intid, String out, String why, Source source) {
    return new Hop(at, "LPI " + intid, out, why, source, basis);
  }

  private static String fields(Layout layout, long word) {
    return layout.decode(word).stream().map(Decoded::toString).collect(Collectors.joining(" "));
  }
}
