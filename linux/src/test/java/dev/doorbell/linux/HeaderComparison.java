package dev.doorbell.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.doorbell.testkit.OutsideTool;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Compares declarations of structures and request numbers with the kernel's headers, by the C compiler.
public final class HeaderComparison {
  /// Newer headers have more at the end; the kernel takes the older size, too.
  private static final List<String> GROWN =
      List.of("struct vfio_device_info", "struct iommu_hwpt_alloc");

  private static final String THIS =
      switch (System.getProperty("os.arch")) {
        case "amd64" -> "x86";
        case "aarch64" -> "arm64";
        case "ppc64le" -> "powerpc";
        case "riscv64" -> "riscv";
        default -> "unknown";
      };

  private HeaderComparison() {}

  /// {@return what leads the compiler to an architecture's headers} The distribution's package of them (`linux-libc-dev` of Debian 13 or later)
  /// has those of all architectures: where the variable DOORBELL_UAPI names its `usr`, or `lab/headers` has fetched it. Else the variable
  /// may name a folder of headers of this machine's architecture, and without it they are this system's.
  private static Optional<List<String>> headersOf(String architecture) {
    String named = System.getenv("DOORBELL_UAPI");
    Path usr = named == null ? lab().resolve("headers/usr") : Path.of(named);
    Path own = usr.resolve("lib/linux/uapi").resolve(architecture);
    if (Files.isDirectory(own)) {
      return Optional.of(
          List.of("-isystem", own.toString(), "-isystem", usr.resolve("include").toString()));
    }
    if (!architecture.equals(THIS)) {
      return Optional.empty();
    }
    return Optional.of(named == null ? List.of() : List.of("-isystem", named));
  }

  /// As `lab/run` has it.
  private static Path lab() {
    Map<String, String> env = System.getenv();
    String home = env.getOrDefault("HOME", "/tmp");
    String cache = env.getOrDefault("XDG_CACHE_HOME", home + "/.cache");
    return Path.of(env.getOrDefault("DOORBELL_LAB_CACHE", cache + "/doorbell/lab"));
  }

  /// As the other one, for this machine's architecture.
  public static void of(Path folder, Class<?> layout, String... headers)
      throws IOException, InterruptedException {
    of(folder, THIS, layout, headers);
  }

  /// Compiles a program that prints what the declarations say, as the headers have it, and compares both. Members of fixed sizes lie the
  /// same whatever architecture the program then runs on.
  ///
  /// @param architecture by the kernel's name
  public static void of(Path folder, String architecture, Class<?> layout, String... headers)
      throws IOException, InterruptedException {
    OutsideTool gcc = OutsideTool.require("gcc");
    List<String> from =
        headersOf(architecture)
            .orElseGet(() ->
                abort(
                    "skipped: there are no headers of %s here (lab/headers fetches them)"
                        .formatted(architecture)));
    require(gcc, folder, from, headers);
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
    OutsideTool.Result built = gcc.run(folder, with(from, "-o", "s", source.toString()));
    assertEquals(0, built.status(), built.err());
    ProcessBuilder run = new ProcessBuilder(folder.resolve("s").toString());
    Process p = run.redirectErrorStream(true).start();
    String out =
        new String(p.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    assertEquals(0, p.waitFor());
    assertEquals(String.join("\n", expected), out.stripTrailing());
  }

  private static void require(OutsideTool gcc, Path folder, List<String> from, String... headers)
      throws IOException, InterruptedException {
    for (String h : headers) {
      OutsideTool.Result r =
          gcc.run(
              folder,
              with(
                  from,
                  "-E",
                  "-o",
                  "out.i",
                  Files.writeString(folder.resolve("h.c"), "#include <" + h + ">\n").toString()));
      assumeTrue(
          r.status() == 0, "skipped: there is no header %s (lab/headers fetches it)".formatted(h));
    }
  }

  private static String[] with(List<String> first, String... arguments) {
    return Stream.concat(first.stream(), Stream.of(arguments)).toArray(String[]::new);
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
