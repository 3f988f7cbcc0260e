package dev.doorbell.hw.amdvi;

import java.util.EnumSet;
import java.util.Set;

/// How a driver is set up.
///
/// @param domains the DomainIDs shared by all AMD IOMMUs of the machine
/// @param uses what of the IOMMU is used
/// @param outputBits width of a PA
/// @param polls how many reads a wait lasts at most
public record AmdViSettings(AmdViDomains domains, Set<Use> uses, int outputBits, int polls) {
  /// What an IOMMU can be used for, or has to be reckoned with.
  public enum Use {
    /// Interrupts are remapped; else they pass as they are, whoever sends them.
    REMAPPING,
    /// Destinations need 32 bits: interrupt table entries then have 16 bytes.
    X2APIC,
    /// Interrupts are posted to guests where the IOMMU has guest virtual APIC mode: entries then have 16 bytes.
    POSTING,
    /// The IOMMU may cache that something is not present (NpCache of its capability header), so that new mappings are told to it, too.
    CACHES_ABSENT,
    /// Devices are given guest page tables (version 2) of their own, instead of the host's (version 1).
    GUEST_TABLES,
    /// Devices may ask for pages of an address space that they are attached to.
    PAGE_REQUESTS
  }

  private static final int POLLS = 1_000_000;
  private static final int MOST_OUTPUT_BITS = 52;

  public AmdViSettings {
    uses = Set.copyOf(uses);
  }

  /// {@return the usual: interrupts are remapped, page tables the host's, destinations of 8 bits, PAs of 52, a million reads}
  public static AmdViSettings of(AmdViDomains domains) {
    return new AmdViSettings(domains, Set.of(Use.REMAPPING), MOST_OUTPUT_BITS, POLLS);
  }

  /// {@return these settings with something used, or not}
  public AmdViSettings with(Use use, boolean on) {
    EnumSet<Use> next = EnumSet.noneOf(Use.class);
    next.addAll(uses);
    if (on) {
      next.add(use);
    } else {
      next.remove(use);
    }
    return new AmdViSettings(domains, next, outputBits, polls);
  }

  /// {@return these settings with a width of physical addresses, at most 52}
  public AmdViSettings withOutputBits(int bits) {
    return new AmdViSettings(domains, uses, Math.min(bits, MOST_OUTPUT_BITS), polls);
  }

  boolean has(Use use) {
    return uses.contains(use);
  }

  /// {@return how page tables are written}
  PageFormat format() {
    return has(Use.GUEST_TABLES) ? PageFormat.GUEST : PageFormat.HOST;
  }
}
