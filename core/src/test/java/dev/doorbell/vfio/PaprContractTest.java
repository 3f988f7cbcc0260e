package dev.doorbell.vfio;

import dev.doorbell.firmware.PaprTrees;
import dev.doorbell.host.HostOptions;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("design 2: the contract of seam A on our own stack in a guest of a hypervisor (PAPR)")
class PaprContractTest extends VfioContract {
  @TempDir Path folder;

  @Override
  VfioLab open() {
    return new EmbeddedLab(
        PaprTrees.read(folder, 5, 64),
        EmbeddedLab.Places.onPower("0003:00:01.0", "0004:00:01.0"),
        HostOptions.USUAL);
  }
}
