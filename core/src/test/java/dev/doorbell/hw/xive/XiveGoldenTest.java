package dev.doorbell.hw.xive;

import dev.doorbell.address.Pa;
import dev.doorbell.bits.Layout;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import dev.doorbell.testkit.Golden;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What the driver leaves in memory for two threads, one source assigned to each, and one that was and is silent.
///
/// The golden texts were compared by hand with skiboot 7.1 `hw/xive.c` (`xive_init_default_vp`, `xive_setup_eq`, `xive_set_eq_info`) and `hw/xive2.c` (the
/// same of NVP and END), and with QEMU 10.0 `include/hw/ppc/xive_regs.h` and `xive2_regs.h`; words that skiboot and Linux themselves wrote are compared by
/// {@link XiveLinuxTablesTest}.
@DisplayName("XIVE and XIVE2: tables in memory, as the driver leaves them")
class XiveGoldenTest {
  private static final int FIRST = 0x10;

  private final PlainMemory memory = new PlainMemory(0x1000_0000L, 0x10_0000);
  private final CountedFrames frames = new CountedFrames(memory, 0x1000_0000L, 0x10_0000);
  private final StringBuilder text = new StringBuilder();

  @ParameterizedTest
  @EnumSource(XiveGeneration.class)
  @DisplayName("EAS, END and NVT or NVP, word by word")
  void tables(XiveGeneration generation) throws IOException {
    XiveEventModel model =
        generation == XiveGeneration.FIRST ? new XiveModel(memory) : new Xive2Model(memory);
    XiveDriver driver =
        XiveDriver.open(
            new XiveHardware(
                "xive",
                generation,
                new ModelRegisters(model),
                new Pa(0x6_0000_0000L),
                memory,
                frames,
                List.of(0, 5),
                List.of(new XiveHardware.Sources(FIRST, 16))));
    driver.route(FIRST, 0);
    driver.route(FIRST + 1, 1);
    driver.route(FIRST + 2, 1);
    driver.silence(FIRST + 2);
    for (Map.Entry<String, Long> table : new TreeMap<>(driver.tables()).entrySet()) {
      long vsd = table.getValue();
      text.append("%s 0x%x%s%n".formatted(table.getKey(), vsd, told(VsdLayout.LAYOUT, vsd)));
      words(table.getKey(), vsd, generation);
    }
    Golden.check(
        "xive/%s.txt".formatted(generation == XiveGeneration.FIRST ? "power9" : "power10"),
        text.toString());
  }

  private void words(String table, long vsd, XiveGeneration generation) {
    boolean eat = table.startsWith("EAT");
    int entry =
        eat
            ? EasLayout.BYTES
            : table.startsWith("ENDT") ? EndLayout.BYTES : generation.targetBytes();
    int step = eat ? Long.BYTES : Integer.BYTES;
    for (long at = 0; at < VsdLayout.bytes(vsd); at += step) {
      long pa = VsdLayout.ADDRESS.get(vsd) + at;
      long word =
          eat
              ? EasLayout.swapped(memory.read64(pa))
              : EndLayout.swapped(Integer.toUnsignedLong(memory.read32(pa)));
      if (word != 0) {
        text.append(
            "%s 0x%x word %d: 0x%0{w}x%s%n"
                .replace("{w}", Integer.toString(2 * step))
                .formatted(
                    table,
                    at / entry,
                    at % entry / step,
                    word,
                    eat
                        ? told(EasLayout.LAYOUT, word)
                        : head(table, generation, at % entry, word)));
      }
    }
  }

  private static String head(String table, XiveGeneration generation, long in, long word) {
    Optional<Layout> layout =
        in != 0
            ? Optional.empty()
            : Optional.of(table.startsWith("ENDT") ? generation.head() : NvtLayout.W0_LAYOUT);
    return layout.map(l -> told(l, word)).orElse("");
  }

  private static String told(Layout layout, long value) {
    return layout.decode(value).stream()
        .filter(d -> d.raw() != 0)
        .map(d -> " " + d)
        .collect(Collectors.joining());
  }
}
