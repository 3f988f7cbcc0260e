package dev.doorbell.hw.aplic;

import static dev.doorbell.hw.aplic.AplicRegisters.*;

import dev.doorbell.bits.Register;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.fuzz.FuzzInput;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// An APLIC whose registers, wires and accesses are any: each access is answered; what goes out is what some enabled source aims at, and nothing that is pending and
/// enabled stays; what the walker says of a source is what the model then sends.
public final class AplicFuzz {
  private static final int MOST_STEPS = 256;
  private static final int WORD = Integer.BYTES;

  private final int sources;
  private final AplicModel aplic;
  private final List<AplicWalk.Message> sent = new ArrayList<>();

  /// The source that the last step was about.
  private int touched = 1;

  private AplicFuzz(int sources) {
    this.sources = sources;
    aplic =
        new AplicModel(
            sources,
            (hart, guest, identity) -> sent.add(new AplicWalk.Message(hart, guest, identity)));
  }

  public static void run(byte[] input) {
    FuzzInput in = new FuzzInput(input);
    int kind = in.next8();
    AplicFuzz fuzz = new AplicFuzz(kind == 0 ? MOST_SOURCES : kind);
    for (int steps = 0; steps < MOST_STEPS && !in.isEmpty(); steps++) {
      fuzz.step(in);
    }
    for (int i = 0; i < 4; i++) {
      fuzz.walk(1 + in.next16() % fuzz.sources);
    }
  }

  private void step(FuzzInput in) {
    sent.clear();
    boolean extempore = false;
    switch (in.next8() % 6) {
      case 0 -> {
        long offset = in.next16() & 0x7fff;
        int bytes = 1 << (in.next8() & 3);
        boolean word = bytes == WORD && offset % WORD == 0 && offset < BYTES;
        BusOutcome outcome = aplic.write(offset, in.next32(), bytes, SystemBus.CPU);
        require((outcome == BusOutcome.OK) == word, "a write answers otherwise");
        require(
            (aplic.read(offset, bytes).outcome() == BusOutcome.OK) == word,
            "a read answers otherwise");
        extempore = offset == GENMSI.offset();
      }
      case 1 -> aplic.drive(source(in), (in.next8() & 1) == 1);
      case 2 -> set(SOURCECFG, source(in) - 1, in.next8() & 7);
      case 3 -> set(TARGET, source(in) - 1, in.next32());
      case 4 -> {
        Register at =
            switch (in.next8() & 7) {
              case 0 -> SETIPNUM;
              case 1 -> CLRIPNUM;
              case 2, 3, 4 -> SETIENUM;
              case 5 -> CLRIENUM;
              case 6 -> SETIPNUM_BE;
              default -> SETIPNUM_LE;
            };
        set(at, 0, source(in));
      }
      default -> set(DOMAINCFG, 0, in.next8() << 6 | in.next8());
    }
    check(extempore);
  }

  private int source(FuzzInput in) {
    touched = 1 + in.next16() % sources;
    return touched;
  }

  private void set(Register register, int index, long value) {
    aplic.write(register.offset() + (long) index * WORD, value, WORD, SystemBus.CPU);
  }

  private long get(Register register, int index) {
    return aplic.read(register.offset() + (long) index * WORD, WORD).value();
  }

  private boolean has(Register bits, int source) {
    return (get(bits, source / SOURCES_PER_WORD) >>> source % SOURCES_PER_WORD & 1) == 1;
  }

  private AplicWalk.Message aimed(int source) {
    long target = get(TARGET, source - 1);
    return new AplicWalk.Message(HART.getInt(target), GUEST.getInt(target), EIID.getInt(target));
  }

  private void check(boolean extempore) {
    boolean on = IE.isSet(get(DOMAINCFG, 0));
    for (int word = 0; word <= sources / SOURCES_PER_WORD; word++) {
      long both = get(SETIE, word) & get(SETIP, word);
      require(!on || both == 0, "a message was not sent");
    }
    require(!has(SETIP, 0) && !has(SETIE, 0), "there is no source 0");
    if (SM.get(get(SOURCECFG, touched - 1)) == INACTIVE) {
      require(get(TARGET, touched - 1) == 0, "an inactive source has a target");
      require(
          !has(SETIE, touched) && !has(SETIP, touched), "an inactive source is enabled or pending");
    }
    require(extempore || on || sent.isEmpty(), "a message of a domain that is off");
    for (AplicWalk.Message message : extempore ? List.<AplicWalk.Message>of() : sent) {
      require(isAimed(message), "a message that no source aims at");
    }
  }

  private boolean isAimed(AplicWalk.Message message) {
    for (int source = 1; source <= sources; source++) {
      if (has(SETIE, source) && aimed(source).equals(message)) {
        return true;
      }
    }
    return false;
  }

  /// Has a source become pending, and compares what goes out with what the walker says.
  private void walk(int source) {
    Map<String, Long> registers = new HashMap<>();
    registers.put(DOMAINCFG.name(), get(DOMAINCFG, 0));
    registers.put(SOURCECFG.name() + source, get(SOURCECFG, source - 1));
    registers.put(TARGET.name() + source, get(TARGET, source - 1));
    int word = source / SOURCES_PER_WORD;
    registers.put(SETIE.name() + word, get(SETIE, word));
    AplicWalk walk = new AplicWalker("aplic", registers).walk(source);
    int mode = SM.getInt(get(SOURCECFG, source - 1));
    sent.clear();
    if (mode >= EDGE1) {
      boolean active = !isInverted(mode);
      aplic.drive(source, !active);
      sent.clear();
      aplic.drive(source, active);
    } else {
      set(SETIPNUM, 0, source);
    }
    Optional<AplicWalk.Message> out = sent.stream().findFirst();
    require(
        sent.size() < 2 && out.equals(walk.message()),
        "the model sends %s, the walker says %s".formatted(sent, walk));
  }

  private static void require(boolean holds, String what) {
    if (!holds) {
      throw new IllegalStateException(what);
    }
  }
}
