package dev.doorbell.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

@DisplayName("Linux pci_device_group: derived groups are those that the machine's kernel recorded")
class RecordedGroupsTest {
  /// Its kernel probed the endpoints before the ports above them, which do not isolate.
  private static final String OUT_OF_ORDER = "arm64-its-iommufd";

  @TestFactory
  Stream<DynamicTest> everyCaptureWithGroups() throws IOException {
    List<Path> machines =
        Stream.of("lab-captures", "captures")
            .map(RecordedGroupsTest::machines)
            .flatMap(Collection::stream)
            .toList();
    // POWER groups follow partitionable endpoints, not this rule.
    List<Path> used =
        machines.stream()
            .filter(m -> !m.getFileName().toString().startsWith("ppc64"))
            .filter(RecordedGroupsTest::hasGroups)
            .toList();
    assertTrue(used.size() >= 13, () -> "only " + used);
    return used.stream().map(m -> dynamicTest(m.getFileName().toString(), () -> agrees(m)));
  }

  private static void agrees(Path machine) throws IOException {
    List<PciFunction> functions = CapturedFunctions.functions(machine);
    TreeMap<Integer, Set<Sbdf>> recorded = CapturedFunctions.recordedGroups(machine);
    List<Sbdf> order = recorded.values().stream().flatMap(Set::stream).toList();
    boolean outOfOrder = machine.endsWith(OUT_OF_ORDER);
    for (PciTopology t :
        List.of(
            PciTopology.of(functions),
            PciTopology.of(functions, CapturedFunctions.rootBuses(machine)))) {
      List<Groups.Group> derived = Groups.derive(t, AcsAssumption.AS_CAPTURED);
      derived.forEach(g -> assertFalse(g.because().isEmpty(), () -> g + " says no reason"));
      derived.forEach(g -> assertTrue(g.certain(), () -> g + " is not certain"));
      if (outOfOrder) {
        assertNotEquals(new HashSet<>(recorded.values()), sets(derived, order));
      } else {
        assertEquals(new HashSet<>(recorded.values()), sets(derived, order), derived::toString);
      }
      List<Groups.Group> ordered = Groups.deriveInOrder(t, AcsAssumption.AS_CAPTURED, order);
      assertEquals(new HashSet<>(recorded.values()), sets(ordered, order), ordered::toString);
    }
  }

  /// Arm's kernels form a function's group only when a driver is probed: functions without one are in no recorded group.
  private static Set<Set<Sbdf>> sets(List<Groups.Group> groups, List<Sbdf> recorded) {
    Set<Set<Sbdf>> sets = new HashSet<>();
    for (Groups.Group g : groups) {
      Set<Sbdf> seen = new TreeSet<>(g.functions());
      seen.retainAll(recorded);
      if (!seen.isEmpty()) {
        sets.add(seen);
      }
    }
    return sets;
  }

  private static List<Path> machines(String under) {
    try {
      return CapturedFunctions.machines(under);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean hasGroups(Path machine) {
    try {
      return !CapturedFunctions.recordedGroups(machine).isEmpty()
          && !CapturedFunctions.functions(machine).isEmpty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
