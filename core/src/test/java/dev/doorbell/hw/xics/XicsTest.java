package dev.doorbell.hw.xics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.RegisterBus;
import dev.doorbell.hw.LayoutSource;
import dev.doorbell.simple.ModelRegisters;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("XICS: presentation controllers, driver and model")
class XicsTest {
  private static final int FIRST = 0x1000;
  private static final int COUNT = 64;

  private final XicsModel model = new XicsModel(List.of(8, 16));
  private final ModelRegisters page = new ModelRegisters(model.page(0));

  private XicsDriver driver() {
    return XicsDriver.open(
        new XicsHardware(
            "xics",
            List.of(
                new XicsHardware.Server(8, page),
                new XicsHardware.Server(16, new ModelRegisters(model.page(1)))),
            List.of(new XicsHardware.Sources(FIRST, COUNT))));
  }

  private static List<String> collected(XicsDriver driver) {
    List<String> out = new ArrayList<>();
    driver.collect(FIRST, FIRST + COUNT - 1, (n, cpu) -> out.add(n - FIRST + "@" + cpu));
    return out;
  }

  @Test
  @DisplayName("fields and registers are where another publication has them, each of them")
  void secondSource() throws IOException {
    LayoutSource layouts = LayoutSource.ofPackage(IcpRegisters.class);
    layouts.agree("qemu-xics.txt");
    layouts.complete(List.of("qemu-xics.txt"), Map.of());
  }

  @Test
  @DisplayName("XIRR: the most favoured is taken first, and nothing less favoured before its end")
  void priorities() {
    assertTrue(model.present(8, 0x10, 5));
    assertEquals(0, page.read32(4), "CPPR 0 lets nothing through");
    page.write32(4, 0xff00_0000);
    assertTrue(model.present(8, 0x11, 3));
    assertTrue(model.present(8, 0x12, 5));
    assertEquals(0xff00_0011, page.read32(0), "XIRR_POLL takes nothing");
    assertEquals(0xff00_0011, page.read32(4));
    assertEquals(0x0300_0000, page.read32(4));
    page.write32(4, 0xff00_0011);
    assertEquals(0xff00_0010, page.read32(4), "the first of one priority");
    page.write32(4, 0xff00_0010);
    assertEquals(0xff00_0012, page.read32(4));
    assertFalse(model.present(9, 0x13, 5), "there is no such server");
  }

  @Test
  @DisplayName(
      "what is presented for ever is taken once for each source at most, and the same one waits once")
  void endless() {
    XicsDriver endless =
        XicsDriver.open(
            new XicsHardware(
                "xics",
                List.of(new XicsHardware.Server(8, new Presenting(FIRST + 3))),
                List.of(new XicsHardware.Sources(FIRST, COUNT))));
    assertEquals(List.of("3@0"), collected(endless));
    XicsDriver driver = driver();
    for (int i = 0; i < 3; i++) {
      assertTrue(model.present(8, FIRST + 7, 5));
    }
    page.write32(4, 0xff00_0000);
    assertEquals(0xff00_0000 | FIRST + 7, page.read32(4));
    page.write32(4, 0xff00_0000 | FIRST + 7);
    assertEquals(0xff00_0000, page.read32(0), "no second one");
    assertEquals(List.of(), collected(driver));
  }

  /// A controller that presents one interrupt whatever is ended.
  private record Presenting(int number) implements RegisterBus {
    @Override
    public long read(long offset, int bytes) {
      return 0xff00_0000L | number;
    }

    @Override
    public void write(long offset, long value, int bytes) {}
  }

  @Test
  @DisplayName(
      "MFRR: a processor's request comes at its priority until it is cleared, which the driver does, and hides nobody's interrupt")
  void requests() {
    page.write(0xc, 4, 1);
    XicsDriver driver = driver();
    assertEquals(0xff, page.read(0xc, 1), "cleared at the start");
    page.write(0xc, 4, 1);
    assertTrue(model.present(8, FIRST + 1, 5));
    assertEquals(0xff00_0002, page.read32(4), "the request is more favoured");
    assertEquals(0x0400_0000, page.read32(0), "at its priority nothing less favoured comes");
    page.write32(4, 0xff00_0002);
    assertEquals(0xff00_0002, page.read32(0), "it is not cleared by its end");
    assertEquals(List.of("1@0"), collected(driver));
    assertEquals(0xff00_0000, page.read32(0));
    page.write(0xc, 5, 1);
    assertTrue(model.present(8, FIRST + 2, 5));
    assertEquals(0xff00_0000 | FIRST + 2, page.read32(0), "of one priority a source comes first");
  }

  @Test
  @DisplayName("more than ever waited before arrive all, each at the CPU of its server")
  void many() {
    XicsDriver driver = driver();
    for (int i = 0; i < COUNT; i++) {
      assertTrue(model.present(driver.server(i % 2), FIRST + i, 5));
    }
    assertTrue(model.present(8, 0x5, 5), "no source of ours");
    List<String> arrived = collected(driver);
    assertEquals(COUNT, arrived.size());
    for (int i = 0; i < COUNT; i++) {
      assertEquals(i + "@" + i % 2, arrived.get(i));
    }
    assertEquals(List.of(), collected(driver));
  }

  @Test
  @DisplayName(
      "one that has arrived moves along with its route, and is dropped when it is silenced")
  void routes() {
    XicsDriver driver = driver();
    assertTrue(model.present(8, FIRST, 5));
    driver.route(FIRST, 1);
    assertEquals(List.of("0@1"), collected(driver));
    assertTrue(model.present(8, FIRST, 5));
    driver.silence(FIRST);
    assertEquals(List.of(), collected(driver));
    assertThrows(IllegalArgumentException.class, () -> driver.route(FIRST, 2));
    assertThrows(IllegalArgumentException.class, () -> driver.silence(FIRST + COUNT));
  }
}
