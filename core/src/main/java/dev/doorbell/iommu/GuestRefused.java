package dev.doorbell.iommu;

import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Source;
import java.util.List;
import java.util.Optional;

/// What a guest wrote for its own IOMMU asks for what is not the guest's, or what the IOMMU below has not. Nothing was written.
public final class GuestRefused extends IommuException {
  private static final long serialVersionUID = 1L;

  /// What limits a guest, and what the monitor does with one that goes beyond.
  ///
  /// @param section of the manual
  public record Rule(String section, String advice) {}

  /// @param iommu its id
  /// @param what of the guest's
  public GuestRefused(String iommu, String what, Rule rule) {
    super(
        new Refusal(
            "GuestRefused",
            "%s refuses a guest's %s".formatted(iommu, what),
            Optional.empty(),
            Optional.empty(),
            List.of(iommu),
            Source.rule(rule.section()),
            rule.advice()));
  }

  /// Refuses bits of a word, if there are any.
  ///
  /// @param bits those of the word that the guest may not set
  /// @param iommu its id
  /// @param what the word is
  /// @param word the guest's
  /// @throws GuestRefused when there are
  public static void ifAny(long bits, String iommu, String what, long word, Rule rule) {
    if (bits != 0) {
      throw new GuestRefused(iommu, "%s is 0x%x, of which 0x%x".formatted(what, word, bits), rule);
    }
  }
}
