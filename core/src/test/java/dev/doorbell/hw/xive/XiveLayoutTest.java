package dev.doorbell.hw.xive;

import static java.util.Map.entry;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class XiveLayoutTest {
  @Test
  @DisplayName("XIVE: fields and registers are where another publication has them")
  void secondSource() throws IOException {
    LayoutSource layouts = LayoutSource.ofPackage(XiveRegisters.class);
    layouts.agree("qemu-xive.txt");
    layouts.agree("qemu-xive2.txt");
    layouts.complete(List.of("qemu-xive.txt", "qemu-xive2.txt"), without());
  }

  /// What QEMU has no name for, by the reason.
  private static Map<String, String> without() {
    String word = "a whole word, or byte";
    String threads = "one bit a thread, the first the most significant (PPC_BIT in QEMU)";
    String code = "no name in QEMU; driven on QEMU (PowerOnQemuTest)";
    return Map.ofEntries(
        entry("XIVE word.value", word),
        entry("XIVE2 word.value", word),
        entry("QW3 byte.priority", word),
        entry("PC_THREAD_EN.thread 0", threads),
        entry("PC_THREAD_EN.thread 1..63", threads),
        entry("TCTXT_EN.thread 0", threads),
        entry("TCTXT_EN.thread 1..63", threads),
        entry("NVT index.hardware thread", code),
        entry("NVT index.thread", code),
        entry("ACK_HV_REG.CPPR", "NSR and CPPR again, as one load answers both"),
        entry("ACK_HV_REG.HE", "NSR and CPPR again, as one load answers both"),
        entry("ACK_HV_REG.NSR[2:7]", "NSR and CPPR again, as one load answers both"));
  }
}
