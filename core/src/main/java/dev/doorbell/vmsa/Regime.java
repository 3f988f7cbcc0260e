package dev.doorbell.vmsa;

/// One set of VMSAv8-64 tables: half of a stage 1 regime, or a stage 2 regime.
///
/// @param enabled false for a half whose EPD bit is set: every address in it misses
/// @param inputBits width of the input address, 25 to 48, with 64 KiB and 52-bit addresses up to 52
/// @param granule base 2 logarithm of the granule: 12, 14 or 16
/// @param startLevel 0 to 3
/// @param table address of the first table, or of the concatenated ones
/// @param outputBits width of the output address, never above the SMMU's
/// @param topByteIgnored TBI; stage 1 only
/// @param hierarchyIgnored HAD: table attributes do not restrict; stage 1 only
/// @param wide whether the hardware has 52-bit output: descriptors of 64 KiB tables then have address bits 51:48, and level 1 has
///     blocks, whatever outputBits says
///
/// **Source** DDI 0487 J.a, D8.2, D8.3.1.
public record Regime(
    boolean enabled,
    int inputBits,
    int granule,
    int startLevel,
    long table,
    int outputBits,
    boolean topByteIgnored,
    boolean hierarchyIgnored,
    boolean wide) {
  private static final int LAST_LEVEL = 3;
  private static final int LOG2_DESCRIPTOR = 3;
  private static final int LOG2_LEAST_ALIGNMENT_OF_52 = 6;
  private static final int K64 = 16;
  private static final int TOP_BITS_AT = 48;

  /// A half that nothing can use.
  public static final Regime DISABLED = new Regime(false, 48, 12, 0, 0, 0, false, false);

  /// Makes those of hardware with 48 bits of output at most.
  public Regime(
      boolean enabled,
      int inputBits,
      int granule,
      int startLevel,
      long table,
      int outputBits,
      boolean topByteIgnored,
      boolean hierarchyIgnored) {
    this(
        enabled,
        inputBits,
        granule,
        startLevel,
        table,
        outputBits,
        topByteIgnored,
        hierarchyIgnored,
        false);
  }

  /// {@return the level of the first table of a stage 1 walk}
  public static int stage1Start(int inputBits, int granule) {
    int perLevel = granule - LOG2_DESCRIPTOR;
    return LAST_LEVEL + 1 - Math.ceilDiv(inputBits - granule, perLevel);
  }

  /// {@return base 2 logarithm of the bytes that one descriptor of a level covers}
  public int shift(int level) {
    return granule + (LAST_LEVEL - level) * (granule - LOG2_DESCRIPTOR);
  }

  /// {@return the address of the descriptor of an address in a table of a level}
  public long descriptor(long tableStart, int level, long address) {
    long within = address & ones(level == startLevel ? inputBits : shift(level - 1));
    return tableStart + ((within >>> shift(level)) << LOG2_DESCRIPTOR);
  }

  /// {@return the first table's address without the bits that its size makes RES0}
  public long firstTable() {
    int bits = inputBits - shift(startLevel) + LOG2_DESCRIPTOR;
    return table
        & ~ones(outputBits > TOP_BITS_AT ? Math.max(bits, LOG2_LEAST_ALIGNMENT_OF_52) : bits);
  }

  /// {@return whether a level may hold blocks}
  public boolean hasBlocks(int level) {
    return level == 2 || (level == 1 && (granule == 12 || hasTopBits()));
  }

  /// {@return the address in a table, block or page descriptor of either stage}
  ///
  /// @param low base 2 logarithm of its alignment: bits below are taken as zero
  public long address(long descriptor, int low) {
    long address = DescriptorLayout.OUTPUT_ADDRESS.get(descriptor) & ~ones(low);
    return hasTopBits()
        ? address | DescriptorLayout.ADDRESS_51_48.get(descriptor) << TOP_BITS_AT
        : address;
  }

  private boolean hasTopBits() {
    return wide && granule == K64;
  }

  /// {@return base 2 logarithm of what one cached entry of a leaf with the Contiguous bit covers: the whole run where input
  /// and output lie alike in it, else the leaf alone}
  public int coverage(long input, int level, long output) {
    int block = shift(level);
    if (granule == K64 && level == 1) {
      return block;
    }
    int run =
        block
            + switch (granule) {
              case 12 -> 4;
              case 14 -> level == LAST_LEVEL ? 7 : 5;
              default -> 5;
            };
    boolean alike = ((input ^ output) & ones(run) & ~ones(block)) == 0;
    return alike && run <= inputBits ? run : block;
  }

  /// {@return whether an output address is too wide}
  public boolean tooWide(long output) {
    return output >>> outputBits != 0;
  }

  /// {@return this many low bits}
  public static long ones(int bits) {
    return bits >= Long.SIZE ? -1L : (1L << bits) - 1;
  }
}
