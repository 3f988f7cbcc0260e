package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("VT-d 9.10, SVT 10b: messages from behind a bridge to conventional PCI")
class SourceBusesTest {
  @ParameterizedTest
  @DisplayName(
      "a function whose messages a bridge may send under its ids raises its vector from any function of the bridge's buses, and from no other")
  @CsvSource({
    "0x300, true",
    "0x308, true",
    "0x3ff, true",
    "0x440, true",
    "0x2ff, false",
    "0x500, false",
    "0x0, false",
    "0xffff, false"
  })
  void buses(String requester, boolean raises) {
    VtdBench bench = new VtdBench(List.of(0L, 2L));
    MsiSource source = new MsiSource("0000:04:08.0", 0x300, OptionalInt.of(4));
    VectorBlock block = bench.controller.allocate(source, 1, false);
    block.activate(0, 1);
    BusOutcome outcome = bench.ring(Integer.decode(requester), block.doorbell(0), block.data(0));
    assertEquals(raises ? BusOutcome.OK : BusOutcome.ERROR, outcome);
    assertEquals(raises ? List.of(List.of(block.number(0), 1)) : List.of(), bench.collect());
    assertEquals(raises ? List.of() : List.of(0x26), bench.faults());
  }
}
