package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName(
    "doorbell vm: refused with its reason where no guest can be started; bad arguments are status 2")
class VmCommandTest {
  private static String file(Path folder, int bytes) throws IOException {
    return Files.write(folder.resolve("Image"), new byte[bytes]).toString();
  }

  @Test
  @DisplayName("a host that is no arm64: status 1, and which host would do")
  void otherHost(@TempDir Path folder) throws IOException {
    assumeFalse(System.getProperty("os.arch").equals("aarch64"), "skipped: this is an arm64 host");
    Run run = Run.of("vm", "--kernel", file(folder, 64), "--device", "0000:01:00.0");
    assertEquals(1, run.status());
    assertEquals("", run.out());
    assertTrue(run.err().contains("this host is " + System.getProperty("os.arch")), run.err());
    assertTrue(run.err().contains("arm64 host with KVM"), run.err());
  }

  @Test
  @DisplayName("what cannot be read or understood: status 2")
  void badArguments(@TempDir Path folder) throws IOException {
    String kernel = file(folder, 64);
    assertEquals(2, Run.of("vm", "--device", "0000:01:00.0").status());
    assertEquals(2, Run.of("vm", "--kernel", kernel).status());
    Run missing = Run.of("vm", "--kernel", folder + "/none", "--device", "0000:01:00.0");
    assertEquals(2, missing.status());
    assertTrue(missing.err().contains("there is no file"), missing.err());
    Run bad = Run.of("vm", "--kernel", kernel, "--device", "first");
    assertEquals(2, bad.status());
    for (String size : new String[] {"1", "3K", "1G1", "512T"}) {
      Run memory = Run.of("vm", "--kernel", kernel, "--device", "0000:01:00.0", "--memory", size);
      assertEquals(2, memory.status(), size);
    }
  }
}
