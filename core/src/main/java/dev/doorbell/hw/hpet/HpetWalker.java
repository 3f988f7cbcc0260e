package dev.doorbell.hw.hpet;

import static dev.doorbell.hw.hpet.HpetRegisters.*;

import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.Source;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Reads the registers of an HPET's timers and tells which message one sends. Immutable.
///
/// **Source** IA-PC HPET Specification 1.0a, 2.3.8 (Tn_CONF), 2.3.9.2 (FSB interrupts), 2.3.10 (TN_FSB_ROUTE).
public final class HpetWalker {
  private final String id;
  private final Map<String, Long> registers;

  /// @param registers by name, those of timers followed by the timer's number
  public HpetWalker(String id, Map<String, Long> registers) {
    this.id = id;
    this.registers = Map.copyOf(registers);
  }

  /// {@return what becomes of a timer that runs out}
  public HpetWalk walk(int timer) {
    @Nullable Long conf = registers.get(TIMER.name() + timer);
    @Nullable Long route = registers.get(MESSAGE.name() + timer);
    if (conf == null) {
      return unseen(timer, TIMER.name() + timer);
    }
    if (!FSB.isSet(conf)) {
      return without(
          timer,
          "%s is 0: the timer sends no message, its interrupt goes to pin %d of an I/O APIC"
              .formatted(FSB.name(), ROUTE.get(conf)),
          Basis.OBSERVED);
    }
    if (route == null) {
      return unseen(timer, MESSAGE.name() + timer);
    }
    HpetWalk.Message sent =
        new HpetWalk.Message(FSB_ADDRESS.get(route), (int) FSB_VALUE.get(route));
    boolean held = !INTERRUPTS.isSet(conf) || !ENABLE.isSet(conf());
    return new HpetWalk(
        new Hop(
            id,
            "timer " + timer,
            "write of 0x%x to 0x%x".formatted(sent.data(), sent.address()),
            "%s has the message; %s"
                .formatted(
                    MESSAGE.name(),
                    held ? "interrupts of the timer are off" : "the timer may interrupt"),
            source(timer),
            Basis.OBSERVED),
        Optional.of(sent),
        held);
  }

  /// One that was not recorded holds nothing back.
  private long conf() {
    return registers.getOrDefault(CONF.name(), ENABLE.mask());
  }

  private Source source(int timer) {
    return Source.rule(
        "%s%d and %s%d of %s".formatted(TIMER.name(), timer, MESSAGE.name(), timer, id));
  }

  private HpetWalk unseen(int timer, String register) {
    return without(timer, "cannot see %s of %s".formatted(register, id), Basis.UNSEEN);
  }

  private HpetWalk without(int timer, String why, Basis basis) {
    String out = basis == Basis.UNSEEN ? "cannot see" : "nothing is written";
    return new HpetWalk(
        new Hop(id, "timer " + timer, out, why, source(timer), basis), Optional.empty(), false);
  }
}
