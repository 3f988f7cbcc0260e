package dev.doorbell.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

@DisplayName("domains and groups: no operation keeps its lock, refused ones do not either")
class LocksLetGoTest {
  private static final AddressRange PAGE = AddressRange.ofSize(0x1000, 0x1000);
  private final Bench bench = new Bench();
  private final Domain domain = bench.user("vm");
  private final IommuGroup group = bench.group(1);

  /// {@return whether another thread that asks for the window now has to wait}
  private boolean isKept() {
    Thread other = Thread.ofPlatform().daemon().start(domain::msiWindow);
    while (other.isAlive()) {
      if (other.getState() == Thread.State.WAITING) {
        return true;
      }
      Thread.yield();
    }
    return false;
  }

  private void map() {
    domain.map(new Iova(PAGE.start()), new Pa(0x5000), PAGE.bytes(), Protection.READ_WRITE);
  }

  @Test
  @DisplayName("a domain's")
  void domain() {
    List<Map.Entry<String, Executable>> operations =
        List.of(
            Map.entry("map", this::map),
            Map.entry("refused map", () -> assertThrows(MappingOverlap.class, this::map)),
            Map.entry("mappings", domain::mappings),
            Map.entry("unmap", () -> domain.unmap(PAGE)),
            Map.entry("groups", domain::groups),
            Map.entry("window", () -> domain.reserveMsiWindow(Bench.WINDOW)),
            Map.entry("room", () -> domain.requireRoom(List.of(Bench.ITS0))),
            Map.entry("regions", domain::reservedRegions),
            Map.entry("no window", domain::removeMsiWindow),
            Map.entry(
                "no room",
                () ->
                    assertThrows(
                        MsiWindowExhausted.class, () -> domain.requireRoom(List.of(Bench.ITS0)))),
            Map.entry("attach", () -> domain.attach(group)),
            Map.entry("refused close", () -> assertThrows(DomainInUse.class, domain::close)),
            Map.entry("detach", () -> domain.detach(group)),
            Map.entry("close", domain::close));
    for (var operation : operations) {
      try {
        operation.getValue().execute();
      } catch (Throwable e) {
        throw new AssertionError(operation.getKey() + " failed", e);
      }
      assertFalse(isKept(), operation.getKey());
      assertFalse(group.lock().isLocked(), operation.getKey());
    }
  }

  @Test
  @DisplayName("a group's")
  void group() {
    List<Map.Entry<String, Runnable>> operations =
        List.of(
            Map.entry("bypass", group::bypass),
            Map.entry("block", group::block),
            Map.entry("add", () -> group.add(Bench.member(bench.smmu0, 2, true))),
            Map.entry("remove", () -> group.remove("0000:02:00.0")));
    for (var operation : operations) {
      operation.getValue().run();
      assertFalse(group.lock().isLocked(), operation.getKey());
    }
    domain.attach(group);
    assertThrows(GroupUnavailable.class, group::bypass);
    assertFalse(group.lock().isLocked(), "refused bypass");
  }

  @Test
  @DisplayName("what needs a group's lock says so")
  void needed() {
    domain.reserveMsiWindow(Bench.WINDOW);
    domain.attach(group);
    LiveFunction f = new LiveFunction(group, bench.hw, true, Bench.ITS0);
    assertThrows(
        IllegalStateException.class, () -> group.claimDoorbells(Bench.ringing(group, Bench.ITS0)));
    assertThrows(IllegalStateException.class, () -> group.add(f));
    assertThrows(IllegalStateException.class, () -> group.remove(f));
    assertEquals(1, group.holders().size());
    assertEquals(1, domain.msiWindow().orElseThrow().used());
  }

  @Test
  @DisplayName("a closed domain takes nothing")
  void closed() {
    domain.close();
    assertThrows(IllegalStateException.class, this::map);
    assertThrows(IllegalStateException.class, () -> domain.unmap(PAGE));
    assertThrows(IllegalStateException.class, () -> domain.reserveMsiWindow(Bench.WINDOW));
    assertThrows(IllegalStateException.class, () -> domain.attach(group));
    domain.close();
  }
}
