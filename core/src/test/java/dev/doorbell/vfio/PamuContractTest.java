package dev.doorbell.vfio;

import dev.doorbell.host.HostOptions;
import dev.doorbell.pci.Sbdf;
import java.util.List;
import org.junit.jupiter.api.DisplayName;

@DisplayName("design 2: the contract of seam A on our own stack on a PAMU and banks of an MPIC")
class PamuContractTest extends VfioContract {
  /// A controller's functions are one group: no two of these are used together.
  private static final EmbeddedLab.Places PLACES =
      new EmbeddedLab.Places(
          List.of(
              Sbdf.parse("0000:00:01.0"), Sbdf.parse("0001:00:01.0"), Sbdf.parse("0002:00:01.0")),
          Sbdf.parse("0002:00:02.0"),
          Sbdf.parse("0003:00:01.0"));

  @Override
  VfioLab open() {
    return EmbeddedLab.ofCapture(
        "captures/powerpc/dt-t4240rdb", PLACES, HostOptions.USUAL, EmbeddedLab.Messages.FORGEABLE);
  }
}
