package dev.doorbell.testkit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A generator whose every value follows from one printed number, on every JDK.
///
/// The sequence is SplitMix64. `split` gives an independent generator, so that what one part of a test draws does not
/// shift what another part sees. Not thread-safe: split one for each thread.
///
/// **Source**: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014, section 5 (with
/// the mixing constants of its variant 13).
public final class SeededRandom {
  private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;

  private final long seed;
  private long state;

  private SeededRandom(long seed) {
    this.seed = seed;
    this.state = seed;
  }

  /// {@return a generator that starts at this seed}
  public static SeededRandom of(long seed) {
    return new SeededRandom(seed);
  }

  /// {@return the number that this generator started from; printing it is enough to replay}
  public long seed() {
    return seed;
  }

  /// {@return a generator independent of what this one draws afterwards}
  public SeededRandom split() {
    return new SeededRandom(mix(nextLong()));
  }

  /// {@return any 64-bit value}
  public long nextLong() {
    state += GOLDEN_GAMMA;
    return mix(state);
  }

  /// {@return a value of this many bits, 0 to 64, as an unsigned number}
  public long bits(int count) {
    if (count < 0 || count > Long.SIZE) {
      throw new IllegalArgumentException("a value of " + count + " bits; 0 to 64 are possible");
    }
    return count == 0 ? 0 : nextLong() >>> (Long.SIZE - count);
  }

  /// {@return a number from 0 to bound - 1}
  public int below(int bound) {
    if (bound <= 0) {
      throw new IllegalArgumentException("a number below " + bound);
    }
    return (int) Long.remainderUnsigned(nextLong(), bound);
  }

  /// {@return a number from first to last, both possible}
  public int between(int first, int last) {
    return (int) between((long) first, (long) last);
  }

  /// {@return a number from first to last, both possible, signed}
  public long between(long first, long last) {
    if (first > last) {
      throw new IllegalArgumentException("a number from " + first + " to " + last);
    }
    long count = last - first + 1;
    return count == 0 ? nextLong() : first + Long.remainderUnsigned(nextLong(), count);
  }

  /// {@return a number from first to last, both possible, unsigned}
  public long betweenUnsigned(long first, long last) {
    if (Long.compareUnsigned(first, last) > 0) {
      throw new IllegalArgumentException(
          "a number from 0x" + Long.toHexString(first) + " to 0x" + Long.toHexString(last));
    }
    long count = last - first + 1;
    return count == 0 ? nextLong() : first + Long.remainderUnsigned(nextLong(), count);
  }

  /// {@return a number of any magnitude up to 64 bits: small, large and edge values are all likely}
  public long anyMagnitude() {
    long value = bits(between(0, Long.SIZE));
    return switch (below(8)) {
      case 0 -> ~value;
      case 1 -> -value;
      case 2 -> value == 0 ? 1 : Long.highestOneBit(value);
      case 3 -> value == 0 ? 0 : Long.highestOneBit(value) - 1;
      default -> value;
    };
  }

  /// {@return true once in so many draws}
  public boolean oneIn(int draws) {
    return below(draws) == 0;
  }

  /// {@return true or false}
  public boolean nextBoolean() {
    return nextLong() < 0;
  }

  /// {@return this many bytes}
  public byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    for (int i = 0; i < count; i++) {
      bytes[i] = (byte) nextLong();
    }
    return bytes;
  }

  /// {@return one of these}
  public <T> T pick(List<T> choices) {
    if (choices.isEmpty()) {
      throw new IllegalArgumentException("nothing to pick from");
    }
    return choices.get(below(choices.size()));
  }

  /// {@return one of these}
  public <T> T pick(T[] choices) {
    return pick(Arrays.asList(choices));
  }

  /// {@return these in another order}
  public <T> List<T> shuffled(List<T> items) {
    List<T> order = new ArrayList<>(items);
    for (int i = order.size() - 1; i > 0; i--) {
      int other = below(i + 1);
      T item = order.get(i);
      order.set(i, order.get(other));
      order.set(other, item);
    }
    return List.copyOf(order);
  }

  @Override
  public String toString() {
    return "seed 0x" + Long.toHexString(seed);
  }

  static long mix(long value) {
    long mixed = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
    return mixed ^ (mixed >>> 31);
  }
}
