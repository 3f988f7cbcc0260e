package dev.doorbell.hw.lapic;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "Intel SDM volume 3, 11.4 and 11.12: the local APIC's registers against another publication")
class LapicSecondSourceTest {
  private static final String TABLE = "lapic-linux.txt";
  private static final String WHOLE = "Linux reads and writes it as one number";
  private static final String NEWER = "Linux does not name it";

  private static LayoutSource declared() throws IOException {
    return LayoutSource.ofPackage(LapicRegisters.class);
  }

  @Test
  @DisplayName("each row of the other publication's table is declared so")
  void agree() throws IOException {
    declared().agree(TABLE);
  }

  @Test
  @DisplayName("each field and each register's offset has a row, or is named as one without")
  void complete() throws IOException {
    declared()
        .complete(
            List.of(TABLE),
            Map.ofEntries(
                Map.entry("IA32_APIC_BASE.APIC Base", WHOLE),
                Map.entry("TPR, APR, PPR.class", WHOLE),
                Map.entry("TPR, APR, PPR.sub-class", WHOLE),
                Map.entry("message destination address.cluster", WHOLE),
                Map.entry("message destination address.members", WHOLE),
                Map.entry("x2APIC ID.x2APIC ID", WHOLE),
                Map.entry("x2APIC LDR.cluster", WHOLE),
                Map.entry("x2APIC LDR.logical id in the cluster", WHOLE),
                Map.entry("x2APIC ICR.command", WHOLE),
                Map.entry("x2APIC ICR.Destination", WHOLE),
                Map.entry("Version.EOI-broadcast suppression", NEWER),
                Map.entry("SVR.EOI-Broadcast Suppression", NEWER),
                Map.entry("LVT.Timer Mode", "Linux names its lower bit alone")));
  }
}
