package dev.doorbell.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.description.HostBridge;
import dev.doorbell.explain.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("the root complex's way inwards: where an IOMMU has no memory, but takes messages")
class RequesterRoutesTest {
  private static final int STREAM = 0x108;
  private static final Source RULE = Source.rule("test");

  private final List<String> seen = new ArrayList<>();
  private final SystemBus bus =
      new SystemBus() {
        @Override
        public BusOutcome write(long pa, long value, int bytes, int requester) {
          throw new AssertionError("a message arrived at 0x%x".formatted(pa));
        }

        @Override
        public BusRead read(long pa, int bytes) {
          throw new AssertionError("a read arrived at 0x%x".formatted(pa));
        }
      };
  private final Translator taker =
      new Translator() {
        @Override
        public long translate(int stream, int substream, long iova, int access) {
          return MESSAGE;
        }

        @Override
        public BusOutcome message(int stream, long address, long value, int bytes) {
          seen.add("%x %x %x %d".formatted(stream, address, value, bytes));
          return BusOutcome.OK;
        }
      };

  @Test
  @DisplayName(
      "writes go to the IOMMU as messages, aligned reads of 32 bits find zero, others nothing")
  void messages() {
    HostBridge bridge =
        new HostBridge(
            "pci",
            0,
            0,
            0,
            Optional.empty(),
            List.of(new HostBridge.StreamMapping(0xffff, 8, 1, "iommu", STREAM, RULE)),
            List.of(),
            List.of(),
            List.of(),
            OptionalInt.empty(),
            RULE);
    RequesterRoutes routes = new RequesterRoutes(List.of(bridge), Map.of("iommu", taker), bus);
    assertEquals(BusOutcome.OK, routes.write(8, 0x2800_0000L, 5, 4));
    assertEquals(List.of("108 28000000 5 4"), seen);
    assertEquals(BusRead.ok(0), routes.read(8, 0x2800_0000L, 4));
    assertEquals(BusOutcome.ERROR, routes.read(8, 0x2800_0002L, 4).outcome());
    assertEquals(BusOutcome.ERROR, routes.read(8, 0x2800_0000L, 8).outcome());
  }
}
