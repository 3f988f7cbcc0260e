package dev.doorbell.linux;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.DoorbellFrame;
import dev.doorbell.iommu.MsiWindow;
import dev.doorbell.iommu.MsiWindowExhausted;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.MsiWindowNeed;
import dev.doorbell.vfio.WindowFixedByKernel;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// The kernel's MSI window: what it is needed for, and whether it is enough. The kernel takes places from its start on without looking for
/// its end.
///
/// **Source**: Linux `drivers/iommu/dma-iommu.c` (`iommu_dma_get_msi_page`)
final class KernelWindow {
  private KernelWindow() {}

  /// {@return what functions need, by the doorbells that are known of them}
  static MsiWindowNeed need(
      Collection<Sbdf> functions, Function<Sbdf, List<DoorbellFrame>> known, Granule granule) {
    Map<Long, String> pages = new LinkedHashMap<>();
    Map<String, DoorbellFrame> frames = new LinkedHashMap<>();
    for (Sbdf f : functions) {
      for (DoorbellFrame d : known.apply(f)) {
        pages.putIfAbsent(granule.alignDown(d.doorbell().value()), d.name());
        frames.putIfAbsent(d.name(), d);
      }
    }
    List<String> exposing =
        frames.values().stream()
            .filter(d ->
                !d.frame()
                    .contains(
                        AddressRange.ofSize(
                            granule.alignDown(d.doorbell().value()), granule.bytes())))
            .map(DoorbellFrame::name)
            .toList();
    return new MsiWindowNeed(
        List.copyOf(frames.keySet()),
        pages.size(),
        pages.size() * granule.bytes(),
        granule.shift(),
        exposing);
  }

  /// @throws MsiWindowExhausted when a window has fewer pages than are needed
  static void require(String container, AddressRange window, MsiWindowNeed need, Granule granule) {
    long slots = window.bytes() / granule.bytes();
    if (need.pages() > slots) {
      throw MsiWindowExhausted.tooSmall(
          container, new MsiWindow(window, granule, slots, 0), need.doorbells());
    }
  }

  /// {@return the refusal of a window of the user's own}
  ///
  /// @param kernels the one that the groups of a container have
  /// @param known whether there are groups: without, the kernel's usual one is told
  static WindowFixedByKernel fixed(
      AddressRange asked, Optional<AddressRange> kernels, boolean known) {
    if (known && kernels.isEmpty()) {
      return WindowFixedByKernel.needless(
          asked, Source.file("sys/kernel/iommu_groups/*/reserved_regions"));
    }
    return new WindowFixedByKernel(
        asked,
        kernels.orElse(HostFiles.SW_MSI),
        Source.rule("Linux MSI_IOVA_BASE, MSI_IOVA_LENGTH"));
  }
}
