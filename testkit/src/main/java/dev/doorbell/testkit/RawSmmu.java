package dev.doorbell.testkit;

/// SMMUv3 tables, commands and VMSAv8-64 descriptors in raw bits, to check a model and a driver with something that shares no
/// declaration with them.
///
/// **Source** Linux `drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.h` at 0401bbf56da5 for entries and commands; DDI 0487 for descriptors.
public final class RawSmmu {
  /// Memory by physical address.
  public interface Quadwords {
    long get(long address);

    void put(long address, long value);
  }

  public static final long VALID = 1L;
  public static final long TABLE = 3L;
  public static final long PAGE = 3L;
  public static final long BLOCK = 1L;
  public static final long AF = 1L << 10;
  public static final long NG = 1L << 11;
  public static final long CONTIGUOUS = 1L << 52;

  /// Stage 1 leaves: AP[2:1] in bits 7:6.
  public static final long S1_RW = AF | NG | 1L << 6;

  public static final long S1_RO = AF | NG | 3L << 6;
  public static final long S1_PRIVILEGED = AF | NG;

  /// Stage 2 leaves: S2AP in bits 7:6, MemAttr normal write-back in bits 5:2.
  public static final long S2_RW = AF | 3L << 6 | 0xfL << 2;

  public static final long S2_RO = AF | 1L << 6 | 0xfL << 2;
  public static final long S2_WO = AF | 2L << 6 | 0xfL << 2;
  public static final long S2_DEVICE_RW = AF | 3L << 6 | 1L << 2;

  private RawSmmu() {}

  /// Writes an entry's quadwords, the first one last.
  public static void store(Quadwords memory, long address, long... words) {
    for (int i = words.length - 1; i >= 0; i--) {
      memory.put(address + 8L * i, words[i]);
    }
  }

  /// {@return an STE of a Config, with no other field set}
  public static long[] ste(int config) {
    return new long[] {1L | (long) config << 1, 0, 0, 0, 0, 0, 0, 0};
  }

  /// {@return an STE whose stage 1 has one CD}
  public static long[] steStage1(long cd) {
    long[] ste = ste(5);
    ste[0] |= cd;
    return ste;
  }

  /// {@return an STE of stage 2 alone, S2R set}
  ///
  /// @param granule base 2 logarithm
  /// @param ps S2PS encoding
  public static long[] steStage2(
      int vmid, int inputBits, int sl0, int granule, int ps, long table) {
    long[] ste = ste(6);
    ste[2] =
        vmid
            | (long) (64 - inputBits) << 32
            | (long) sl0 << 38
            | tg0(granule) << 46
            | (long) ps << 48
            | 1L << 51
            | 1L << 58;
    ste[3] = table;
    return ste;
  }

  /// {@return an STE of both stages}
  public static long[] steNested(long cd, long[] stage2) {
    long[] ste = stage2.clone();
    ste[0] = 1L | 7L << 1 | cd;
    return ste;
  }

  /// {@return a CD of TTB0 alone, R and A set}
  ///
  /// @param ips IPS encoding
  public static long[] cd(int asid, int inputBits, int granule, int ips, long table) {
    long word =
        (64 - inputBits)
            | tg0(granule) << 6
            | 1L << 30
            | 1L << 31
            | (long) ips << 32
            | 1L << 41
            | 1L << 45
            | 1L << 46
            | (long) asid << 48;
    return new long[] {word, table, 0, 0xffL, 0, 0, 0, 0};
  }

  private static long tg0(int granule) {
    return switch (granule) {
      case 12 -> 0;
      case 14 -> 2;
      case 16 -> 1;
      default -> 3;
    };
  }

  /// Puts a leaf into tables, making those on the way.
  public static final class Tables {
    private final Quadwords memory;
    private final int inputBits;
    private final int granule;
    private final int start;
    private final long root;
    private long next;

    /// @param root first table, or first of those side by side
    /// @param pool where further tables are taken from, upwards; zeroed memory aligned to the granule
    public Tables(Quadwords memory, int inputBits, int granule, int start, long root, long pool) {
      this.memory = memory;
      this.inputBits = inputBits;
      this.granule = granule;
      this.start = start;
      this.root = root;
      next = pool;
    }

    public long root() {
      return root;
    }

    private int shift(int level) {
      return granule + (3 - level) * (granule - 3);
    }

    /// {@return the address of the descriptor of a level, the tables above it made}
    public long slot(long input, int level) {
      long table = root;
      for (int at = start; ; at++) {
        int top = at == start ? inputBits : shift(at - 1);
        long index = (input & ((1L << top) - 1)) >>> shift(at);
        long slot = table + index * 8;
        if (at == level) {
          return slot;
        }
        long descriptor = memory.get(slot);
        if ((descriptor & 1) == 0) {
          descriptor = next | TABLE;
          next += 1L << granule;
          memory.put(slot, descriptor);
        }
        table = descriptor & 0x0000_ffff_ffff_f000L;
      }
    }

    /// Maps one page or block.
    public void map(long input, long output, int level, long attributes) {
      memory.put(slot(input, level), output | attributes | (level == 3 ? PAGE : BLOCK));
    }

    public void unmap(long input, int level) {
      memory.put(slot(input, level), 0);
    }
  }

  /// {@return a CMD_CFGI_STE}
  public static long[] cfgiSte(int stream, boolean leaf) {
    return new long[] {0x03L | (long) stream << 32, leaf ? 1 : 0};
  }

  public static long[] cfgiAll() {
    return new long[] {0x04L, 31};
  }

  public static long[] cfgiCd(int stream, int substream, boolean leaf) {
    return new long[] {0x05L | (long) substream << 12 | (long) stream << 32, leaf ? 1 : 0};
  }

  /// {@return a CMD_TLBI_* of one opcode}
  public static long[] tlbi(int opcode, int vmid, int asid, long address, boolean leaf) {
    return new long[] {
      opcode | (long) vmid << 32 | (long) asid << 48, (address & -4096L) | (leaf ? 1 : 0)
    };
  }

  /// {@return a CMD_TLBI_* over a range}
  ///
  /// @param tg TG encoding, 1 to 3
  public static long[] tlbiRange(long[] command, int tg, int scale, int num, int ttl) {
    return new long[] {
      command[0] | (long) num << 12 | (long) scale << 20,
      command[1] | (long) tg << 10 | (long) ttl << 8
    };
  }

  public static long[] sync() {
    return new long[] {0x46L, 0};
  }

  /// {@return a CMD_SYNC with SIG_IRQ}
  public static long[] syncMsi(long address, int data) {
    return new long[] {0x46L | 1L << 12 | Integer.toUnsignedLong(data) << 32, address};
  }
}
