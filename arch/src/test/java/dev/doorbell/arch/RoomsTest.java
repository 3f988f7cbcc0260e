package dev.doorbell.arch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("design 3, exemplars 2.11 rule 1: rooms and the arrows between them")
class RoomsTest {
  /// Each room, and the rooms that it may know. `hw` stands for every package `hw.<device>`; none knows another.
  // spotless:off
  private static final String TABLE =
      """
      bits        :
      address     :
      explain     :
      bus         : address explain
      iova        : address explain
      vmsa        : address bits bus explain iommu
      pci         : address bits bus explain
      iommu       : address bits bus explain iova pci
      irq         : address bits bus explain iommu pci
      hw          : address bits bus explain iommu irq pci vmsa
      description : address explain iommu pci
      firmware    : address bits description explain iommu pci
      machine     : address bits bus description explain hw irq pci
      host        : address bits bus description explain hw iommu iova irq machine pci route survey vfio vmsa
      vfio        : address bits bus explain iommu irq pci
      survey      : address bits description explain iommu pci
      plan        : address description explain iommu irq pci survey
      doctor      : address bits description explain firmware iommu pci plan survey
      capture     : address bits explain firmware pci
      route       : address bits bus description explain hw iommu irq machine pci plan survey vfio vmsa
      qemu        : address bits bus description explain firmware hw machine pci
      diff        : address bits bus hw irq pci qemu vmsa
      linux       : address bits bus explain iommu irq pci vfio
      vmm         : address bits bus explain iommu linux pci vfio
      vfiouser    : address bus explain pci vfio
      bench       : address bits bus description explain firmware host hw iommu iova irq linux machine pci vfio vmsa
      examples    : address bits bus description explain firmware host hw iommu machine pci vfio
      cli         : address bench bus capture description diff doctor explain firmware host iommu irq linux machine pci plan qemu route survey vfio vmm
      web         : address description explain firmware host iommu machine pci plan route survey vfio
      """;
  // spotless:on

  private static final Map<String, Set<String>> ALLOWED = parse();

  @Test
  @DisplayName("no class knows a room that its own room may not know")
  void arrowsPointDown() {
    Set<String> wrong = new TreeSet<>();
    for (JavaClass type : Product.classes()) {
      String from = Product.room(type);
      Set<String> allowed = ALLOWED.get(column(from));
      if (allowed == null) {
        wrong.add(from + " is a room without a line in this test's table");
        continue;
      }
      for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
        JavaClass target = dependency.getTargetClass().getBaseComponentType();
        String to = Product.room(target);
        if (Product.isOurs(target) && !to.equals(from) && !isAllowed(from, to, allowed)) {
          wrong.add("%s -> %s: %s knows %s".formatted(from, to, type.getName(), target.getName()));
        }
      }
    }
    assertTrue(
        wrong.isEmpty(),
        () -> "arrows that the table does not have:\n  " + String.join("\n  ", wrong));
  }

  @Test
  @DisplayName("the table itself has no cycle and names only rooms that it declares")
  void tableHasNoCycle() {
    Set<String> settled = new TreeSet<>();
    List<String> open = new ArrayList<>(ALLOWED.keySet());
    while (open.removeIf(
        room -> settled.containsAll(ALLOWED.getOrDefault(room, Set.of())) && settled.add(room))) {
      continue;
    }
    assertEquals(List.of(), open, "rooms in or above a cycle, or above an undeclared room");
  }

  @Test
  @DisplayName("the rooms that the others stand on are there")
  void roomsExist() {
    Set<String> rooms =
        Product.classes().stream()
            .map(Product::room)
            .map(RoomsTest::column)
            .collect(Collectors.toSet());
    // Grows with the project: a renamed room would otherwise leave its line of the table without a
    // subject.
    Set<String> missing =
        new TreeSet<>(Set.of("bits", "address", "explain", "bus", "pci", "iommu", "irq", "hw"));
    missing.removeAll(rooms);
    assertEquals(Set.of(), missing);
  }

  private static boolean isAllowed(String from, String to, Set<String> allowed) {
    if (column(from).equals(column(to))) {
      // Two pieces of hardware never know each other; other rooms know their own inner rooms.
      return !column(from).equals("hw");
    }
    return allowed.contains(column(to));
  }

  private static String column(String room) {
    return room.startsWith("hw.")
        ? "hw"
        : room.contains(".") ? room.substring(0, room.indexOf('.')) : room;
  }

  private static Map<String, Set<String>> parse() {
    Map<String, Set<String>> rooms = new LinkedHashMap<>();
    for (String line : TABLE.lines().toList()) {
      int colon = line.indexOf(':');
      String[] targets = line.substring(colon + 1).strip().split("\\s+", -1);
      rooms.put(
          line.substring(0, colon).strip(),
          Arrays.stream(targets)
              .filter(t -> !t.isEmpty())
              .collect(Collectors.toCollection(TreeSet::new)));
    }
    return rooms;
  }
}
