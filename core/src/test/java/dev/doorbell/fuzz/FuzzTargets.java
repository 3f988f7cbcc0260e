package dev.doorbell.fuzz;

import dev.doorbell.hw.gicits.ItsFuzz;
import dev.doorbell.hw.smmuv2.SmmuV2Fuzz;
import dev.doorbell.hw.smmuv3.SmmuFuzz;
import java.util.Map;
import java.util.TreeMap;

/// Every target by its name, which is that of its corpus.
public final class FuzzTargets {
  /// Takes any bytes; what it throws is a finding.
  @FunctionalInterface
  public interface Target {
    void run(byte[] input) throws Exception;
  }

  private FuzzTargets() {}

  public static Map<String, Target> all() {
    Map<String, Target> out = new TreeMap<>();
    for (String table : FirmwareFuzz.TABLES) {
      out.put("acpi-" + table, input -> FirmwareFuzz.table(table, input));
    }
    out.put("device-tree", FirmwareFuzz::tree);
    out.put("lspci", FirmwareFuzz::lspci);
    out.put("config-space", FirmwareFuzz::config);
    out.put("kernel-texts", FirmwareFuzz::texts);
    out.put("smmuv3", SmmuFuzz::run);
    out.put("smmuv2", SmmuV2Fuzz::run);
    out.put("its", ItsFuzz::run);
    return out;
  }
}
