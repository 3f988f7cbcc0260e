package dev.doorbell.irq;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class EventPagesLayoutTest {
  @Test
  @DisplayName("pages of event sources, and entries of queues, are as another publication has them")
  void secondSource() throws IOException {
    LayoutSource layouts =
        LayoutSource.ofPackage(EsbRegisters.class, X86CommandLayout.class, X86MessageLayout.class);
    layouts.agree("qemu-esb.txt");
    layouts.complete(
        List.of("qemu-esb.txt"),
        Map.ofEntries(
            Map.entry("XIVE trigger.block", "no name in QEMU; driven on QEMU (PowerOnQemuTest)"),
            Map.entry("XIVE trigger.index", "no name in QEMU; driven on QEMU (PowerOnQemuTest)"),
            Map.entry("interrupt number.block", "skiboot alone (GIRQ_TO_BLK)"),
            Map.entry("interrupt number.index", "skiboot alone (GIRQ_TO_IDX)")));
  }
}
