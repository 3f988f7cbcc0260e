package dev.doorbell.vfio;

import dev.doorbell.address.AddressRange;
import java.util.List;

/// One region of a function.
///
/// @param bytes its size; 0 when the function has it not
/// @param mappable parts that a user may map directly, by offset: whole pages, without those that hold the MSI-X table
public record RegionInfo(
    RegionType type, long bytes, boolean readable, boolean writable, List<AddressRange> mappable) {
  public RegionInfo {
    mappable = List.copyOf(mappable);
  }
}
