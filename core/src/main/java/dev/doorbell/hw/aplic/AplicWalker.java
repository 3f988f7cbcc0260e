package dev.doorbell.hw.aplic;

import static dev.doorbell.hw.aplic.AplicRegisters.*;

import dev.doorbell.explain.Basis;
import dev.doorbell.explain.Hop;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Reads a domain's registers and tells which message a source makes. Immutable.
///
/// **Source**: RISC-V AIA 1.0, 4.5, 4.9.
public final class AplicWalker {
  private final String id;
  private final Map<String, Long> registers;

  /// @param registers by name, those of arrays with their number behind it, as {@link AplicDriver#registers} gives them
  public AplicWalker(String id, Map<String, Long> registers) {
    this.id = id;
    this.registers = Map.copyOf(registers);
  }

  /// {@return what a source's wire becomes}
  public AplicWalk walk(int number) {
    String enables = SETIE.name() + number / SOURCES_PER_WORD;
    List<String> names =
        List.of(DOMAINCFG.name(), SOURCECFG.name() + number, enables, TARGET.name() + number);
    long[] values = new long[names.size()];
    for (int i = 0; i < values.length; i++) {
      Long value = registers.get(names.get(i));
      if (value == null) {
        String unseen = "cannot see %s of %s".formatted(names.get(i), id);
        return ends(number, "cannot see", unseen, Basis.UNSEEN);
      }
      values[i] = value;
    }
    return walk(number, enables, values);
  }

  private AplicWalk walk(int number, String enables, long[] values) {
    long domain = values[0];
    long source = values[1];
    if (D.isSet(source)) {
      return ends(number, "nothing", "delegated to a child domain", Basis.OBSERVED);
    }
    if (!SM.isSet(source)) {
      return ends(number, "nothing", "sourcecfg.SM is Inactive", Basis.OBSERVED);
    }
    if (!DM.isSet(domain)) {
      return ends(number, "nothing", "domaincfg.DM is 0: no message is sent", Basis.OBSERVED);
    }
    if (!IE.isSet(domain)) {
      return ends(number, "nothing", "domaincfg.IE is 0", Basis.OBSERVED);
    }
    if ((values[2] >>> number % SOURCES_PER_WORD & 1) == 0) {
      return ends(number, "nothing", "its bit of %s is 0".formatted(enables), Basis.OBSERVED);
    }
    long target = values[3];
    AplicWalk.Message message =
        new AplicWalk.Message(HART.getInt(target), GUEST.getInt(target), EIID.getInt(target));
    String out =
        "identity %d to hart index %d%s"
            .formatted(
                message.identity(),
                message.hart(),
                message.guest() == 0 ? "" : ", guest file " + message.guest());
    return new AplicWalk(
        hop(number, out, SM.name() + " " + SM.names().nameOf(SM.get(source)), Basis.OBSERVED),
        Optional.of(message));
  }

  private AplicWalk ends(int number, String out, String why, Basis basis) {
    return new AplicWalk(hop(number, out, why, basis), Optional.empty());
  }

  private Hop hop(int number, String out, String why, Basis basis) {
    Source source = Source.rule("%s%d of %s".formatted(TARGET.name(), number, id));
    return new Hop(id, "source " + number, out, why, source, basis);
  }
}
