package dev.doorbell.contract;

import dev.doorbell.address.AddressRange;
import dev.doorbell.testkit.SeededRandom;
import java.util.ArrayList;
import java.util.List;

/// Draws sequences of steps, crowded so that things meet.
final class Draw {
  private static final long[] WINDOW_BYTES = {
    0x800, 0x1000, 0x1000, 0x2000, 0x3000, 0x1_0000, 0x2_0000, 0x2_0000, 0x8_0000
  };
  private static final int[] SUBS = {0, 0, 0, 0, 1, 4, 5, 15};
  private static final int DOMAINS = 3;

  private final SeededRandom random;
  private final Facts facts;
  private final boolean perCpu;

  Draw(SeededRandom random, Facts facts) {
    this.random = random;
    this.facts = facts;
    this.perCpu = facts.functions().stream().anyMatch(Facts.Function::perCpu);
  }

  List<Step> steps(int count) {
    List<Step> out = new ArrayList<>();
    for (int d = 0; d < DOMAINS - 1; d++) {
      out.add(create(d));
      long bytes = perCpu ? 0x1000L * random.between(2, 8) : 0x2_0000L * random.between(1, 2);
      out.add(new Step.Reserve(d, facts.base() + 0x2_0000, bytes));
    }
    for (int f = 0; f < facts.functions().size(); f++) {
      out.add(new Step.Attach(f, random.below(DOMAINS - 1)));
    }
    while (out.size() < count) {
      // Where a doorbell goes along with a vector, more is to be seen of vectors that move.
      out.add(perCpu && random.oneIn(4) ? move() : one());
    }
    return out;
  }

  private Step one() {
    int f = random.below(facts.functions().size());
    int d = random.below(DOMAINS);
    return switch (random.below(24)) {
      case 0 -> create(d);
      case 1 -> new Step.Close(d);
      case 2, 3, 4 -> new Step.Attach(f, d);
      case 5 -> new Step.Detach(f, d);
      case 6, 7, 8, 9 -> map(d);
      case 10, 11 -> new Step.Unmap(d, iova(), bytes() * random.between(1, 4));
      case 12 -> reserve(d);
      case 13 -> new Step.Remove(d);
      case 14, 15, 16 -> enable(f);
      case 17, 18 -> new Step.Release(f);
      case 19 ->
          new Step.Retarget(
              f, random.below(4), random.oneIn(4) ? facts.cpus() : random.below(facts.cpus()));
      case 20 -> new Step.Mask(f, random.below(4), random.nextBoolean());
      case 21 -> new Step.Fire(f, random.below(16));
      case 22 -> new Step.Write(f, iova() + Facts.WORD, random.between(1, 0x7fff_ffff));
      default -> forge(f);
    };
  }

  private Step move() {
    return new Step.Retarget(
        random.below(facts.functions().size()), random.below(3), random.below(facts.cpus()));
  }

  private Step create(int d) {
    return new Step.Create(d, random.pick(facts.tables()).shift(), !random.oneIn(3));
  }

  private Step forge(int f) {
    int of = random.below(facts.functions().size());
    int as = random.oneIn(4) ? -1 : random.oneIn(3) ? of : f;
    return new Step.Forge(f, as, of, random.below(16));
  }

  private Step enable(int f) {
    int size = facts.functions().get(f).size();
    int max = random.between(1, size + 2);
    return new Step.Enable(
        f,
        random.between(1, Math.min(max, size + 1)),
        max,
        random.oneIn(4),
        random.oneIn(4) ? random.below(size) : -1);
  }

  private Step reserve(int d) {
    long start = iova();
    if (random.oneIn(8)) {
      start += 0x800;
    }
    long bytes = WINDOW_BYTES[random.below(WINDOW_BYTES.length)];
    return random.oneIn(12)
        ? new Step.Reserve(d, end() - 0xfff, 0x2000)
        : new Step.Reserve(d, start, bytes);
  }

  private Step map(int d) {
    if (random.oneIn(16)) {
      return new Step.Map(d, end() - 0xffff, facts.arena(), 0x2_0000, true);
    }
    long iova = iova();
    long pa = facts.arena() + ((long) random.below(13) << 16);
    long bytes = bytes();
    if ((iova & 0xf000) != 0) {
      pa += iova & 0xf000;
    }
    return new Step.Map(d, iova, pa, bytes, !random.oneIn(3));
  }

  private long end() {
    return random.pick(facts.tables()).last();
  }

  private long bytes() {
    return switch (random.below(6)) {
      case 0 -> random.oneIn(4) ? 0x800 : 0x1000;
      case 1 -> 0x4000;
      case 2, 3, 4 -> 0x1_0000;
      default -> 0x2_0000;
    };
  }

  private long iova() {
    long base =
        random.oneIn(10)
            ? random.nextBoolean() ? Facts.HIGH : facts.arena() + Facts.DIRECT
            : facts.base() + ((long) random.below(Facts.UNITS) << 16);
    List<AddressRange> ranges = random.pick(facts.tables()).iovas();
    AddressRange range = ranges.size() == 1 ? ranges.getFirst() : random.pick(ranges);
    return range.start() + base + ((long) SUBS[random.below(SUBS.length)] << 12);
  }
}
