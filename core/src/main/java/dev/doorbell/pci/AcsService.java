package dev.doorbell.pci;

import dev.doorbell.bits.Field;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/// One Access Control Service.
///
/// **Source**: PCI Express Base 6.0, 6.12.1.
public enum AcsService {
  SV(
      "Source Validation",
      ExtendedLayout.SOURCE_VALIDATION_CAPABLE,
      ExtendedLayout.SOURCE_VALIDATION),
  TB(
      "Translation Blocking",
      ExtendedLayout.TRANSLATION_BLOCKING_CAPABLE,
      ExtendedLayout.TRANSLATION_BLOCKING),
  RR(
      "P2P Request Redirect",
      ExtendedLayout.REQUEST_REDIRECT_CAPABLE,
      ExtendedLayout.REQUEST_REDIRECT),
  CR(
      "P2P Completion Redirect",
      ExtendedLayout.COMPLETION_REDIRECT_CAPABLE,
      ExtendedLayout.COMPLETION_REDIRECT),
  UF(
      "Upstream Forwarding",
      ExtendedLayout.UPSTREAM_FORWARDING_CAPABLE,
      ExtendedLayout.UPSTREAM_FORWARDING),
  EC("P2P Egress Control", ExtendedLayout.EGRESS_CONTROL_CAPABLE, ExtendedLayout.EGRESS_CONTROL),
  DT(
      "Direct Translated P2P",
      ExtendedLayout.DIRECT_TRANSLATED_CAPABLE,
      ExtendedLayout.DIRECT_TRANSLATED);

  /// What isolation of functions needs: the flags that Linux asks for.
  public static final Set<AcsService> ISOLATION =
      Collections.unmodifiableSet(EnumSet.of(SV, RR, CR, UF));

  private final String words;
  private final transient Field capability;
  private final transient Field control;

  AcsService(String words, Field capability, Field control) {
    this.words = words;
    this.capability = capability;
    this.control = control;
  }

  public String words() {
    return words;
  }

  /// {@return its bit in the ACS Capability register}
  public Field capability() {
    return capability;
  }

  /// {@return its bit in the ACS Control register}
  public Field control() {
    return control;
  }
}
