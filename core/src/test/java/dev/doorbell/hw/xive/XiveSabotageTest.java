package dev.doorbell.hw.xive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.irq.XiveEventLayout;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName("What an XIVE has kept shows which register a driver does not write")
class XiveSabotageTest {
  private static final int FIRST = 0x10;
  private static final int COUNT = 16;

  private final PlainMemory memory = new PlainMemory(0x1000_0000L, 0x10_0000);
  private final CountedFrames frames = new CountedFrames(memory, 0x1000_0000L, 0x10_0000);
  private long leftOut = -1;

  private final class Lossy implements RegisterBus {
    private final RegisterBus bus;

    Lossy(RegisterBus bus) {
      this.bus = bus;
    }

    @Override
    public long read(long offset, int bytes) {
      return bus.read(offset, bytes);
    }

    @Override
    public void write(long offset, long value, int bytes) {
      if (offset != leftOut) {
        bus.write(offset, value, bytes);
      }
    }
  }

  private static XiveEventModel model(XiveGeneration generation, PlainMemory memory) {
    return generation == XiveGeneration.FIRST ? new XiveModel(memory) : new Xive2Model(memory);
  }

  private XiveHardware hardware(XiveGeneration generation, RegisterBus registers) {
    return new XiveHardware(
        "xive",
        generation,
        registers,
        new Pa(0x6_0000_0000L),
        memory,
        frames,
        List.of(0, 1),
        List.of(new XiveHardware.Sources(FIRST, COUNT)));
  }

  private List<String> moved(XiveGeneration generation, long lost) {
    XiveEventModel model = model(generation, memory);
    XiveDriver driver = XiveDriver.open(hardware(generation, new Lossy(new ModelRegisters(model))));
    driver.route(FIRST, 0);
    assertEquals(List.of("0@0"), event(driver, model));
    leftOut = lost;
    driver.route(FIRST, 1);
    return event(driver, model);
  }

  private static List<String> event(XiveDriver driver, XiveEventModel model) {
    trigger(driver, model);
    return collected(driver);
  }

  private static void trigger(XiveDriver driver, XiveEventModel model) {
    long port = driver.notifyPort() - driver.base();
    model.write(port, XiveEventLayout.trigger(0, FIRST), Long.BYTES, SystemBus.CPU);
  }

  private static List<String> collected(XiveDriver driver) {
    List<String> out = new ArrayList<>();
    driver.collect(FIRST, FIRST + COUNT - 1, (n, cpu) -> out.add(n - FIRST + "@" + cpu));
    return out;
  }

  @ParameterizedTest
  @DisplayName("the scrub of an assignment: without it events go where they went before")
  @CsvSource({
    "FIRST, 0x990, true",
    "FIRST, 0x998, false",
    "FIRST, 0x910, false",
    "SECOND, 0x10308, true",
    "SECOND, 0x10300, false",
    "SECOND, 0x18, false"
  })
  void scrub(XiveGeneration generation, String lost, boolean culprit) {
    List<String> seen = moved(generation, Long.decode(lost));
    if (culprit) {
      assertNotEquals(List.of("0@1"), seen);
    } else {
      assertEquals(List.of("0@1"), seen);
    }
  }

  @ParameterizedTest
  @EnumSource
  @DisplayName(
      "a thread that is let take part is told of each event, of the second as of the first")
  void told(XiveGeneration generation) {
    XiveEventModel model = model(generation, memory);
    XiveHardware hardware = hardware(generation, new ModelRegisters(model));
    XiveDriver driver = XiveDriver.open(hardware);
    XivePort port = XivePort.of(hardware);
    driver.route(FIRST, 1);
    for (int i = 0; i < 2; i++) {
      assertEquals(0, port.read(1, TimaRegisters.NSR));
      trigger(driver, model);
      assertEquals(
          TimaRegisters.HE.place(TimaRegisters.PHYS),
          port.read(1, TimaRegisters.NSR),
          "event " + i);
      assertEquals(0, port.read(0, TimaRegisters.NSR), "another thread");
      assertEquals(List.of("0@1"), collected(driver));
    }
  }
}
