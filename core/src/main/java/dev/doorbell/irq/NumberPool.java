package dev.doorbell.irq;

import dev.doorbell.explain.Source;
import java.util.BitSet;

/// Numbers 0 to n - 1 of one controller's vectors, and which are taken. Callers synchronise.
public final class NumberPool {
  private final String controller;
  private final int count;
  private final Source source;
  private final BitSet taken = new BitSet();

  /// @param source what sets the count
  public NumberPool(String controller, int count, Source source) {
    this.controller = controller;
    this.count = count;
    this.source = source;
  }

  /// {@return numbers that are not taken}
  public int free() {
    return count - taken.cardinality();
  }

  /// Takes numbers: the lowest, or the lowest block that begins at a multiple of its size.
  ///
  /// @param into gets the numbers; its length, above 0 and a power of two when contiguous, says how many
  /// @throws VectorsExhausted when there are fewer; nothing is taken then
  public void take(MsiSource who, int[] into, boolean contiguous) {
    int wanted = into.length;
    if (wanted == 0 || contiguous && Integer.bitCount(wanted) != 1) {
      throw new IllegalArgumentException(
          "%s asks %s for %d vectors (contiguous: %b)"
              .formatted(who.name(), controller, wanted, contiguous));
    }
    int at = contiguous ? blockAt(wanted) : taken.nextClearBit(0);
    int available = contiguous ? largest() : free();
    if (available < wanted) {
      throw new VectorsExhausted(who, controller, wanted, available, source);
    }
    for (int i = 0; i < wanted; i++) {
      into[i] = at;
      taken.set(at);
      at = taken.nextClearBit(at);
    }
  }

  /// Gives one back.
  public void giveBack(int number) {
    taken.clear(number);
  }

  private int blockAt(int size) {
    for (int at = 0; at + size <= count; at += size) {
      int used = taken.nextSetBit(at);
      if (used < 0 || used >= at + size) {
        return at;
      }
    }
    return -1;
  }

  private int largest() {
    int size = Integer.highestOneBit(count);
    while (size > 0 && blockAt(size) < 0) {
      size /= 2;
    }
    return size;
  }
}
