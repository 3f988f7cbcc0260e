package dev.doorbell.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Sizes;
import dev.doorbell.description.HostBridge;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.pcie.BridgeModel;
import dev.doorbell.pci.PortType;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("places for BARs that a capture has not placed")
class BarRoomTest {
  private static final long CAPTURED = 0xfbe0_0000L;
  private static final long SPARE = 0x1000_0000L;
  private static final long PAGE = 0x1000;

  private final BridgeModel port = bridge();
  private final BridgeModel below = bridge();
  private final BridgeModel other = bridge();
  private final BarRoom room =
      new BarRoom(
          List.of(window(CAPTURED, Sizes.MIB), window(SPARE, 16 * Sizes.MIB)),
          List.of(port, below, other));

  private static BridgeModel bridge() {
    BridgeModel b = BridgeModel.create(Optional.of(PortType.ROOT_PORT), 0x1b36, 0xc, true);
    b.openWindow(new AddressRange(0xfff0_0000L, 0xffff_ffffL));
    b.moveMemoryWindow(new AddressRange(0xfff0_0000L, 0xfff0_0000L));
    return closed(b);
  }

  /// Start above the end, as firmware leaves a port with nothing behind it.
  private static BridgeModel closed(BridgeModel b) {
    b.config().write(0x20, 0x0000_fff0, 4);
    assertTrue(b.memoryWindow().isEmpty());
    assertTrue(b.prefetchableWindow().isEmpty());
    return b;
  }

  private static HostBridge.Window window(long at, long bytes) {
    return new HostBridge.Window(
        AddressRange.ofSize(at, bytes), at, false, false, Source.rule("test"));
  }

  @Test
  @DisplayName("on the root bus: in the spare window, clear of what other bridges lead to")
  void rootBus() {
    other.moveMemoryWindow(AddressRange.ofSize(SPARE, Sizes.MIB));
    assertEquals(OptionalLong.of(SPARE + Sizes.MIB), room.place(PAGE, List.of()));
    assertEquals(OptionalLong.of(SPARE + Sizes.MIB + PAGE), room.place(PAGE, List.of()));
  }

  @Test
  @DisplayName("behind ports: where both windows lead, beside what the capture has placed")
  void openPorts() {
    port.moveMemoryWindow(AddressRange.ofSize(CAPTURED, Sizes.MIB));
    below.moveMemoryWindow(AddressRange.ofSize(CAPTURED, Sizes.MIB));
    room.keep(List.of(AddressRange.ofSize(CAPTURED, 2 * PAGE)));
    assertEquals(OptionalLong.of(CAPTURED + 2 * PAGE), room.place(PAGE, List.of(port, below)));
    assertEquals(AddressRange.ofSize(CAPTURED, Sizes.MIB), below.memoryWindow().orElseThrow());
  }

  @Test
  @DisplayName("behind closed ports, or ones that lead nowhere: their windows are moved")
  void closedPorts() {
    below.moveMemoryWindow(AddressRange.ofSize(0x9000_0000L, 2 * Sizes.MIB));
    other.moveMemoryWindow(AddressRange.ofSize(SPARE, Sizes.MIB));
    long at = room.place(PAGE, List.of(port, below)).orElseThrow();
    AddressRange moved = AddressRange.ofSize(SPARE + Sizes.MIB, Sizes.MIB);
    assertEquals(moved.start(), at);
    assertEquals(moved, port.memoryWindow().orElseThrow());
    assertEquals(moved, below.memoryWindow().orElseThrow());
    assertTrue(port.decodes(at) && below.decodes(at));
  }

  @Test
  @DisplayName("a window that leads to a captured BAR and is full is not moved: there is no place")
  void full() {
    AddressRange captured = AddressRange.ofSize(CAPTURED, Sizes.MIB);
    port.moveMemoryWindow(captured);
    room.keep(List.of(captured));
    assertEquals(OptionalLong.empty(), room.place(PAGE, List.of(port)));
    assertEquals(OptionalLong.empty(), room.place(PAGE, List.of(port, below)));
    assertEquals(captured, port.memoryWindow().orElseThrow());
    assertTrue(below.memoryWindow().isEmpty());
  }
}
