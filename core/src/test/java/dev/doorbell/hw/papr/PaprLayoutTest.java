package dev.doorbell.hw.papr;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class PaprLayoutTest {
  @Test
  @DisplayName("PAPR: fields are where another publication has them")
  void secondSource() throws IOException {
    LayoutSource layouts = LayoutSource.ofPackage(TceLayout.class);
    layouts.agree("linux-pseries.txt");
    layouts.complete(
        List.of("linux-pseries.txt"),
        Map.of(
            "queue config.generation",
                "no name in Linux 6.12; compared with QEMU (PaprXiveOnQemuTest)",
            "QW1 byte.priority", "a whole byte"));
  }
}
