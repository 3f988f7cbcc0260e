package dev.doorbell.doctor;

import dev.doorbell.description.Arch;
import dev.doorbell.description.FirmwareKind;
import dev.doorbell.description.HostBridge;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Source;
import dev.doorbell.firmware.DmarLayout;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// Whether firmware describes an IOMMU, and PCI behind it.
final class FirmwareChecks implements Checks {
  private static final String ID = "firmware.iommu";
  private static final int INTEL = 0x8086;
  private static final int AMD = 0x1022;

  /// What the firmware reader names when one of the tables that tell of IOMMUs cannot be read.
  private static final Set<String> HIDDEN =
      Set.of("table IORT", "table VIOT", "id mappings", "virtio-iommus", "the device tree");

  @Override
  public void check(Evidence e, Chart chart) {
    if (e.iommuRuns().orElse(false)) {
      chart.fine(ID, "firmware describes " + what(e), where(e));
      dmar(e, chart);
      return;
    }
    Optional<Finding> damage = damage(e);
    MachineDescription m = e.machine();
    boolean nothing = m.firmware() == FirmwareKind.NONE && !e.tables().seen();
    if (nothing) {
      unseen(e, chart);
    } else if (e.isX86() || m.arch() == Arch.UNKNOWN) {
      x86(e, chart);
    } else if (damage.isPresent() && m.iommus().isEmpty()) {
      chart.unseen(
          ID,
          "whether firmware describes an IOMMU: " + damage.get().message(),
          damage.get().source(),
          damage.get().cure().orElse(""));
    } else if (m.arch() == Arch.ARM64 && m.firmware() != FirmwareKind.NONE) {
      arm(e, chart);
    } else if (m.arch() == Arch.ARM64) {
      logged(e, chart);
    } else if (m.iommus().isEmpty()) {
      chart.unseen(
          ID,
          "IOMMUs of this kind of machine are not read from its firmware; what its kernel made of them, sys/kernel/iommu_groups would tell",
          Source.file("sys/kernel/iommu_groups"),
          Evidence.give("sys/kernel/iommu_groups"));
    } else {
      chart.fine(ID, "firmware describes " + what(e), where(e));
    }
  }

  /// Lines that the kernel prints only where firmware has the table. A log whose begin is lost may hold them.
  private static final Map<String, String> NAMED_IN_LOG =
      Map.of(
          "DMAR: DRHD base", "Intel VT-d (DMAR)",
          "DMAR: No ATSR found", "Intel VT-d (DMAR)",
          "due to platform opt in", "Intel VT-d (DMAR)",
          "AMD-Vi: Found IOMMU", "AMD-Vi (IVRS)");

  private static void unseen(Evidence e, Chart chart) {
    for (Map.Entry<String, String> line : new TreeMap<>(NAMED_IN_LOG).entrySet()) {
      Optional<BootLog.Hit> hit = e.log().first(line.getKey());
      if (hit.isPresent()) {
        chart.fine(
            ID,
            "firmware describes %s: the kernel said: %s"
                .formatted(line.getValue(), IommuChecks.said(hit.get().text())),
            hit.get().source());
        return;
      }
    }
    boolean masked = e.sysroot().isFolder("sys/firmware");
    chart.unseen(
        ID,
        masked
            ? "whether firmware describes an IOMMU: sys/firmware is empty, as containers mask it"
            : "whether firmware describes an IOMMU: there are neither ACPI tables nor a device tree",
        Source.file("sys/firmware"),
        masked
            ? "run doctor on the host, or in a container started with --security-opt systempaths=unconfined"
            : Evidence.give("sys/firmware"));
  }

  private static void x86(Evidence e, Chart chart) {
    if (e.tables().has("DMAR") || e.tables().has("IVRS")) {
      chart.fine(ID, "firmware describes " + what(e), where(e));
      dmar(e, chart);
    } else if (e.machine().iommus().isEmpty()) {
      chart.blocks(
          ID,
          "firmware describes no IOMMU: there is neither DMAR (Intel VT-d) nor IVRS (AMD-Vi) nor VIOT among its tables",
          e.tables().source(),
          cure(e, turnOn(e)));
    } else {
      chart.fine(ID, "firmware describes " + what(e), where(e));
    }
  }

  /// The tables themselves are not there, and the kernel named them while it started.
  private static void logged(Evidence e, Chart chart) {
    if (e.tables().has("IORT") || e.tables().has("VIOT")) {
      chart.unseen(
          ID,
          "which IOMMUs firmware describes: the log names an IORT or VIOT, which is not to be seen",
          e.tables().source(),
          e.asRoot("without privilege firmware's tables cannot be read"));
    } else {
      chart.blocks(
          ID,
          "firmware has no IORT: no IOMMU and no id mapping is described",
          e.tables().source(),
          cure(e, "turn the SMMU on in the firmware's setup, or update the firmware"));
    }
  }

  private static void dmar(Evidence e, Chart chart) {
    if (e.tables().has("DMAR") && e.tables().dmarFlags().isEmpty() && !e.tables().logged()) {
      chart.unseen(
          "firmware.dmar-flags",
          "whether firmware offers interrupt remapping: the DMAR is there and could not be read",
          e.tables().source("DMAR"),
          e.asRoot("without privilege firmware's tables cannot be read"));
    }
    long flags = e.tables().dmarFlags().orElse(0);
    if (DmarLayout.X2APIC_OPT_OUT.isSet(flags)) {
      chart.warns(
          "firmware.x2apic",
          "firmware asks the kernel to stay out of x2APIC mode (DMAR flag X2APIC_OPT_OUT): only APIC ids below 255 can take interrupts",
          Source.at(e.tables().source("DMAR").where(), DmarLayout.FLAGS_AT),
          "turn x2APIC on in the firmware's setup, or boot with intremap=no_x2apic_optout");
    }
  }

  private static void arm(Evidence e, Chart chart) {
    MachineDescription m = e.machine();
    boolean acpi = m.firmware() == FirmwareKind.ACPI;
    if (acpi && !e.tables().has("IORT") && m.iommus().isEmpty()) {
      chart.blocks(
          ID,
          "firmware has no IORT: no IOMMU and no id mapping is described",
          e.tables().source(),
          cure(e, "turn the SMMU on in the firmware's setup, or update the firmware"));
    } else if (m.iommus().isEmpty() && !disabled(e).isEmpty()) {
      disabled(e, chart);
    } else if (m.iommus().isEmpty()) {
      chart.blocks(
          ID,
          acpi
              ? "the IORT describes no SMMU"
              : "the device tree describes no IOMMU that its kernel could put before PCI",
          acpi ? e.tables().source("IORT") : Source.file("sys/firmware/fdt"),
          cure(
              e,
              acpi
                  ? "turn the SMMU on in the firmware's setup, or update the firmware"
                  : "use a device tree with an enabled iommu node and an iommu-map in the host bridge"));
    } else if (!m.hostBridges().isEmpty()
        && m.hostBridges().stream().allMatch(b -> b.streams().isEmpty())) {
      HostBridge first = m.hostBridges().getFirst();
      chart.blocks(
          ID,
          "firmware describes %s, but maps no requester id of a PCI host bridge to it (no %s in %s%s)"
              .formatted(
                  what(e),
                  acpi ? "id mapping" : "iommu-map",
                  first.id(),
                  m.hostBridges().size() == 1
                      ? ""
                      : " and %d more".formatted(m.hostBridges().size() - 1)),
          first.source(),
          "functions of the IOMMU's other clients are not PCI: this board needs firmware that puts an IOMMU before PCI");
    } else {
      chart.fine(ID, "firmware describes " + what(e), where(e));
    }
  }

  /// {@return the device tree's IOMMUs whose nodes are not enabled}
  private static List<String> disabled(Evidence e) {
    return e.machine().unseen().stream()
        .filter(u -> u.what().startsWith("the IOMMU /"))
        .map(u -> u.what().substring("the IOMMU ".length()))
        .toList();
  }

  /// The tree of a running kernel is what its boot loader made of it; of another one nothing is known.
  private static void disabled(Evidence e, Chart chart) {
    String nodes = String.join(", ", disabled(e));
    String cure =
        "enable it in the device tree that the boot loader hands over (status = \"okay\")";
    Source tree = Source.file("sys/firmware/fdt");
    if (e.commandLine().seen()) {
      chart.blocks(ID, "the device tree's IOMMU is not enabled: " + nodes, tree, cure);
    } else {
      chart.unseen(
          ID,
          "whether the device tree's IOMMU is enabled: %s is not in this tree (status), and a boot loader may enable it"
              .formatted(nodes),
          tree,
          cure);
    }
  }

  /// {@return what to do: in a virtual machine something else}
  private static String cure(Evidence e, String onHardware) {
    return Hypervisor.of(e).map(by -> by.cure(e.machine().arch())).orElse(onHardware);
  }

  private static String turnOn(Evidence e) {
    return switch (e.rootVendor()) {
      case INTEL -> "turn on Intel VT-d in the firmware's setup, if processor and chipset have it";
      case AMD -> "turn on AMD's IOMMU (AMD-Vi), beside SVM, in the firmware's setup";
      default ->
          "turn on Intel VT-d, or AMD's IOMMU (AMD-Vi) beside SVM, in the firmware's setup, if processor and chipset have it";
    };
  }

  private static String what(Evidence e) {
    if (e.tables().has("DMAR")) {
      return "Intel VT-d (DMAR)";
    }
    if (e.tables().has("IVRS")) {
      return "AMD-Vi (IVRS)";
    }
    List<String> ids = e.machine().iommus().stream().map(IommuDescription::id).toList();
    return ids.isEmpty() ? "what the kernel uses as IOMMU" : String.join(", ", ids);
  }

  private static Source where(Evidence e) {
    if (!e.machine().iommus().isEmpty()) {
      return e.machine().iommus().getFirst().source();
    }
    return e.tables().has("DMAR")
        ? e.tables().source("DMAR")
        : e.tables().has("IVRS") ? e.tables().source("IVRS") : Source.file("sys/class/iommu");
  }

  /// A table that is there and could not be made out, by privilege or by damage.
  private static Optional<Finding> damage(Evidence e) {
    Optional<Finding> unread =
        e.machine().unseen().stream()
            .filter(u -> HIDDEN.contains(u.what()))
            .map(u ->
                told(
                    u.why(),
                    e.tables().source(),
                    e.asRoot("without privilege firmware's tables cannot be read")))
            .findFirst();
    return unread.or(() ->
        e.machine().oddities().stream()
            .filter(o -> o.message().contains("table is not read"))
            .filter(o -> o.source().where().contains("IORT") || o.source().where().contains("VIOT"))
            .map(o ->
                told(
                    o.message(),
                    o.source(),
                    "take the table again (sudo acpidump -b), or update the firmware that made it"))
            .findFirst());
  }

  private static Finding told(String why, Source source, String cure) {
    return new Finding(ID, Severity.UNSEEN, why, source, Optional.of(cure), List.of());
  }
}
