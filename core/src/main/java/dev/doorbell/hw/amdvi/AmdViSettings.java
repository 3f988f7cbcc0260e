package dev.doorbell.hw.amdvi;

/// How a driver is set up.
///
/// @param domains the DomainIDs shared by all AMD IOMMUs of the machine
/// @param remapping whether interrupts are remapped; else they pass as they are, whoever sends them
/// @param x2apic whether destinations need 32 bits: interrupt table entries then have 16 bytes, else 4
/// @param outputBits width of a PA
/// @param cachesAbsent whether the IOMMU may cache that something is not present (NpCache of its capability header), so that new mappings
///     are told to it, too
/// @param guestTables whether devices are given guest page tables (version 2) of their own, instead of the host's (version 1)
/// @param polls how many reads a wait lasts at most
public record AmdViSettings(
    AmdViDomains domains,
    boolean remapping,
    boolean x2apic,
    int outputBits,
    boolean cachesAbsent,
    boolean guestTables,
    int polls) {
  private static final int POLLS = 1_000_000;
  private static final int MOST_OUTPUT_BITS = 52;

  /// {@return the usual: interrupts are remapped, page tables the host's, destinations of 8 bits, PAs of 52, a million reads}
  public static AmdViSettings of(AmdViDomains domains) {
    return new AmdViSettings(domains, true, false, MOST_OUTPUT_BITS, false, false, POLLS);
  }

  /// {@return these settings with a width of destinations chosen}
  public AmdViSettings withX2apic(boolean wide) {
    return new AmdViSettings(
        domains, remapping, wide, outputBits, cachesAbsent, guestTables, polls);
  }

  /// {@return these settings with a width of physical addresses, at most 52}
  public AmdViSettings withOutputBits(int bits) {
    return new AmdViSettings(
        domains,
        remapping,
        x2apic,
        Math.min(bits, MOST_OUTPUT_BITS),
        cachesAbsent,
        guestTables,
        polls);
  }

  /// {@return these settings with or without remapping of interrupts}
  public AmdViSettings withRemapping(boolean on) {
    return new AmdViSettings(domains, on, x2apic, outputBits, cachesAbsent, guestTables, polls);
  }

  /// {@return these settings with guest page tables or the host's}
  public AmdViSettings withGuestTables(boolean guest) {
    return new AmdViSettings(domains, remapping, x2apic, outputBits, cachesAbsent, guest, polls);
  }

  /// {@return how page tables are written}
  PageFormat format() {
    return guestTables ? PageFormat.GUEST : PageFormat.HOST;
  }
}
