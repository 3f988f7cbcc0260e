package dev.doorbell.host;

import dev.doorbell.address.AddressRange;
import dev.doorbell.explain.Source;
import dev.doorbell.iommu.IommuGroup;
import dev.doorbell.pci.BarDecode;
import dev.doorbell.pci.CapabilityLayout;
import dev.doorbell.pci.ConfigAccess;
import dev.doorbell.pci.ConfigHeaderLayout;
import dev.doorbell.pci.ConfigSpace;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.PcieLayout;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.pci.SriovLayout;
import dev.doorbell.survey.SurveyedFunction;
import dev.doorbell.vfio.HostBar;
import dev.doorbell.vfio.OwnHost;
import dev.doorbell.vfio.OwnStack;
import dev.doorbell.vfio.Vfio;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A host's functions for programs on {@link Vfio}.
///
/// What arrives is handed to those who wait for it, whoever collects it: this, an {@link Assignment}, or {@link Host#poll}.
public final class HostVfio {
  private HostVfio() {}

  /// {@return access to every function of a host that is behind an IOMMU which Doorbell drives; bridges and ports excepted}
  public static Vfio open(Host host) {
    List<dev.doorbell.vfio.HostFunction> functions = new ArrayList<>();
    host.survey().functions().stream()
        .filter(f -> !f.pci().isBridge())
        .forEach(f ->
            host.group(f.sbdf())
                .ifPresent(g -> functions.add(of(host, host.function(f.sbdf()), g))));
    return OwnStack.over(
        new OwnHost(
            "this machine",
            functions,
            host.machine().memory(),
            host.machine().frames(),
            host.interrupts(),
            host.doorbells(),
            pciWindows(host)));
  }

  private static List<AddressRange> pciWindows(Host host) {
    return host.machine().description().hostBridges().stream()
        .flatMap(b -> b.windows().stream())
        .filter(w -> !w.io())
        .map(w -> AddressRange.ofSize(w.pciStart(), w.cpu().bytes()))
        .toList();
  }

  private static dev.doorbell.vfio.HostFunction of(Host host, HostFunction f, IommuGroup group) {
    return new dev.doorbell.vfio.HostFunction(
        f.sbdf(),
        group,
        f.pci().config(),
        bars(host, f),
        f.domain(),
        // No driver of a captured kernel runs here.
        Optional.empty(),
        () -> reset(f.sbdf(), f.pci()));
  }

  /// A VF's BARs are not in its header; its description has what the kernel's `resource` file told.
  private static List<HostBar> bars(Host host, HostFunction f) {
    Optional<Sbdf> pf = f.pci().physicalFunction();
    if (pf.isPresent()) {
      Optional<ConfigAccess> sriov = sriov(host, pf.get());
      return f.surveyed().description().resources().stream()
          .filter(b -> b.index() < 6 && !b.io())
          .map(b ->
              new HostBar(
                  b.index(),
                  b.range().bytes(),
                  sriov.map(s -> type(s, b.index())).orElse(0),
                  host.machine().bar(f.sbdf(), b.index())))
          .toList();
    }
    return BarDecode.size(f.pci().config(), f.sbdf().toString()).bars().stream()
        .filter(b -> b.kind() != BarDecode.Kind.IO && b.bytes().isPresent())
        .map(b ->
            new HostBar(b.index(), b.bytes().getAsLong(), host.machine().bar(f.sbdf(), b.index())))
        .toList();
  }

  private static Optional<ConfigAccess> sriov(Host host, Sbdf pf) {
    return host.survey().functions().stream()
        .map(SurveyedFunction::pci)
        .filter(p -> p.sbdf().equals(pf))
        .flatMap(p -> p.sriov().thing().stream().map(s -> new ConfigAccess(p.config(), s.offset())))
        .findFirst();
  }

  /// {@return bits 3:0 of VF BARn, which say 64-bit and prefetchable}
  private static int type(ConfigAccess sriov, int index) {
    long kept = ConfigHeaderLayout.BAR_TYPE.mask() | ConfigHeaderLayout.BAR_PREFETCHABLE.mask();
    return (int) (sriov.read(SriovLayout.VF_BAR, index) & kept);
  }

  /// Function Level Reset.
  ///
  /// **Source**: PCI Express Base Specification 6.0, 6.6.2. Up to 100 ms may pass there; the machines of seam B are ready at once.
  private static void reset(Sbdf sbdf, PciFunction pci) {
    ConfigSpace config = pci.config();
    ConfigAccess express =
        pci.capabilities()
            .find(CapabilityLayout.PCI_EXPRESS)
            .thing()
            .map(c -> new ConfigAccess(config, c.offset()))
            .filter(c -> c.isSet(PcieLayout.DEVICE_CAPABILITIES, PcieLayout.FLR_CAPABLE))
            .orElseThrow(() ->
                new NotAssignable(
                    sbdf.toString(),
                    "PCI Express capability",
                    "it cannot be reset alone, as it has no Function Level Reset",
                    Source.rule("Device Capabilities of " + sbdf),
                    "do without a reset"));
    express.set(PcieLayout.DEVICE_CONTROL, PcieLayout.INITIATE_FLR, 1);
  }
}
