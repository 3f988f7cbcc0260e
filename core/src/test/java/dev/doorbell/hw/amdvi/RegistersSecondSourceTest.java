package dev.doorbell.hw.amdvi;

import dev.doorbell.bits.Layout;
import dev.doorbell.hw.LayoutSource;
import dev.doorbell.testkit.SecondSource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RegistersSecondSourceTest {
  private static final List<String> TABLES =
      List.of("registers-vbox", "registers-linux", "registers-qemu", "queues-vbox");
  private static final List<Class<?>> DECLARING =
      List.of(AmdViRegisters.class, CommandLayout.class, EventLayout.class);

  private static List<Layout> layouts() throws IllegalAccessException {
    List<Layout> out = new ArrayList<>();
    for (Class<?> c : DECLARING) {
      for (java.lang.reflect.Field constant : c.getFields()) {
        if (constant.getType() == Layout.class) {
          out.add((Layout) constant.get(null));
        }
      }
    }
    return out;
  }

  @ParameterizedTest
  @DisplayName("48882 2.4, 2.5, 3.4: registers, commands and events agree with other publications")
  @ValueSource(strings = {"registers-vbox", "registers-linux", "registers-qemu", "queues-vbox"})
  void agree(String table) throws IOException, IllegalAccessException {
    LayoutSource.check(DteLayout.class, table + ".txt", layouts(), List.of(AmdViRegisters.MAP));
  }

  @Test
  @DisplayName("every field that is declared has a second source, or is listed as one without")
  void complete() throws IOException, IllegalAccessException {
    Set<String> rows = new TreeSet<>();
    for (String table : TABLES) {
      SecondSource.read(DteLayout.class, table + ".txt").rows().stream()
          .map(SecondSource.Row::name)
          .filter(name -> !name.startsWith("@"))
          .map(name -> name.replace("PASIDlow", "PASID low").replace("PASIDhigh", "PASID high"))
          .forEach(rows::add);
    }
    LayoutSource.complete(
        rows, Map.of("ExtFeature.SATSSup", "newer than the sources at hand"), DECLARING);
  }
}
