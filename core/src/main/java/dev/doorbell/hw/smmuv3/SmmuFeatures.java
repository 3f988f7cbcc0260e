package dev.doorbell.hw.smmuv3;

import dev.doorbell.bits.Field;

/// What a {@link SmmuModel} has, as its identification registers tell it. With SMMU_IDR0.HTTU it needs a memory with atomic updates
/// (`PhysicalMemory.compareAndSet64`).
///
/// @param idr0 SMMU_IDR0
/// @param idr1 SMMU_IDR1
/// @param idr3 SMMU_IDR3
/// @param idr5 SMMU_IDR5
/// @param gbpa whether SMMU_GBPA exists; without it accesses pass while the SMMU is disabled
/// @param cachedTranslations entries of each stage's cache of leaf translations, a power of two
///
/// **Source** IHI 0070 F.b, 6.3.1 to 6.3.6.
public record SmmuFeatures(
    int idr0, int idr1, int idr3, int idr5, boolean gbpa, int cachedTranslations) {
  private static final int CACHED = 16384;
  private static final int MOST_STREAM_BITS = 24;
  private static final int OAS_52 = 6;
  private static final int HTTU_DIRTY = 2;
  private static final int[] ADDRESS_BITS = {32, 36, 40, 42, 44, 48, 52};

  /// What the model does not do: a feature register may not promise it.
  private static final long ABSENT0 =
      SmmuRegisters.IDR0_BTM.mask()
          | SmmuRegisters.IDR0_ATS.mask()
          | SmmuRegisters.IDR0_NS1ATS.mask()
          | SmmuRegisters.IDR0_ATOS.mask()
          | SmmuRegisters.IDR0_PRI.mask()
          | SmmuRegisters.IDR0_VMW.mask()
          | SmmuRegisters.IDR0_VATOS.mask()
          | SmmuRegisters.IDR0_RME_IMPL.mask();

  private static final long ABSENT1 =
      SmmuRegisters.IDR1_QUEUES_PRESET.mask()
          | SmmuRegisters.IDR1_TABLES_PRESET.mask()
          | SmmuRegisters.IDR1_ECMDQ.mask();

  private static final long ABSENT3 =
      SmmuRegisters.IDR3_PPS.mask()
          | SmmuRegisters.IDR3_MPAM.mask()
          | SmmuRegisters.IDR3_FWB.mask()
          | SmmuRegisters.IDR3_STT.mask()
          | SmmuRegisters.IDR3_E0PD.mask()
          | SmmuRegisters.IDR3_DPT.mask();

  public SmmuFeatures {
    refuse("SMMU_IDR0", idr0, ABSENT0);
    refuse("SMMU_IDR1", idr1, ABSENT1);
    refuse("SMMU_IDR3", idr3, ABSENT3);
    require(SmmuRegisters.IDR0_TTF, idr0, 2, 2);
    require(SmmuRegisters.IDR0_STALL_MODEL, idr0, 1, 1);
    require(SmmuRegisters.IDR0_TTENDIAN, idr0, 0, 2);
    require(SmmuRegisters.IDR1_SIDSIZE, idr1, 0, MOST_STREAM_BITS);
    require(SmmuRegisters.IDR1_SSIDSIZE, idr1, 0, 20);
    require(SmmuRegisters.IDR1_CMDQS, idr1, 0, 19);
    require(SmmuRegisters.IDR1_EVENTQS, idr1, 0, 19);
    require(SmmuRegisters.IDR0_HTTU, idr0, 0, HTTU_DIRTY);
    require(SmmuRegisters.IDR5_OAS, idr5, 0, OAS_52);
    require(SmmuRegisters.IDR5_VAX, idr5, 0, 0);
    if (Integer.bitCount(cachedTranslations) != 1 || cachedTranslations < 16) {
      throw new IllegalArgumentException(
          "the SMMU model caches a power of two of translations, at least 16, not "
              + cachedTranslations);
    }
  }

  /// {@return the shape of QEMU 10's: both stages, nested, all granules, 44-bit addresses, 16-bit StreamIDs}
  public static SmmuFeatures qemu10() {
    return new SmmuFeatures(0x0d44101b, 0x02730010, 0x1414, 0x74, true, CACHED);
  }

  /// {@return the shape of QEMU 7.2's: stage 1 alone, and no SMMU_GBPA}
  public static SmmuFeatures qemu72() {
    return new SmmuFeatures(0x0d40101a, 0x02730010, 0x1404, 0x74, false, CACHED);
  }

  /// {@return these with a field of SMMU_IDR0 changed}
  public SmmuFeatures withIdr0(Field field, int value) {
    return new SmmuFeatures(
        (int) field.with(idr0, value), idr1, idr3, idr5, gbpa, cachedTranslations);
  }

  /// {@return these with a field of SMMU_IDR1 changed}
  public SmmuFeatures withIdr1(Field field, int value) {
    return new SmmuFeatures(
        idr0, (int) field.with(idr1, value), idr3, idr5, gbpa, cachedTranslations);
  }

  /// {@return these with a field of SMMU_IDR3 changed}
  public SmmuFeatures withIdr3(Field field, int value) {
    return new SmmuFeatures(
        idr0, idr1, (int) field.with(idr3, value), idr5, gbpa, cachedTranslations);
  }

  /// {@return these with a field of SMMU_IDR5 changed}
  public SmmuFeatures withIdr5(Field field, int value) {
    return new SmmuFeatures(
        idr0, idr1, idr3, (int) field.with(idr5, value), gbpa, cachedTranslations);
  }

  /// {@return these with caches of another size}
  public SmmuFeatures withCachedTranslations(int entries) {
    return new SmmuFeatures(idr0, idr1, idr3, idr5, gbpa, entries);
  }

  /// {@return these with physical addresses of 32, 36, 40, 42, 44, 48 or 52 bits}
  public SmmuFeatures withOutputBits(int bits) {
    for (int code = 0; code < ADDRESS_BITS.length; code++) {
      if (ADDRESS_BITS[code] == bits) {
        return withIdr5(SmmuRegisters.IDR5_OAS, code);
      }
    }
    throw new IllegalArgumentException(
        "an SMMU has 32, 36, 40, 42, 44, 48 or 52 bits of output, not " + bits);
  }

  boolean has0(Field field) {
    return field.isSet(Integer.toUnsignedLong(idr0));
  }

  boolean has3(Field field) {
    return field.isSet(Integer.toUnsignedLong(idr3));
  }

  /// {@return whether hardware can set access flags}
  boolean hasAccessUpdates() {
    return SmmuRegisters.IDR0_HTTU.getInt(Integer.toUnsignedLong(idr0)) > 0;
  }

  /// {@return whether hardware can keep dirty state}
  boolean hasDirtyUpdates() {
    return SmmuRegisters.IDR0_HTTU.getInt(Integer.toUnsignedLong(idr0)) >= HTTU_DIRTY;
  }

  /// {@return whether physical addresses have 52 bits}
  boolean isWide() {
    return outputBits() > ADDRESS_BITS[OAS_52 - 1];
  }

  /// {@return the width that an IPS or PS encoding means with a granule: more than 48 bits fit tables of 64 KiB alone}
  int addressBits(int code, int granule) {
    int bits = addressBits(code);
    return granule == 16 ? bits : Math.min(bits, ADDRESS_BITS[OAS_52 - 1]);
  }

  int idr1(Field field) {
    return field.getInt(Integer.toUnsignedLong(idr1));
  }

  /// {@return the width of a physical address}
  public int outputBits() {
    return ADDRESS_BITS[SmmuRegisters.IDR5_OAS.getInt(idr5)];
  }

  /// {@return the width that an IPS or PS encoding means here: never more than the SMMU has}
  private int addressBits(int code) {
    return code < ADDRESS_BITS.length ? Math.min(ADDRESS_BITS[code], outputBits()) : outputBits();
  }

  /// {@return whether a granule of this base 2 logarithm exists}
  boolean hasGranule(int log2) {
    return switch (log2) {
      case 12 -> SmmuRegisters.IDR5_GRAN4K.isSet(idr5);
      case 14 -> SmmuRegisters.IDR5_GRAN16K.isSet(idr5);
      case 16 -> SmmuRegisters.IDR5_GRAN64K.isSet(idr5);
      default -> false;
    };
  }

  private static void refuse(String register, int value, long absent) {
    if ((value & absent) != 0) {
      throw new IllegalArgumentException(
          "%s = 0x%08x promises features that the SMMU model has not: bits 0x%x"
              .formatted(register, value, value & absent));
    }
  }

  private static void require(Field field, int register, int least, int most) {
    int value = field.getInt(Integer.toUnsignedLong(register));
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          "the SMMU model takes %s from %d to %d, not %d"
              .formatted(field.name(), least, most, value));
    }
  }
}
