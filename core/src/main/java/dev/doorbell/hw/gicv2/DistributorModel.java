package dev.doorbell.hw.gicv2;

import static dev.doorbell.hw.gicv2.GicdRegisters.*;

import dev.doorbell.bits.RegisterPorts;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;

/// The Distributor as one processor sees it. Its monitor is the one of the shared state.
///
/// **Source**: IHI 0048B.b, 4.1.4 (sizes of accesses), 4.3.
final class DistributorModel implements MmioDevice {
  /// The part that all processors share.
  static final class Shared {
    final GicV2Config config;
    final InterruptStates states;
    private long ctlr = CTLR.reset();

    Shared(GicV2Config config) {
      this.config = config;
      this.states = new InterruptStates(config);
    }

    boolean forwardsGroup0() {
      return ENABLE_GRP0.isSet(ctlr);
    }

    boolean forwardsGroup1() {
      return ENABLE_GRP1.isSet(ctlr);
    }
  }

  private static final int FILTER_LIST = 0;
  private static final int FILTER_OTHERS = 1;
  private static final int FILTER_SELF = 2;

  private final Shared shared;
  private final int cpu;
  private final RegisterPorts ports = new RegisterPorts(MAP);

  DistributorModel(Shared shared, int cpu) {
    this.shared = shared;
    this.cpu = cpu;
    long typer =
        ITLINES_NUMBER.place(shared.config.spis() / 32)
            | CPU_NUMBER.place(shared.config.cpus() - 1L);
    long pidr2 = ARCH_REV.place(2);
    ports.on(CTLR, i -> shared.ctlr, (i, v) -> shared.ctlr = CTLR.legalize(shared.ctlr, v));
    ports.on(TYPER, i -> typer);
    ports.on(PIDR2, i -> pidr2);
    ports.on(SGIR, i -> 0, (i, v) -> sendSgi(v));
    declareBits();
    declareBytes();
  }

  private void declareBits() {
    InterruptStates s = shared.states;
    ports.on(
        IGROUPR,
        i -> bits(s.group1, i),
        (i, v) -> {
          int word = s.word(cpu, i);
          if (word >= 0) {
            s.group1[word] = (int) v & s.existing(word);
          }
        });
    ports.on(ISENABLER, i -> bits(s.enabled, i), (i, v) -> set(s.enabled, i, v));
    ports.on(ICENABLER, i -> bits(s.enabled, i), (i, v) -> clear(s.enabled, i, v));
    ports.on(ISACTIVER, i -> bits(s.active, i), (i, v) -> set(s.active, i, v));
    ports.on(ICACTIVER, i -> bits(s.active, i), (i, v) -> clear(s.active, i, v));
    ports.on(
        ISPENDR,
        this::pending,
        (i, v) -> {
          if (s.word(cpu, i) >= 0) {
            s.setPending(s.word(cpu, i), (int) v);
          }
        });
    ports.on(
        ICPENDR,
        this::pending,
        (i, v) -> {
          if (s.word(cpu, i) >= 0) {
            s.clearPending(s.word(cpu, i), (int) v);
          }
        });
  }

  private void declareBytes() {
    InterruptStates s = shared.states;
    ports.on(
        IPRIORITYR,
        i -> has(i, 8) ? s.priorities(s.word(cpu, i / 8), i % 8) : 0,
        (i, v) -> {
          if (has(i, 8)) {
            s.setPriorities(s.word(cpu, i / 8), i % 8, v);
          }
        });
    ports.on(
        ITARGETSR,
        i -> has(i, 8) ? s.targets(s.word(cpu, i / 8), i % 8) : 0,
        (i, v) -> {
          if (has(i, 8)) {
            s.setTargets(s.word(cpu, i / 8), i % 8, v);
          }
        });
    ports.on(
        ICFGR,
        i -> has(i, 2) ? s.triggers(s.word(cpu, i / 2), i % 2) : 0,
        (i, v) -> {
          if (has(i, 2)) {
            s.setTriggers(s.word(cpu, i / 2), i % 2, v);
          }
        });
    ports.on(CPENDSGIR, i -> s.sgiSources(cpu, i), (i, v) -> s.changeSgiSources(cpu, i, v, false));
    ports.on(SPENDSGIR, i -> s.sgiSources(cpu, i), (i, v) -> s.changeSgiSources(cpu, i, v, true));
    ports.alsoBy(IPRIORITYR, Byte.BYTES).alsoBy(ITARGETSR, Byte.BYTES);
    ports.alsoBy(CPENDSGIR, Byte.BYTES).alsoBy(SPENDSGIR, Byte.BYTES);
  }

  @Override
  public BusRead read(long offset, int bytes) {
    if (!ports.answers(offset, bytes)) {
      return BusRead.error(bytes);
    }
    synchronized (shared) {
      return BusRead.ok(ports.read(offset, bytes));
    }
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    if (!ports.answers(offset, bytes)) {
      return BusOutcome.ERROR;
    }
    synchronized (shared) {
      if (bytes == Byte.BYTES
          && offset >= CPENDSGIR.offset()
          && offset < CPENDSGIR.offset() + CPENDSGIR.span()) {
        clearSgiByte((int) (offset - CPENDSGIR.offset()), value);
      } else {
        ports.write(offset, value, bytes);
      }
    }
    return BusOutcome.OK;
  }

  /// A part of a write-one-to-clear register must not be widened with what a read answers: that would clear the rest.
  private void clearSgiByte(int sgi, long value) {
    shared.states.changeSgiSources(cpu, sgi / 4, BYTE_0.get(value) << (sgi % 4 * Byte.SIZE), false);
  }

  private void sendSgi(long value) {
    int all = (1 << shared.config.cpus()) - 1;
    int self = 1 << cpu;
    int targets =
        switch (TARGET_FILTER.getInt(value)) {
          case FILTER_LIST -> TARGET_LIST.getInt(value) & all;
          case FILTER_OTHERS -> all & ~self;
          case FILTER_SELF -> self;
          default -> 0; // reserved
        };
    shared.states.sendSgi(cpu, targets, SGIINTID.getInt(value));
  }

  private boolean has(int element, int elementsPerWord) {
    return shared.states.word(cpu, element / elementsPerWord) >= 0;
  }

  private long pending(int i) {
    int word = shared.states.word(cpu, i);
    return word < 0 ? 0 : Integer.toUnsignedLong(shared.states.pending(word));
  }

  private long bits(int[] state, int i) {
    int word = shared.states.word(cpu, i);
    return word < 0 ? 0 : Integer.toUnsignedLong(state[word]);
  }

  private void set(int[] state, int i, long bits) {
    int word = shared.states.word(cpu, i);
    if (word >= 0) {
      state[word] |= (int) bits & shared.states.existing(word);
    }
  }

  private void clear(int[] state, int i, long bits) {
    int word = shared.states.word(cpu, i);
    if (word >= 0) {
      state[word] &= ~(int) bits;
    }
  }
}
