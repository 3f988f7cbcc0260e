package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.testkit.OutsideTool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("errno: names, numbers and sentences")
class ErrnoTest {
  @Test
  @DisplayName("names and numbers are those of the C library's header")
  void agreesWithTheHeader(@TempDir Path folder) throws IOException, InterruptedException {
    OutsideTool gcc = OutsideTool.require("gcc");
    Path c = Files.writeString(folder.resolve("e.c"), "#include <errno.h>\n");
    OutsideTool.Result r = gcc.run(folder, "-E", "-dM", c.toString());
    assertEquals(0, r.status(), r.err());
    Map<Integer, String> wrong = new TreeMap<>();
    int seen = 0;
    for (String line : r.out().lines().toList()) {
      String[] w = line.split(" ", -1);
      if (w.length == 3 && w[1].matches("E[A-Z0-9]+") && w[2].matches("\\d+")) {
        int number = Integer.parseInt(w[2]);
        seen++;
        // Two of the kernel's have a second name in the header.
        if (!Errno.of(number).name().equals(w[1])) {
          wrong.put(number, w[1]);
        }
      }
    }
    assertTrue(seen > 120, "the header was read");
    assertEquals(Map.of(), wrong);
  }

  @Test
  @DisplayName("a number without a name keeps its number")
  void unknown() {
    assertEquals("errno 4000", Errno.of(4000).name());
  }

  @Test
  @DisplayName("a refused call tells operation, target, reason, name, number and what to do")
  void tellsAll() {
    ErrnoException e =
        assertThrows(
            ErrnoException.class,
            () ->
                new Kernel(SystemCalls.ofProcess())
                    .open("/proc/no/such", KernelConstants.O_RDONLY, Because::general));
    assertEquals("open of /proc/no/such: no such file or directory (ENOENT, 2)", e.getMessage());
    assertEquals("open", e.operation());
    assertEquals("/proc/no/such", e.target());
    assertTrue(e.refusal().advice().startsWith("load the module"));
  }
}
