package dev.doorbell.hw.gicv3;

import static dev.doorbell.hw.gicv3.GicrRegisters.*;

import dev.doorbell.explain.Source;
import dev.doorbell.irq.MsiControllerFailed;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/// Finds each CPU's Redistributor by the affinity in GICR_TYPER.
record RedistributorSearch(GicV3Hardware hardware) {
  private record Found(GicV3Hardware.Region region, long at, long typer) {}

  /// {@return one driver a CPU, in the CPUs' order}
  ///
  /// @param pendingTable gives a pending table
  /// @throws MsiControllerFailed when a CPU has none
  List<GicrDriver> find(LongSupplier pendingTable) {
    Map<Long, Found> byAffinity = new HashMap<>();
    for (GicV3Hardware.Region region : hardware.redistributors()) {
      walk(region, byAffinity);
    }
    List<GicrDriver> drivers = new ArrayList<>();
    for (int cpu = 0; cpu < hardware.mpidrs().size(); cpu++) {
      Found found = byAffinity.get(affinityValue(hardware.mpidrs().get(cpu)));
      if (found == null) {
        throw new MsiControllerFailed(
            hardware.id(),
            "has no redistributor for CPU %d of affinity 0x%x; there are %d others"
                .formatted(cpu, hardware.mpidrs().get(cpu), byAffinity.size()),
            Source.rule("GICR_TYPER.Affinity_Value"));
      }
      drivers.add(driver(found, pendingTable.getAsLong()));
    }
    return drivers;
  }

  private GicrDriver driver(Found found, long pendingTable) {
    if (!PLPIS.isSet(found.typer())) {
      throw new MsiControllerFailed(
          hardware.id(),
          "has a redistributor at 0x%x without LPIs".formatted(found.region().start() + found.at()),
          Source.rule("GICR_TYPER.PLPIS"));
    }
    return new GicrDriver(
        hardware.id(),
        found.region().bus(),
        found.at(),
        found.region().start() + found.at(),
        found.typer(),
        pendingTable);
  }

  private static void walk(GicV3Hardware.Region region, Map<Long, Found> byAffinity) {
    long typer = 0;
    for (long at = 0; at + BYTES <= region.bytes() && !LAST.isSet(typer); ) {
      typer = region.bus().read64(at + TYPER.offset());
      byAffinity.putIfAbsent(AFFINITY_VALUE.get(typer), new Found(region, at, typer));
      at += VLPIS.isSet(typer) ? BYTES_V4 : BYTES;
    }
  }
}
