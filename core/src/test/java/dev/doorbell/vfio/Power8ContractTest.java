package dev.doorbell.vfio;

import dev.doorbell.firmware.SkibootTrees;
import dev.doorbell.host.HostOptions;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("design 2: the contract of seam A on our own stack on POWER8's bridges")
class Power8ContractTest extends VfioContract {
  @TempDir Path folder;

  @Override
  VfioLab open() {
    return new EmbeddedLab(
        SkibootTrees.read("powernv8", folder),
        EmbeddedLab.Places.onPower("0001:01:00.0", "0002:01:00.0"),
        HostOptions.USUAL);
  }
}
