package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

@DisplayName(
    "the launcher's build: classes of before Java 6 are written anew, so that the cache of classes takes them")
class ClassFormatTest {
  private static final int JAVA_6 = 50;

  private static int major(JarFile jar, JarEntry e) throws IOException {
    try (DataInputStream in = new DataInputStream(jar.getInputStream(e))) {
      in.skipNBytes(6);
      return in.readUnsignedShort();
    }
  }

  @Test
  @DisplayName("picocli's have the new format, verify, and are as many as before")
  void rewritten(@TempDir Path folder) throws Exception {
    Path original =
        Path.of(CommandLine.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    Path copy = Files.copy(original, folder.resolve("picocli.jar"));
    Path program = Path.of("..", "build", "ClassFormat.java").toRealPath();
    Process run =
        new ProcessBuilder(
                System.getProperty("java.home") + "/bin/java", program.toString(), copy.toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, run.waitFor(), said);
    int old = 0;
    try (JarFile before = new JarFile(original.toFile());
        JarFile after = new JarFile(copy.toFile());
        URLClassLoader loader =
            new URLClassLoader(
                new URL[] {copy.toUri().toURL()}, ClassLoader.getPlatformClassLoader())) {
      List<String> names = before.stream().map(JarEntry::getName).toList();
      assertEquals(names, after.stream().map(JarEntry::getName).toList());
      for (JarEntry e : before.stream().filter(x -> x.getName().endsWith(".class")).toList()) {
        old += major(before, e) < JAVA_6 ? 1 : 0;
        assertTrue(major(after, after.getJarEntry(e.getName())) >= JAVA_6, e.getName());
        String name = e.getName().replace('/', '.').substring(0, e.getName().length() - 6);
        if (name.startsWith("picocli.CommandLine") && !name.contains("-")) {
          // Verified as it is initialised.
          assertEquals(name, Class.forName(name, true, loader).getName());
        }
      }
    }
    assertTrue(old > 100, "there was something to write anew: " + old);
  }
}
