package dev.doorbell.hw.aplic;

import static dev.doorbell.hw.aplic.AplicRegisters.*;

import dev.doorbell.bits.RegisterPorts;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import java.util.BitSet;
import java.util.concurrent.locks.ReentrantLock;

/// A supervisor-level interrupt domain of an APLIC, a leaf of the hierarchy: little-endian, MSI delivery mode alone, addresses of interrupt files
/// wired in. What the architecture leaves to implementations: a write of `sourcecfg` makes a level-sensitive source pending whose wire is active.
///
/// Safe for use from many threads; messages leave with the lock held.
///
/// **Source**: RISC-V AIA 1.0, 4.5 (registers), 4.7 (pending bits), 4.9 (forwarding by MSIs).
public final class AplicModel implements MmioDevice {
  /// Where messages go.
  @FunctionalInterface
  public interface Messages {
    /// Writes an identity into an interrupt file of a hart.
    ///
    /// @param guest 0 for the supervisor's own file
    void send(int hart, int guest, int identity);
  }

  private final int sources;
  private final Messages messages;
  private final long[] modes;
  private final long[] targets;
  private final BitSet wires = new BitSet();
  private final BitSet pending = new BitSet();
  private final BitSet enabled = new BitSet();
  private final ReentrantLock lock = new ReentrantLock();
  private final RegisterPorts ports = new RegisterPorts(MAP);
  private long domain;
  private long extempore;

  /// @param sources 1 to 1023
  public AplicModel(int sources, Messages messages) {
    if (sources < 1 || sources > MOST_SOURCES) {
      throw new IllegalArgumentException(
          "an APLIC has 1 to %d sources, not %d".formatted(MOST_SOURCES, sources));
    }
    this.sources = sources;
    this.messages = messages;
    modes = new long[sources + 1];
    targets = new long[sources + 1];
    domain = ORDER.place(ORDER_VALUE) | DM.mask();
    wire();
  }

  private void wire() {
    ports.on(DOMAINCFG, _ -> domain, (_, v) -> domain = DOMAINCFG.legalize(domain, v));
    ports.on(SOURCECFG, i -> is(i + 1) ? modes[i + 1] : 0, (i, v) -> configure(i + 1, v));
    ports.on(TARGET, i -> is(i + 1) ? targets[i + 1] : 0, (i, v) -> aim(i + 1, v));
    ports.on(SETIP, k -> word(pending, k), (k, v) -> each(k, v, this::setPending));
    ports.on(SETIPNUM, _ -> 0, (_, v) -> number(v, this::setPending));
    ports.on(SETIPNUM_LE, _ -> 0, (_, v) -> number(v, this::setPending));
    ports.on(IN_CLRIP, this::inputs, (k, v) -> each(k, v, pending::clear));
    ports.on(CLRIPNUM, _ -> 0, (_, v) -> number(v, pending::clear));
    ports.on(SETIE, k -> word(enabled, k), (k, v) -> each(k, v, enabled::set));
    ports.on(SETIENUM, _ -> 0, (_, v) -> number(v, enabled::set));
    ports.on(CLRIE, _ -> 0, (k, v) -> each(k, v, enabled::clear));
    ports.on(CLRIENUM, _ -> 0, (_, v) -> number(v, enabled::clear));
    ports.on(GENMSI, _ -> extempore, (_, v) -> extempore(v));
  }

  private boolean is(int source) {
    return source >= 1 && source <= sources;
  }

  private int mode(int source) {
    return SM.getInt(modes[source]);
  }

  private boolean isActive(int source) {
    return mode(source) != INACTIVE;
  }

  /// A leaf delegates nothing: with D the whole register becomes zero.
  private void configure(int source, long value) {
    if (!is(source)) {
      return;
    }
    boolean reserved = SM.get(value) > DETACHED && SM.get(value) < EDGE1;
    modes[source] = D.isSet(value) || reserved ? 0 : SM.place(SM.get(value));
    if (!isActive(source)) {
      pending.clear(source);
      enabled.clear(source);
      targets[source] = 0;
    } else if (isLevel(mode(source))) {
      pending.set(source, input(source));
    }
  }

  private void aim(int source, long value) {
    if (is(source) && isActive(source)) {
      targets[source] = TARGET.legalize(targets[source], value);
    }
  }

  /// {@return the rectified input value}
  private boolean input(int source) {
    return mode(source) >= EDGE1 && wires.get(source) != isInverted(mode(source));
  }

  private long inputs(int word) {
    long out = 0;
    for (int bit = 0; bit < SOURCES_PER_WORD; bit++) {
      int source = word * SOURCES_PER_WORD + bit;
      out |= is(source) && input(source) ? 1L << bit : 0;
    }
    return out;
  }

  private void setPending(int source) {
    if (!isLevel(mode(source)) || input(source)) {
      pending.set(source);
    }
  }

  private static long word(BitSet bits, int word) {
    long out = 0;
    for (int bit = 0; bit < SOURCES_PER_WORD; bit++) {
      out |= bits.get(word * SOURCES_PER_WORD + bit) ? 1L << bit : 0;
    }
    return out;
  }

  @FunctionalInterface
  private interface OfSource {
    void act(int source);
  }

  private void each(int word, long bits, OfSource action) {
    for (int bit = 0; bit < SOURCES_PER_WORD; bit++) {
      if ((bits >>> bit & 1) != 0) {
        number(word * (long) SOURCES_PER_WORD + bit, action);
      }
    }
  }

  private void number(long source, OfSource action) {
    if (source >= 1 && source <= sources && isActive((int) source)) {
      action.act((int) source);
    }
  }

  /// Sent whether or not the domain is enabled.
  private void extempore(long value) {
    extempore = GENMSI.legalize(extempore, value);
    messages.send(GENMSI_HART.getInt(extempore), 0, GENMSI_EIID.getInt(extempore));
  }

  private void forward() {
    if (!IE.isSet(domain)) {
      return;
    }
    for (int i = pending.nextSetBit(1); i >= 0; i = pending.nextSetBit(i + 1)) {
      if (enabled.get(i)) {
        pending.clear(i);
        messages.send(HART.getInt(targets[i]), GUEST.getInt(targets[i]), EIID.getInt(targets[i]));
      }
    }
  }

  /// Drives the wire of a source.
  ///
  /// @throws IndexOutOfBoundsException when there is no such source
  public void drive(int source, boolean high) {
    if (!is(source)) {
      throw new IndexOutOfBoundsException(
          "the APLIC has sources 1 to %d and no source %d".formatted(sources, source));
    }
    lock.lock();
    try {
      boolean before = input(source);
      wires.set(source, high);
      boolean after = input(source);
      if (!before && after) {
        pending.set(source);
      } else if (!after && isLevel(mode(source))) {
        pending.clear(source);
      }
      forward();
    } finally {
      lock.unlock();
    }
  }

  @Override
  public BusRead read(long offset, int bytes) {
    if (!isWord(offset, bytes)) {
      return BusRead.error(bytes);
    }
    lock.lock();
    try {
      return BusRead.ok(ports.answers(offset, bytes) ? ports.read(offset, bytes) : 0);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public BusOutcome write(long offset, long value, int bytes, int requester) {
    if (!isWord(offset, bytes)) {
      return BusOutcome.ERROR;
    }
    lock.lock();
    try {
      if (ports.answers(offset, bytes)) {
        ports.write(offset, value, bytes);
        forward();
      }
    } finally {
      lock.unlock();
    }
    return BusOutcome.OK;
  }

  private static boolean isWord(long offset, int bytes) {
    return bytes == Integer.BYTES && offset % Integer.BYTES == 0 && offset >= 0 && offset < BYTES;
  }
}
