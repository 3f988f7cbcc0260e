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
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName("structures and request numbers against the kernel's own headers, by the C compiler")
class StructsTest {
  /// Newer headers have padding more at the end; the kernel takes the older size, too.
  private static final List<String> GROWN = List.of("struct vfio_device_info");

  @Test
  @DisplayName("calls of the system: epoll_event, pollfd, msghdr, cmsghdr, iovec, sockaddr_un")
  void system(@TempDir Path folder) throws IOException, InterruptedException {
    compare(folder, SystemLayout.class, "sys/epoll.h", "poll.h", "sys/socket.h", "sys/un.h");
  }

  @Test
  @DisplayName("VFIO: container, group, device, type 1")
  void vfio(@TempDir Path folder) throws IOException, InterruptedException {
    compare(folder, VfioLayout.class, "linux/vfio.h");
  }

  @Test
  @DisplayName("iommufd, and the VFIO requests that join a device to it")
  void iommufd(@TempDir Path folder) throws IOException, InterruptedException {
    compare(folder, IommufdLayout.class, "linux/vfio.h", "linux/iommufd.h");
  }

  @Test
  @DisplayName("KVM: memory, routes, irqfd, ioeventfd, messages")
  void kvm(@TempDir Path folder) throws IOException, InterruptedException {
    compare(folder, KvmLayout.class, "linux/kvm.h");
  }

  @Test
  @DisplayName("KVM of x86: the local APIC")
  void kvmOfX86(@TempDir Path folder) throws IOException, InterruptedException {
    assumeTrue(
        System.getProperty("os.arch").equals("amd64"), "skipped: local APICs are of x86 alone");
    compare(folder, KvmX86Layout.class, "linux/kvm.h");
  }

  @Test
  @DisplayName("POWER packs request numbers otherwise")
  void power() {
    // As seen on a ppc64le kernel: VFIO_GET_API_VERSION is 0x20003b64 there.
    assertEquals(0x20003b64, IoctlNumberLayout.POWER.number(0, ';', 100, 0));
    assertEquals(0x3b64, IoctlNumberLayout.GENERIC.number(0, ';', 100, 0));
    assertEquals(0x4020ae46, IoctlNumberLayout.GENERIC.number(1, 0xae, 0x46, 32));
  }

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
  private static void compare(Path folder, Class<?> layout, String... headers)
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
      if (value instanceof Struct s && !GROWN.contains(s.name())) {
        c.append("printf(\"%s sizeof %%zu\\n\", sizeof(%s));\n".formatted(s.name(), s.name()));
        expected.add("%s sizeof %d".formatted(s.name(), s.bytes()));
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
