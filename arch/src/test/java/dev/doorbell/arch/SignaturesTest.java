package dev.doorbell.arch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaModifier;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("exemplars 2.11 rule 8: what public signatures may look like")
class SignaturesTest {
  private static final int MOST_PARAMETERS = 5;

  @Test
  @DisplayName("no two adjacent longs: that is what the address types are for")
  void noAdjacentLongs() {
    Set<String> wrong = new TreeSet<>();
    for (JavaClass type : Product.classes()) {
      // A word and a value, an offset and a size: the kit and the bus are made of plain numbers.
      if (!Set.of("bits", "bus", "bench").contains(Product.room(type)) && isVisible(type)) {
        for (JavaCodeUnit unit : type.getCodeUnits()) {
          // A write has the bus's shape: offset or address, value, size.
          boolean write = unit.getName().matches("write|.*Write");
          if (!write && isVisible(unit) && hasAdjacentLongs(unit)) {
            wrong.add(name(unit));
          }
        }
      }
    }
    Allowances.check("adjacent-longs", "public signatures have no two adjacent longs", wrong);
  }

  @Test
  @DisplayName("no arrays out: a caller could change what it was shown")
  void noArraysOut() {
    Set<String> wrong = new TreeSet<>();
    for (JavaClass type : Product.classes()) {
      boolean inside = type.isEnum() || Product.room(type).equals("bench");
      if (!inside && isVisible(type)) {
        for (JavaCodeUnit unit : type.getMethods()) {
          if (isVisible(unit) && unit.getRawReturnType().isArray()) {
            wrong.add(name(unit));
          }
        }
      }
    }
    Allowances.check("arrays-out", "public methods return no arrays", wrong);
  }

  @Test
  @DisplayName("at most five parameters, but for a record's components")
  void fewParameters() {
    Set<String> wrong = new TreeSet<>();
    for (JavaClass type : Product.classes()) {
      for (JavaCodeUnit unit : type.getCodeUnits()) {
        boolean components = unit.isConstructor() && (type.isRecord() || type.isEnum());
        boolean made =
            unit.getModifiers().contains(JavaModifier.SYNTHETIC)
                || unit.getName().startsWith("lambda$");
        if (!components && !made && unit.getRawParameterTypes().size() > MOST_PARAMETERS) {
          wrong.add(name(unit));
        }
      }
    }
    Allowances.check("parameters", "methods have at most five parameters", wrong);
  }

  @Test
  @DisplayName("every package says that nothing in it is null unless marked")
  void everyPackageIsNullMarked() {
    Set<String> unmarked = new TreeSet<>();
    Set<String> marked = new TreeSet<>();
    for (JavaClass type : Product.classes()) {
      boolean says =
          type.getSimpleName().equals("package-info") && type.isAnnotatedWith(NullMarked.class);
      (says ? marked : unmarked).add(type.getPackageName());
    }
    unmarked.removeAll(marked);
    assertEquals(Set.of(), unmarked, "packages without @NullMarked in package-info.java");
    assertTrue(marked.contains("dev.doorbell.bits"));
  }

  private static boolean isVisible(JavaClass type) {
    return type.getModifiers().contains(JavaModifier.PUBLIC)
        && type.getEnclosingClass().map(SignaturesTest::isVisible).orElse(true);
  }

  private static boolean isVisible(JavaCodeUnit unit) {
    Set<JavaModifier> modifiers = unit.getModifiers();
    return (modifiers.contains(JavaModifier.PUBLIC) || modifiers.contains(JavaModifier.PROTECTED))
        && !modifiers.contains(JavaModifier.SYNTHETIC)
        && !modifiers.contains(JavaModifier.BRIDGE);
  }

  private static boolean hasAdjacentLongs(JavaCodeUnit unit) {
    List<JavaClass> types = unit.getRawParameterTypes();
    for (int i = 1; i < types.size(); i++) {
      if (types.get(i).isEquivalentTo(long.class) && types.get(i - 1).isEquivalentTo(long.class)) {
        return true;
      }
    }
    return false;
  }

  private static String name(JavaCodeUnit unit) {
    return unit.getFullName().replace("java.lang.", "").replace(Product.BASE, "");
  }
}
