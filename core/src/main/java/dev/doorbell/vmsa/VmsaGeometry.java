package dev.doorbell.vmsa;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import java.util.Optional;

/// The shape of one set of tables: which address bits each level resolves. Pure arithmetic; no descriptor is known here.
///
/// Levels are numbered as the manual numbers them: 3 is the last. The start table may be smaller than a granule; at stage 2 up to 16
/// tables of the start level lie one after another (*concatenated*), which saves a level.
///
/// Tables of other architectures have the same arithmetic with other figures: RISC-V's ({@link #wide}), or tables whose size is none of the granule's
/// business ({@link #whole}).
///
/// @param granule 4, 16 or 64 KiB; of others' tables what they have
/// @param stage which stage
/// @param inputBits width of an input address, 25 to 48, with 64 KiB and 52 bits of output up to 52; of others' tables up to 63
/// @param outputBits width of an output address: 32, 36, 40, 42, 44, 48, or 52 with the 64 KiB granule; of others' tables what they have
/// @param startLevel where a walk begins, 0 to 3; of others' tables -1 to 3
/// @param bitsPerLevel bits that a table below the start level resolves: with Arm's tables those of a granule
public record VmsaGeometry(
    Granule granule, Stage stage, int inputBits, int outputBits, int startLevel, int bitsPerLevel) {
  /// The last level.
  public static final int LAST_LEVEL = 3;

  /// Narrowest input without small translation tables (T0SZ 39).
  public static final int MIN_INPUT_BITS = 25;

  /// Widest input without 52-bit addresses.
  public static final int MAX_INPUT_BITS = 48;

  private static final int FIRST_LEVEL = -1;
  private static final int MOST_BITS_PER_LEVEL = 28;

  /// log2 of the bytes of a descriptor.
  private static final int ENTRY_SHIFT = 3;

  private static final int WIDE_BITS = 52;
  private static final int WIDEST_OUTPUT = 56;
  private static final int WIDE_ROOT_BITS = 2;

  private static final int CONCATENATED_BITS = 4;
  private static final int[] SIZES = {32, 36, 40, 42, 44, 48, 52};
  private static final long MIN_TABLE_ALIGNMENT = 64;

  public VmsaGeometry {
    int startBits = inputBits - granule.shift() - (LAST_LEVEL - startLevel) * bitsPerLevel;
    boolean outside =
        startLevel < FIRST_LEVEL
            || startLevel > LAST_LEVEL
            || bitsPerLevel < 1
            || bitsPerLevel > MOST_BITS_PER_LEVEL
            || inputBits >= Long.SIZE
            || startBits < 1
            || startBits > bitsPerLevel + CONCATENATED_BITS;
    if (outside) {
      throw new IllegalArgumentException(
          "%d bits of input make no tables of %d bits each from level %d on with granule %s"
              .formatted(inputBits, bitsPerLevel, startLevel, granule));
    }
  }

  /// As the manual has it: a table is a granule.
  ///
  /// @throws IllegalArgumentException when there is no such shape
  public VmsaGeometry(Granule granule, Stage stage, int inputBits, int outputBits, int startLevel) {
    Optional<String> problem = problem(granule, stage, inputBits, outputBits, startLevel);
    if (problem.isPresent()) {
      throw new IllegalArgumentException(problem.get());
    }
    this(granule, stage, inputBits, outputBits, startLevel, granule.shift() - ENTRY_SHIFT);
  }

  /// {@return the shape of another architecture's tables, all of them of one size}
  ///
  /// @param levels 1 to 5
  /// @param bitsPerLevel bits that each table resolves, 1 to 28
  /// @throws IllegalArgumentException when the input would have more than 63 bits
  public static VmsaGeometry whole(Granule granule, int levels, int bitsPerLevel, int outputBits) {
    return new VmsaGeometry(
        granule,
        Stage.STAGE1,
        granule.shift() + levels * bitsPerLevel,
        outputBits,
        LAST_LEVEL + 1 - levels,
        bitsPerLevel);
  }

  /// {@return the shape of whole tables of 512 entries of 4 KiB pages, whose first one at stage 2 is four of them side by side, as RISC-V has them}
  ///
  /// **Source**: RISC-V Privileged Architecture 20240411, 12.4 to 12.6, 18.5.1.
  ///
  /// @param levels 3 to 5
  /// @param outputBits 32 to 56
  /// @throws IllegalArgumentException when there is no such shape
  public static VmsaGeometry wide(Stage stage, int levels, int outputBits) {
    if (levels < 3 || levels > 5 || outputBits < SIZES[0] || outputBits > WIDEST_OUTPUT) {
      throw new IllegalArgumentException(
          "tables of %d levels for %d bits of output; 3 to 5 for %d to %d are wide"
              .formatted(levels, outputBits, SIZES[0], WIDEST_OUTPUT));
    }
    int bitsPerLevel = Granule.K4.shift() - ENTRY_SHIFT;
    int root = stage == Stage.STAGE2 ? WIDE_ROOT_BITS : 0;
    int inputBits = Granule.K4.shift() + levels * bitsPerLevel + root;
    int start = LAST_LEVEL + 1 - levels;
    return new VmsaGeometry(Granule.K4, stage, inputBits, outputBits, start, bitsPerLevel);
  }

  /// {@return the shape with the fewest levels}
  ///
  /// **Source** DDI 0487 M.a.a, D8.2.8 to D8.2.10.
  ///
  /// @throws IllegalArgumentException when there is none
  public static VmsaGeometry of(Granule granule, Stage stage, int inputBits, int outputBits) {
    int perLevel = granule.shift() - 3;
    int levels = Math.max(1, Math.ceilDiv(inputBits - granule.shift(), perLevel));
    int start = LAST_LEVEL + 1 - levels;
    if (stage == Stage.STAGE2 && start < lastStart(granule, stage)) {
      int top = inputBits - granule.shift() - (levels - 1) * perLevel;
      if (top <= CONCATENATED_BITS) {
        start++;
      }
    }
    return new VmsaGeometry(granule, stage, inputBits, outputBits, start);
  }

  /// {@return why these numbers make no shape, if they do not}
  public static Optional<String> problem(
      Granule granule, Stage stage, int inputBits, int outputBits, int startLevel) {
    int shift = granule.shift();
    if (shift != 12 && shift != 14 && shift != 16) {
      return Optional.of("granule " + granule + " is not 4K, 16K or 64K");
    }
    int widest = shift == 16 && outputBits == WIDE_BITS ? WIDE_BITS : MAX_INPUT_BITS;
    if (inputBits < MIN_INPUT_BITS || inputBits > widest) {
      return Optional.of(
          "an input address of %d bits is outside %d to %d"
              .formatted(inputBits, MIN_INPUT_BITS, widest));
    }
    if (encodeSize(outputBits) < 0) {
      return Optional.of("an output address of " + outputBits + " bits has no encoding");
    }
    if (outputBits > 48 && shift != 16) {
      return Optional.of(
          "an output address of %d bits needs the 64K granule, not %s"
              .formatted(outputBits, granule));
    }
    if (startLevel < 0 || startLevel > lastStart(granule, stage)) {
      return Optional.of(
          "start level %d is outside 0 to %d".formatted(startLevel, lastStart(granule, stage)));
    }
    int startBits = inputBits - shift - (LAST_LEVEL - startLevel) * (shift - 3);
    int most = shift - 3 + (stage == Stage.STAGE2 ? CONCATENATED_BITS : 0);
    if (startBits < 1 || startBits > most) {
      return Optional.of(
          "start level %d would resolve %d bits of a %d-bit input with granule %s; it can resolve 1 to %d"
              .formatted(startLevel, startBits, inputBits, granule, most));
    }
    return Optional.empty();
  }

  /// {@return the encoding of an address width in IPS, S2PS and OAS, or -1 when it has none}
  public static int encodeSize(int bits) {
    for (int i = 0; i < SIZES.length; i++) {
      if (SIZES[i] == bits) {
        return i;
      }
    }
    return -1;
  }

  /// {@return the address width of an IPS, S2PS or OAS encoding; reserved ones behave as the widest}
  public static int decodeSize(int encoding) {
    return SIZES[Math.min(encoding, SIZES.length - 1)];
  }

  /// {@return the granule of a TG0 or S2TG encoding, if it is not reserved}
  public static Optional<Granule> decodeTg0(int encoding) {
    return switch (encoding) {
      case 0b00 -> Optional.of(Granule.K4);
      case 0b01 -> Optional.of(Granule.K64);
      case 0b10 -> Optional.of(Granule.K16);
      default -> Optional.empty();
    };
  }

  /// {@return the granule of a TG1 encoding, if it is not reserved}
  public static Optional<Granule> decodeTg1(int encoding) {
    return switch (encoding) {
      case 0b01 -> Optional.of(Granule.K16);
      case 0b10 -> Optional.of(Granule.K4);
      case 0b11 -> Optional.of(Granule.K64);
      default -> Optional.empty();
    };
  }

  /// {@return the start level of an SL0 encoding, or -1 when it is reserved or needs small tables}
  public static int decodeSl0(Granule granule, int encoding) {
    int first = granule.shift() == 12 ? 2 : 3;
    return encoding > 2 ? -1 : first - encoding;
  }

  /// {@return the TG0 or S2TG encoding}
  public int tg0() {
    return switch (granule.shift()) {
      case 12 -> 0b00;
      case 16 -> 0b01;
      default -> 0b10;
    };
  }

  /// {@return the SL0 encoding of the start level, stage 2 only}
  public int sl0() {
    return (granule.shift() == 12 ? 2 : 3) - startLevel;
  }

  /// {@return the T0SZ encoding}
  public int t0sz() {
    return Long.SIZE - inputBits;
  }

  /// {@return all input addresses}
  public AddressRange aperture() {
    return new AddressRange(0, (1L << inputBits) - 1);
  }

  /// {@return whether an address and what follows it fit the output width}
  public boolean outputHolds(AddressRange output) {
    return new AddressRange(0, (1L << outputBits) - 1).contains(output);
  }

  /// {@return bits that the start level resolves}
  public int startBits() {
    return inputBits - shift(startLevel);
  }

  /// {@return how many tables of the start level lie one after another}
  public int startTables() {
    return 1 << Math.max(0, startBits() - bitsPerLevel);
  }

  /// {@return descriptors in a table of a level}
  public int entries(int level) {
    return 1 << (level == startLevel ? startBits() : bitsPerLevel);
  }

  /// {@return bytes of a table of a level}
  public long tableBytes(int level) {
    return (long) entries(level) * DescriptorLayout.BYTES;
  }

  /// {@return bytes of a table below the start level}
  public long wholeTableBytes() {
    return (1L << bitsPerLevel) * DescriptorLayout.BYTES;
  }

  /// {@return the alignment of a table of a level: its size, at least 64 bytes}
  public long tableAlignment(int level) {
    return Math.max(tableBytes(level), MIN_TABLE_ALIGNMENT);
  }

  /// {@return log2 of the bytes that one descriptor of a level covers}
  public int shift(int level) {
    return granule.shift() + (LAST_LEVEL - level) * bitsPerLevel;
  }

  /// {@return the bytes that one descriptor of a level covers}
  public long bytes(int level) {
    return 1L << shift(level);
  }

  /// {@return which descriptor of a table resolves an address}
  public int index(long address, int level) {
    return (int) (address >>> shift(level)) & (entries(level) - 1);
  }

  /// {@return an address rounded down to what one descriptor of a level covers}
  public long alignDown(long address, int level) {
    return address & -bytes(level);
  }

  /// {@return an address's bits below what a descriptor of a level resolves}
  public long offset(long address, int level) {
    return address & (bytes(level) - 1);
  }

  /// {@return whether a descriptor of this level may be a block or page}
  ///
  /// **Source** DDI 0487 D8.3.1: blocks of 1 GiB and 2 MiB with 4 KiB, of 32 MiB with 16 KiB, of 512 MiB with 64 KiB, and of 4 TiB with
  /// 64 KiB where the output has 52 bits.
  public boolean leafAllowed(int level) {
    return switch (level) {
      case 3, 2 -> true;
      case 1 -> granule.shift() == 12 || (granule.shift() == 16 && outputBits == WIDE_BITS);
      default -> false;
    };
  }

  /// {@return sizes that can be mapped: bit n for 2^n bytes}
  public long pageSizes() {
    long sizes = 0;
    for (int level = startLevel; level <= LAST_LEVEL; level++) {
      sizes |= leafAllowed(level) ? bytes(level) : 0;
    }
    return sizes;
  }

  private static int lastStart(Granule granule, Stage stage) {
    // SL0 has no encoding for level 3 with the 4 KiB granule unless small translation tables are
    // implemented.
    return stage == Stage.STAGE2 && granule.shift() == 12 ? 2 : 3;
  }
}
