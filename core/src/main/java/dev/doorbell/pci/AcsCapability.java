package dev.doorbell.pci;

import java.util.EnumSet;
import java.util.Set;

/// What a function's Access Control Services can do and which are on.
///
/// @param offset of its header
/// @param capable services that the function implements and software switches
/// @param enabled services that are on
public record AcsCapability(int offset, Set<AcsService> capable, Set<AcsService> enabled) {
  public AcsCapability {
    capable = Set.copyOf(capable);
    enabled = Set.copyOf(enabled);
  }

  /// {@return the capability whose header lies at an offset}
  public static AcsCapability at(ConfigSpace config, int offset) {
    ConfigAccess at = new ConfigAccess(config, offset);
    Set<AcsService> capable = EnumSet.noneOf(AcsService.class);
    Set<AcsService> enabled = EnumSet.noneOf(AcsService.class);
    for (AcsService s : AcsService.values()) {
      if (at.isSet(ExtendedLayout.ACS_CAPABILITY, s.capability())) {
        capable.add(s);
      }
      if (at.isSet(ExtendedLayout.ACS_CONTROL, s.control())) {
        enabled.add(s);
      }
    }
    return new AcsCapability(offset, capable, enabled);
  }
}
