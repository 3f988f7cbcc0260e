package dev.doorbell.arch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaModifier;
import dev.doorbell.bits.Access;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.RegisterMap;
import java.lang.reflect.Field;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "exemplars 2.11 rules 2, 4: Driver, Model and Walker share declarations and nothing else")
class HardwareTest {
  private static final List<String> KINDS = List.of("Driver", "Model", "Walker");

  @Test
  @DisplayName(
      "no Driver, Model or Walker reaches another kind, not even through a class in between")
  void kindsDoNotReachOneAnother() {
    Set<String> wrong = new TreeSet<>();
    for (JavaClass type : hardware()) {
      String kind = kind(type);
      if (!kind.isEmpty()) {
        for (JavaClass reached : reachableInRoom(type)) {
          if (!kind(reached).isEmpty() && !kind(reached).equals(kind)) {
            wrong.add(type.getName() + " reaches " + reached.getName());
          }
        }
      }
    }
    assertEquals(Set.of(), wrong);
  }

  @Test
  @DisplayName(
      "rooms that use hardware use one kind each: machine its Models, host its Drivers, route its Walkers")
  void roomsUseOneKind() {
    Set<String> wrong = new TreeSet<>();
    for (JavaClass type : Product.classes()) {
      String wanted =
          switch (Product.room(type)) {
            case "machine" -> "Model";
            case "host" -> "Driver";
            case "route" -> "Walker";
            default -> "";
          };
      for (JavaClass target : directTargets(type)) {
        boolean other =
            Product.room(target).startsWith("hw.")
                && !kind(target).isEmpty()
                && !kind(target).equals(wanted);
        if (!wanted.isEmpty() && other) {
          wrong.add(type.getName() + " uses " + target.getName());
        }
      }
    }
    assertEquals(Set.of(), wrong);
  }

  @Test
  @DisplayName(
      "layouts are final, hold constants only, and depend on nothing but the declaration kit")
  void layoutsDeclareOnly() {
    Set<String> wrong = new TreeSet<>();
    int layouts = 0;
    for (JavaClass type : Product.classes()) {
      if (isLayout(type)) {
        layouts++;
        if (!type.getModifiers().contains(JavaModifier.FINAL)) {
          wrong.add(type.getName() + " is not final");
        }
        for (JavaField field : type.getFields()) {
          if (!field.getModifiers().containsAll(Set.of(JavaModifier.STATIC, JavaModifier.FINAL))) {
            wrong.add(field.getFullName() + " is not static final");
          }
        }
        for (JavaClass target : directTargets(type)) {
          boolean neighbour = Product.room(target).equals(Product.room(type)) && isLayout(target);
          if (!Product.room(target).equals("bits") && !neighbour && !belongsTo(target, type)) {
            wrong.add(type.getName() + " depends on " + target.getName());
          }
        }
      }
    }
    assertTrue(layouts > 0, "there are layouts");
    Allowances.check(
        "layouts", "a layout declares fields and registers, and knows bits alone", wrong);
  }

  @Test
  @DisplayName(
      "every Layout and RegisterMap that a layout class holds is sealed: no bit is undeclared")
  void layoutsAreSealed() throws ReflectiveOperationException {
    int maps = 0;
    for (JavaClass type : Product.classes()) {
      if (isLayout(type)) {
        for (Field field : type.reflect().getDeclaredFields()) {
          if (field.getType() == Layout.class) {
            field.setAccessible(true);
            Layout layout = (Layout) field.get(null);
            assertTrue(
                layout != null && layout.isSealed(),
                () -> field + " holds a layout that is not sealed");
            maps++;
          }
        }
      }
    }
    assertFalse(maps == 0, "there are layouts to look at");
  }

  @Test
  @DisplayName("a register map's layouts are sealed: the kit refuses others")
  void registerMapsAreSealed() {
    RegisterMap.Builder map = RegisterMap.named("test", 8);
    map.register("R", 0, Access.RO, Layout.lsb0("R", 8));
    assertThrows(IllegalStateException.class, map::seal);
  }

  private static List<JavaClass> hardware() {
    return Product.classes().stream().filter(type -> Product.room(type).startsWith("hw.")).toList();
  }

  private static boolean isLayout(JavaClass type) {
    String name = type.getSimpleName();
    String room = Product.room(type);
    boolean hardware = room.startsWith("hw.");
    return (name.endsWith("Layout") && (hardware || room.equals("vmsa") || room.equals("pci")))
        || (name.endsWith("Registers") && hardware && !isBehaviour(type));
  }

  /// Holds for an interface of ours and what implements one: it may be named for registers, and declares none.
  private static boolean isBehaviour(JavaClass type) {
    return type.isInterface() || type.getAllRawInterfaces().stream().anyMatch(Product::isOurs);
  }

  private static boolean belongsTo(JavaClass inner, JavaClass outer) {
    return inner.getName().startsWith(outer.getName() + "$");
  }

  /// {@return `Driver`, `Model` or `Walker` when the outermost class is named so, otherwise nothing}
  private static String kind(JavaClass type) {
    String name = type.getName().replaceFirst("\\$.*", "");
    return KINDS.stream().filter(name::endsWith).findFirst().orElse("");
  }

  private static Set<JavaClass> reachableInRoom(JavaClass start) {
    Set<JavaClass> seen = new HashSet<>();
    Deque<JavaClass> open = new ArrayDeque<>(List.of(start));
    while (!open.isEmpty()) {
      for (JavaClass target : directTargets(open.pop())) {
        if (Product.room(target).equals(Product.room(start)) && seen.add(target)) {
          open.push(target);
        }
      }
    }
    return seen;
  }

  private static Set<JavaClass> directTargets(JavaClass type) {
    Set<JavaClass> targets = new HashSet<>();
    for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
      JavaClass target = dependency.getTargetClass().getBaseComponentType();
      if (Product.isOurs(target) && !target.equals(type)) {
        targets.add(target);
      }
    }
    return targets;
  }
}
