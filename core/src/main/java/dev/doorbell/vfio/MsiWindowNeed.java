package dev.doorbell.vfio;

import java.util.List;

/// The MSI window that a container needs, known before any memory is mapped.
///
/// @param doorbells names of the MSI controllers whose doorbells must be mapped, those that share a page included
/// @param pages distinct pages
/// @param bytes the least size of the window: pages × granule, or more where an IOMMU has few windows of one size and each page takes one (Freescale PAMU):
///     then in the window that is registered, or where Linux would have one, beside the memory that is mapped now
/// @param alignmentOrder log2 of what its start must be a multiple of, in bytes
/// @param exposing names of those whose page reaches beyond their frame, so that a device could write to their neighbours
public record MsiWindowNeed(
    List<String> doorbells, int pages, long bytes, int alignmentOrder, List<String> exposing) {
  public MsiWindowNeed {
    doorbells = List.copyOf(doorbells);
    exposing = List.copyOf(exposing);
  }
}
