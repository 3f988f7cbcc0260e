package dev.doorbell.hw.smmuv2;

import static dev.doorbell.hw.smmuv2.Gr0Registers.*;

import dev.doorbell.bits.Field;
import dev.doorbell.vmsa.VmsaGeometry;

/// What a model has: the contents of its identification registers.
///
/// @param idr0 SMMU_IDR0
/// @param idr1 SMMU_IDR1
/// @param idr2 SMMU_IDR2
/// @param major version of the architecture, 1 or 2
/// @param cachedTranslations how many leaves a stage holds, a power of two
public record SmmuV2Features(int idr0, int idr1, int idr2, int major, int cachedTranslations) {
  /// Upstream addresses of 49 bits.
  static final int UBS_49 = 5;

  private static final int CACHED = 16_384;
  private static final int IRQS = 1;
  private static final int STREAM_BITS = 15;
  private static final int NO_SHORT = 1;
  private static final int NO_AARCH32 = 2;
  private static final long SMALL_PAGE = 0x1000;
  private static final long LARGE_PAGE = 0x1_0000;
  private static final int MOST_PAGES = 256;
  private static final int LEAST_PAGES = 2;

  public SmmuV2Features {
    if (IDR1_NUMCB.get(idr1) > pages(idr1) || IDR1_NUMCB.get(idr1) > Gr1Registers.MOST_BANKS) {
      throw new IllegalArgumentException(
          "%d context banks have no room in %d pages".formatted(IDR1_NUMCB.get(idr1), pages(idr1)));
    }
    if (IDR0_NUMSMRG.get(idr0) > MOST_STREAMS || IDR0_EXSMRGS.isSet(idr0)) {
      throw new IllegalArgumentException("extended stream match registers are not modelled");
    }
  }

  /// {@return a Corelink MMU-500: both stages, alone and nested, tables of AArch64 with 4 and 64 KiB granules, 128 stream match registers of 15 bits}
  ///
  /// @param windowBytes of the register window; the largest power of two in it is used, a context bank for each page of its upper half
  public static SmmuV2Features mmu500(long windowBytes) {
    return made(
        IDR0_S1TS.place(1)
            | IDR0_S2TS.place(1)
            | IDR0_NTS.place(1)
            | IDR0_SMS.place(1)
            | IDR0_PTFS.place(NO_AARCH32)
            | IDR0_CTTW.place(1)
            | IDR0_NUMIRPT.place(IRQS)
            | IDR0_NUMSIDB.place(STREAM_BITS)
            | IDR0_NUMSMRG.place(MOST_STREAMS),
        shape(windowBytes),
        IDR2_PTFSV8_4KB.place(1)
            | IDR2_PTFSV8_64KB.place(1)
            | IDR2_UBS.place(UBS_49)
            | IDR2_OAS.place(VmsaGeometry.encodeSize(48))
            | IDR2_IAS.place(VmsaGeometry.encodeSize(48)),
        2);
  }

  /// {@return an SMMUv1: tables of AArch32 with long descriptors, 40 bits of output, 32 stream match registers}
  ///
  /// @param stage1 whether it has stage 1 (the MMU-401)
  /// @param stage2 whether it has stage 2 (the MMU-400)
  /// @param windowBytes as above
  public static SmmuV2Features version1(boolean stage1, boolean stage2, long windowBytes) {
    return made(
        IDR0_S1TS.place(stage1 ? 1 : 0)
            | IDR0_S2TS.place(stage2 ? 1 : 0)
            | IDR0_NTS.place(stage1 && stage2 ? 1 : 0)
            | IDR0_SMS.place(1)
            | IDR0_PTFS.place(NO_SHORT)
            | IDR0_CTTW.place(1)
            | IDR0_NUMIRPT.place(IRQS)
            | IDR0_NUMSIDB.place(STREAM_BITS)
            | IDR0_NUMSMRG.place(32),
        shape(windowBytes),
        IDR2_OAS.place(VmsaGeometry.encodeSize(40)) | IDR2_IAS.place(VmsaGeometry.encodeSize(40)),
        1);
  }

  /// {@return whether a window has room for the smallest SMMU: two pages of 4 KiB in each half}
  public static boolean fits(long windowBytes) {
    return windowBytes >= 2 * LEAST_PAGES * SMALL_PAGE;
  }

  public SmmuV2Features withIdr0(Field field, long value) {
    return new SmmuV2Features((int) field.with(idr0, value), idr1, idr2, major, cachedTranslations);
  }

  public SmmuV2Features withIdr1(Field field, long value) {
    return new SmmuV2Features(idr0, (int) field.with(idr1, value), idr2, major, cachedTranslations);
  }

  public SmmuV2Features withIdr2(Field field, long value) {
    return new SmmuV2Features(idr0, idr1, (int) field.with(idr2, value), major, cachedTranslations);
  }

  public SmmuV2Features withCachedTranslations(int leaves) {
    return new SmmuV2Features(idr0, idr1, idr2, major, leaves);
  }

  /// {@return with a width of outputs, one of 32, 36, 40, 42, 44 and 48 bits, and intermediate addresses as wide}
  ///
  /// @throws IllegalArgumentException when it is none of them
  public SmmuV2Features withOutputBits(int bits) {
    int encoded = VmsaGeometry.encodeSize(bits);
    if (!encodes(bits)) {
      throw new IllegalArgumentException("an output of " + bits + " bits has no encoding");
    }
    return withIdr2(IDR2_OAS, encoded).withIdr2(IDR2_IAS, encoded);
  }

  /// {@return bytes of the register window}
  public long windowBytes() {
    return 2L * pages() * pageBytes();
  }

  long pageBytes() {
    return IDR1_PAGESIZE.isSet(idr1) ? LARGE_PAGE : SMALL_PAGE;
  }

  int pages() {
    return pages(idr1);
  }

  int banks() {
    return IDR1_NUMCB.getInt(idr1);
  }

  int entries() {
    return IDR0_SMS.isSet(idr0)
        ? IDR0_NUMSMRG.getInt(idr0)
        : Math.min(1 << IDR0_NUMSIDB.getInt(idr0), MOST_STREAMS);
  }

  int outputBits() {
    return VmsaGeometry.decodeSize(IDR2_OAS.getInt(idr2));
  }

  int ipaBits() {
    return VmsaGeometry.decodeSize(IDR2_IAS.getInt(idr2));
  }

  /// {@return whether a width of outputs has an encoding}
  public static boolean encodes(int bits) {
    return bits <= VmsaGeometry.MAX_INPUT_BITS && VmsaGeometry.encodeSize(bits) >= 0;
  }

  private static SmmuV2Features made(long idr0, long idr1, long idr2, int major) {
    return new SmmuV2Features((int) idr0, (int) idr1, (int) idr2, major, CACHED);
  }

  private static int pages(long idr1) {
    return 1 << (IDR1_NUMPAGENDXB.getInt(idr1) + 1);
  }

  /// Pages of 4 KiB as long as their number has an encoding, of 64 KiB above.
  private static long shape(long windowBytes) {
    if (!fits(windowBytes)) {
      throw new IllegalArgumentException(
          "a window of 0x%x bytes has no room for an SMMU".formatted(windowBytes));
    }
    long half = Long.highestOneBit(windowBytes) / 2;
    boolean large = half / SMALL_PAGE > MOST_PAGES;
    long pages = Math.min(half / (large ? LARGE_PAGE : SMALL_PAGE), MOST_PAGES);
    return IDR1_PAGESIZE.place(large ? 1 : 0)
        | IDR1_NUMPAGENDXB.place(Long.numberOfTrailingZeros(pages) - 1)
        | IDR1_NUMCB.place(Math.min(pages, Gr1Registers.MOST_BANKS));
  }
}
