package dev.doorbell.fuzz;

import dev.doorbell.capture.CaptureFuzz;
import dev.doorbell.hw.ControllersFuzz;
import dev.doorbell.hw.amdvi.AmdViFuzz;
import dev.doorbell.hw.aplic.AplicFuzz;
import dev.doorbell.hw.gicits.ItsFuzz;
import dev.doorbell.hw.pamu.PamuFuzz;
import dev.doorbell.hw.papr.PaprFuzz;
import dev.doorbell.hw.papr.PaprXiveFuzz;
import dev.doorbell.hw.phb.PhbFuzz;
import dev.doorbell.hw.riscviommu.RiscvIommuFuzz;
import dev.doorbell.hw.smmuv2.SmmuV2Fuzz;
import dev.doorbell.hw.smmuv3.SmmuFuzz;
import dev.doorbell.hw.vtd.VtdFuzz;
import dev.doorbell.hw.xics.XicsFuzz;
import dev.doorbell.hw.xive.XiveFuzz;
import dev.doorbell.testkit.Corpus;
import dev.doorbell.vfio.GuestConfigFuzz;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// Every target by its name, which is that of its corpus.
public final class FuzzTargets {
  /// Targets that are classes of tests of other modules.
  static final Set<String> OF_OTHER_MODULES =
      Set.of("arguments", "diff-script", "gdb-answers", "linux-texts", "trace-state", "vm-image");

  private FuzzTargets() {}

  public static Map<String, Corpus.Target> all() {
    Map<String, Corpus.Target> out = new TreeMap<>();
    for (String table : FirmwareFuzz.TABLES) {
      out.put("acpi-" + table, input -> FirmwareFuzz.table(table, input));
    }
    out.put("acpi-dump", FirmwareFuzz::dump);
    out.put("doctor-texts", FirmwareFuzz::asked);
    out.put("device-tree", FirmwareFuzz::tree);
    out.put("lspci", FirmwareFuzz::lspci);
    out.put("config-space", FirmwareFuzz::config);
    out.put("kernel-texts", FirmwareFuzz::texts);
    out.put("sysroot", FirmwareFuzz::sysroot);
    out.put("scrub", CaptureFuzz::run);
    out.put("interrupt-controllers", ControllersFuzz::run);
    out.put("guest-config", GuestConfigFuzz::run);
    out.put("smmuv3", SmmuFuzz::run);
    out.put("smmuv2", SmmuV2Fuzz::run);
    out.put("its", ItsFuzz::run);
    out.put("riscv-iommu", RiscvIommuFuzz::run);
    out.put("aplic", AplicFuzz::run);
    out.put("vtd", VtdFuzz::run);
    out.put("amdvi", AmdViFuzz::run);
    out.put("pamu", PamuFuzz::run);
    out.put("papr", PaprFuzz::run);
    out.put("papr-xive", PaprXiveFuzz::run);
    out.put("phb", PhbFuzz::run);
    out.put("xics", XicsFuzz::run);
    out.put("xive", XiveFuzz::run);
    return out;
  }
}
