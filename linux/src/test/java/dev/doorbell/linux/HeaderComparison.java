package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.doorbell.testkit.OutsideTool;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Compares declarations of structures and request numbers with the kernel's headers, by the C compiler.
public final class HeaderComparison {
  /// Newer headers have more at the end; the kernel takes the older size, too.
  private static final List<String> GROWN =
      List.of("struct vfio_device_info", "struct iommu_hwpt_alloc");

  private HeaderComparison() {}

  /// Headers of another kernel than this system's, from a folder that this variable names.
  private static String[] with(String... arguments) {
    String headers = System.getenv("DOORBELL_UAPI");
    if (headers == null) {
      return arguments;
    }
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(0, List.of("-isystem", headers));
    return all.toArray(String[]::new);
  }

  /// Compiles a program that prints what the declarations say, as the headers have it, and compares both.
  public static void of(Path folder, Class<?> layout, String... headers)
      throws IOException, InterruptedException {
    OutsideTool gcc = OutsideTool.require("gcc");
    for (String h : headers) {
      OutsideTool.Result r =
          gcc.run(
              folder,
              with(
                  "-E",
                  "-o",
                  "out.i",
                  Files.writeString(folder.resolve("h.c"), "#include <" + h + ">\n").toString()));
      assumeTrue(r.status() == 0, "skipped: there is no header " + h);
    }
    List<String> expected = new ArrayList<>();
    StringBuilder c = new StringBuilder("#include <stdio.h>\n#include <stddef.h>\n");
    c.append("#include <linux/types.h>\n");
    for (String h : headers) {
      c.append("#include <").append(h).append(">\n");
    }
    c.append("#define M(s, m) printf(\"%s %s %zu\\n\", #s, #m, offsetof(s, m))\n");
    c.append("#define W(s, m) printf(\" %zu\\n\", sizeof(((s *) 0)->m))\nint main(void) {\n");
    for (Field f : layout.getDeclaredFields()) {
      Object value = constant(f);
      if (value instanceof Struct s) {
        if (!GROWN.contains(s.name())) {
          c.append("printf(\"%s sizeof %%zu\\n\", sizeof(%s));\n".formatted(s.name(), s.name()));
          expected.add("%s sizeof %d".formatted(s.name(), s.bytes()));
        }
        for (Struct.Member m : s.members()) {
          c.append("M(%s, %s);\n".formatted(s.name(), m.name()));
          expected.add("%s %s %d".formatted(s.name(), m.name(), m.offset()));
          if (m.bytes() > 0) {
            c.append("W(%s, %s);\n".formatted(s.name(), m.name()));
            expected.add(" " + m.bytes());
          }
        }
      } else if (value instanceof Ioctl i) {
        c.append("printf(\"%s %%#x\\n\", (unsigned) %s);\n".formatted(i.name(), i.name()));
        expected.add("%s 0x%x".formatted(i.name(), i.number()));
      }
    }
    c.append("return 0;\n}\n");
    assertTrue(expected.size() > 3, "there is something to compare");
    Path source = Files.writeString(folder.resolve("s.c"), c);
    OutsideTool.Result built = gcc.run(folder, with("-o", "s", source.toString()));
    assertEquals(0, built.status(), built.err());
    ProcessBuilder run = new ProcessBuilder(folder.resolve("s").toString());
    Process p = run.redirectErrorStream(true).start();
    String out =
        new String(p.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    assertEquals(0, p.waitFor());
    assertEquals(String.join("\n", expected), out.stripTrailing());
  }

  private static Object constant(Field f) {
    try {
      f.setAccessible(true);
      return f.get(null);
    } catch (IllegalAccessException e) {
      throw new AssertionError(e);
    }
  }
}
