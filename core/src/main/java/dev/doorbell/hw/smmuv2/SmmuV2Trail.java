package dev.doorbell.hw.smmuv2;

import dev.doorbell.address.Pa;
import dev.doorbell.bits.Decoded;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.MemoryView;
import dev.doorbell.explain.Source;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaStep;
import dev.doorbell.vmsa.VmsaWalk;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// What a walk has seen so far, and the registers that it may look at.
final class SmmuV2Trail {
  private final String id;
  private final Map<String, Long> registers;
  private final MemoryView memory;
  private final List<Hop> hops = new ArrayList<>();
  private String stopped = "";

  SmmuV2Trail(String id, Map<String, Long> registers, MemoryView memory) {
    this.id = id;
    this.registers = registers;
    this.memory = memory;
  }

  MemoryView memory() {
    return memory;
  }

  /// {@return a register of the global spaces; empty, with the break told, when it cannot be seen}
  Optional<Long> global(Register register, String what) {
    return read(name(register), what, register.offset());
  }

  /// {@return an element of an array of the global spaces}
  Optional<Long> global(Register register, int index, String what) {
    if (index >= register.count()) {
      stop(
          "",
          "unimplemented context bank fault: there is no %s%d".formatted(register.name(), index),
          Source.rule(register.name()));
      return Optional.empty();
    }
    return read(name(register) + index, what, register.offset(index));
  }

  /// {@return a register of a context bank}
  Optional<Long> bank(int bank, Register register, String what) {
    return read(bankName(bank, register), what, register.offset());
  }

  /// {@return a register of the global spaces, if it was recorded}
  Optional<Long> peek(Register register) {
    return Optional.ofNullable(registers.get(name(register)));
  }

  /// {@return an element of an array, if it was recorded}
  Optional<Long> peek(Register register, int index) {
    return Optional.ofNullable(registers.get(name(register) + index));
  }

  static String name(Register register) {
    return register.name().substring("SMMU_".length());
  }

  static String bankName(int bank, Register register) {
    return "CB%d_%s".formatted(bank, register.name().substring("SMMU_CBn_".length()));
  }

  private Optional<Long> read(String name, String what, long offset) {
    Long value = registers.get(name);
    if (value == null) {
      stop(
          "",
          "cannot see %s: SMMU_%s is not among the registers".formatted(what, name),
          Source.at("SMMU_" + name, offset));
    }
    return Optional.ofNullable(value);
  }

  void hop(String at, String in, String out, String why, Source source) {
    hops.add(new Hop(at, in, out, why, source, Basis.OBSERVED));
  }

  /// Adds a hop at the SMMU itself.
  void hop(String in, String out, String why, Source source) {
    hop(id, in, out, why, source);
  }

  /// Adds the descriptors that a table walk read.
  ///
  /// @param tables the memory that it read them in
  void add(Stage stage, long input, VmsaWalk walk, MemoryView tables) {
    String name = stage == Stage.STAGE1 ? "stage 1 level " : "stage 2 level ";
    for (VmsaStep step : walk.steps()) {
      hop(
          name + step.level(),
          "0x" + Long.toHexString(input),
          "0x" + Long.toHexString(step.descriptor()),
          step.why(),
          tables.source(step.entry().value()));
    }
  }

  /// Ends the walk with a reason.
  SmmuV2Walk stop(String in, String why, Source source) {
    stopped = why;
    hop(in, "stopped", why, source);
    return stopped();
  }

  SmmuV2Walk stopped() {
    return new SmmuV2Walk(hops, Optional.empty(), Optional.of(stopped));
  }

  SmmuV2Walk reached(Pa output) {
    return new SmmuV2Walk(hops, Optional.of(output), Optional.empty());
  }

  /// {@return the fields of a word that say something}
  static String print(Layout layout, long word) {
    return layout.decode(word).stream()
        .filter(d -> d.raw() != 0)
        .map(Decoded::toString)
        .collect(Collectors.joining(" "));
  }
}
