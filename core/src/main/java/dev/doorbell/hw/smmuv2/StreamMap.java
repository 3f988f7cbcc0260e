package dev.doorbell.hw.smmuv2;

import static dev.doorbell.hw.smmuv2.Gr0Registers.*;

import dev.doorbell.bus.BusException;
import java.util.HashMap;
import java.util.Map;

/// Where each stream goes: stream match registers with their stream-to-context registers, or these alone where a StreamID is their number.
///
/// A stream that is in none faults (SMMU_sCR0.USFCFG, or the register's own type). Each change is one write of SMMU_S2CRn, so that an access
/// sees the old way or the new one; a register that matches is written after the way is, and withdrawn before the register is used again.
/// Not safe for use from several threads: the driver holds its lock.
///
/// **Source** IHI 0062 D.c, 2.4 (stream mapping), 10.6.37, 10.6.38.
final class StreamMap {
  private static final int FREE = -1;

  private final SmmuV2Port port;
  private final SmmuV2Probe probe;
  private final int mask;
  private final int[] keys;
  private final long[] ways;
  private final Map<Integer, Integer> entries = new HashMap<>();

  /// @param mask bits of a StreamID that are not compared
  StreamMap(SmmuV2Port port, SmmuV2Probe probe, int mask) {
    this.port = port;
    this.probe = probe;
    this.mask = mask;
    keys = new int[probe.entries()];
    ways = new long[probe.entries()];
  }

  /// Lets every stream fault.
  void reset() {
    for (int i = 0; i < ways.length; i++) {
      ways[i] = fault();
      keys[i] = FREE;
      port.writeGr0(S2CR, i, ways[i]);
      if (probe.matching()) {
        port.writeGr0(SMR, i, 0);
      }
    }
  }

  /// {@return StreamIDs that are one stream have one key}
  ///
  /// @throws SmmuV2Unsupported when the hardware cannot tell the StreamID
  int key(int streamId) {
    long reach = probe.matching() ? 1L << probe.streamBits() : probe.entries();
    if (Integer.toUnsignedLong(streamId) >= reach) {
      throw new SmmuV2Unsupported(
          port.id(),
          "SMMU_IDR0",
          port.gr0(IDR0),
          "which reaches to StreamID 0x%x and not to 0x%x".formatted(reach - 1, streamId));
    }
    return probe.matching() ? streamId & ~mask : streamId;
  }

  /// Leads a stream to a context bank.
  ///
  /// @throws StreamMatchesExhausted when no register is free; nothing is written then
  void translate(int key, int bank) {
    set(key, way(TYPE_TRANSLATION) | S2CR_CBNDX.place(bank));
  }

  /// Lets a stream's accesses pass.
  ///
  /// @throws StreamMatchesExhausted when no register is free; nothing is written then
  void bypass(int key) {
    set(key, way(TYPE_BYPASS));
  }

  /// Lets a stream fault, and frees its register.
  void block(int key) {
    Integer entry = entries.get(key);
    if (entry == null) {
      return;
    }
    long before = ways[entry];
    try {
      write(entry, fault());
      if (probe.matching()) {
        port.writeGr0(SMR, entry, 0);
      }
      port.sync();
    } catch (SmmuV2Exception | BusException failed) {
      restore(entry, key, before, failed);
      throw failed;
    }
    entries.remove(key);
    keys[entry] = FREE;
  }

  private void set(int key, long way) {
    Integer known = entries.get(key);
    int entry = known == null ? free(key) : known;
    long before = ways[entry];
    try {
      if (known == null && probe.extended()) {
        // Its valid bit is in the other register.
        port.writeGr0(SMR, entry, match(key));
      }
      write(entry, way);
      if (known == null && probe.matching() && !probe.extended()) {
        port.writeGr0(SMR, entry, match(key));
      }
      // Accesses that went the old way have ended when this returns.
      port.sync();
    } catch (SmmuV2Exception | BusException failed) {
      if (known == null) {
        withdraw(entry, failed);
      } else {
        restore(entry, key, before, failed);
      }
      throw failed;
    }
    entries.put(key, entry);
    keys[entry] = key;
  }

  private int free(int key) {
    if (!probe.matching()) {
      return key;
    }
    for (int i = 0; i < keys.length; i++) {
      if (keys[i] == FREE) {
        return i;
      }
    }
    throw new StreamMatchesExhausted(port.id(), key, keys.length);
  }

  private void write(int entry, long way) {
    port.writeGr0(S2CR, entry, way);
    ways[entry] = way;
  }

  private void withdraw(int entry, RuntimeException because) {
    try {
      write(entry, fault());
      if (probe.matching()) {
        port.writeGr0(SMR, entry, 0);
      }
    } catch (BusException again) {
      because.addSuppressed(again);
    }
  }

  private void restore(int entry, int key, long way, RuntimeException because) {
    try {
      write(entry, way);
      if (probe.matching()) {
        port.writeGr0(SMR, entry, match(key));
      }
    } catch (BusException again) {
      because.addSuppressed(again);
    }
  }

  private long match(int key) {
    return probe.extended()
        ? EXSMR_ID.place(key) | EXSMR_MASK.place(mask & EXSMR_MASK.max())
        : SMR_ID.place(key) | SMR_MASK.place(mask & SMR_MASK.max()) | SMR_VALID.place(1);
  }

  private long way(int type) {
    return S2CR_TYPE.place(type) | S2CR_EXIDVALID.place(probe.extended() ? 1 : 0);
  }

  private long fault() {
    return S2CR_TYPE.place(TYPE_FAULT);
  }
}
