package dev.doorbell.hw.xive;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class XiveLayoutTest {
  @Test
  @DisplayName("XIVE: fields and registers are where another publication has them")
  void secondSource() throws IOException {
    LayoutSource layouts = LayoutSource.ofPackage(XiveRegisters.class);
    layouts.agree("qemu-xive.txt");
    layouts.agree("qemu-xive2.txt");
  }
}
