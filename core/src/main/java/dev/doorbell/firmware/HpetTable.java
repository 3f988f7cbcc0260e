package dev.doorbell.firmware;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bits.Field;
import dev.doorbell.bits.Layout;
import dev.doorbell.explain.Source;
import java.util.Optional;
import java.util.OptionalInt;

/// HPET: where a High Precision Event Timer's registers lie, and how many timers it has.
///
/// **Source**: IA-PC HPET Specification 1.0a, 3.2.4; ACPI 6.5, 5.2.3.2 (Generic Address Structure).
///
/// @param number the one by which DMAR and IVRS name it
/// @param registers empty when they do not lie in memory
/// @param timers empty when the table does not tell
record HpetTable(int number, Optional<AddressRange> registers, OptionalInt timers, Source source) {
  private static final Layout BLOCK = Layout.lsb0("Event Timer Block ID", 4);
  // spotless:off
  static final Field REVISION = BLOCK.bits("Hardware Rev ID",                  7,  0);
  static final Field LAST     = BLOCK.bits("Number of Comparators",           12,  8);
  static final Field WIDE     = BLOCK.bit ("COUNT_SIZE_CAP",                  13);
  static final Field LEGACY   = BLOCK.bit ("Legacy Replacement IRQ Routing",  15);
  static final Field VENDOR   = BLOCK.bits("PCI Vendor ID",                   31, 16);
  // spotless:on
  static final Layout BLOCK_ID = BLOCK.res0(14, 14).seal();

  private static final int BLOCK_AT = 36;
  private static final int SPACE_AT = 40;
  private static final int ADDRESS_AT = 44;
  private static final int NUMBER_AT = 52;
  private static final int SYSTEM_MEMORY = 0;
  private static final long BYTES = 0x400;

  /// From 0x100 on each has 0x20 bytes.
  private static final int MOST_TIMERS = 24;

  private static final long UNSET = 0xffff_ffffL;

  static HpetTable read(AcpiTable table, Findings findings) {
    Blob b = table.blob();
    long block = b.u32(BLOCK_AT);
    OptionalInt timers = OptionalInt.of(LAST.getInt(block) + 1);
    if (block == UNSET) {
      findings.odd(
          "Event Timer Block ID is 0x%x, which nobody filled in".formatted(block),
          b.source(BLOCK_AT));
      timers = OptionalInt.empty();
    } else if (timers.getAsInt() > MOST_TIMERS) {
      findings.odd(
          "%d comparators, and its registers have room for %d"
              .formatted(timers.getAsInt(), MOST_TIMERS),
          b.source(BLOCK_AT));
      timers = OptionalInt.empty();
    }
    Optional<AddressRange> registers = Optional.empty();
    long base = b.u64(ADDRESS_AT);
    if (b.u8(SPACE_AT) != SYSTEM_MEMORY) {
      findings.odd(
          "its registers lie in address space %d, which is not memory".formatted(b.u8(SPACE_AT)),
          b.source(SPACE_AT));
    } else if (base == 0 || base % BYTES != 0 || base > -1L - BYTES && base < 0) {
      findings.odd(
          "its registers at 0x%x are no KiB of memory".formatted(base), b.source(ADDRESS_AT));
    } else {
      registers = Optional.of(AddressRange.ofSize(base, BYTES));
    }
    return new HpetTable(b.u8(NUMBER_AT), registers, timers, b.source(0));
  }
}
