package dev.doorbell.hw.xive;

import dev.doorbell.hw.LayoutSource;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class XiveLayoutTest {
  @Test
  @DisplayName("XIVE: fields and registers are where another publication has them")
  void secondSource() throws IOException {
    LayoutSource.check(
        XiveLayoutTest.class,
        "qemu-xive.txt",
        List.of(
            XiveRegisters.INDIR_LAYOUT,
            XiveRegisters.VST_LAYOUT,
            XiveRegisters.SCRUB_LAYOUT,
            VsdLayout.LAYOUT,
            EasLayout.LAYOUT,
            EndLayout.W0_LAYOUT,
            EndLayout.W1_LAYOUT,
            EndLayout.W2_LAYOUT,
            EndLayout.W3_LAYOUT,
            EndLayout.W6_LAYOUT,
            EndLayout.W7_LAYOUT,
            NvtLayout.W0_LAYOUT,
            TimaRegisters.NSR_LAYOUT,
            TimaRegisters.VALID_LAYOUT),
        List.of(XiveRegisters.MAP, TimaRegisters.MAP));
  }
}
