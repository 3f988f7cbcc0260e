package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.doorbell.linux.kvm.VcpuExit;
import dev.doorbell.testkit.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          no-device    | 2 | --kernel KERNEL
          no-kernel    | 2 | --device 0000:01:00.0
          kernel-gone  | 2 | --kernel DIR/none --device 0000:01:00.0
          kernel-dir   | 2 | --kernel DIR --device 0000:01:00.0
          initrd-gone  | 2 | --kernel KERNEL --initrd DIR/none --device 0000:01:00.0
          bad-device   | 2 | --kernel KERNEL --device first
          bad-memory   | 2 | --kernel KERNEL --device 0000:01:00.0 --memory 3K
          much-memory  | 2 | --kernel KERNEL --device 0000:01:00.0 --memory 512T
          other-host   | 1 | --kernel KERNEL --device 0000:01:00.0
          """)
  @DisplayName("what it says before there is a guest, to the letter")
  void told(String name, int status, String line, @TempDir Path folder) throws IOException {
    String arch = System.getProperty("os.arch");
    assumeFalse(status == 1 && arch.equals("aarch64"), "skipped: this is an arm64 host");
    String words = line.replace("KERNEL", file(folder, 64)).replace("DIR", folder.toString());
    Run run = Run.of(("vm " + words).split(" ", -1));
    assertEquals(status, run.status(), run::toString);
    assertEquals("", run.out());
    Golden.check(
        "vm/" + name + ".txt",
        run.err().replace(folder.toString(), "DIR").replace(arch, "ARCHITECTURE"));
  }

  @Test
  @DisplayName("why a guest ended, to the letter")
  void ends() throws IOException {
    List<VcpuExit> all = new ArrayList<>();
    for (VcpuExit.SystemEvent.Kind kind : VcpuExit.SystemEvent.Kind.values()) {
      all.add(new VcpuExit.SystemEvent(kind));
    }
    all.addAll(
        List.of(
            new VcpuExit.Stopped(),
            new VcpuExit.Mmio(0x9000_0000L, 4, true, 1),
            new VcpuExit.Mmio(0x9000_0000L, 8, false, 0),
            new VcpuExit.Io(0x3f8, 1, true, 1, 65),
            new VcpuExit.NoSyndrome(0x9000_0010L),
            new VcpuExit.Hlt(),
            new VcpuExit.Shutdown(),
            new VcpuExit.FailEntry(0x8000_0021L),
            new VcpuExit.KvmInternalError(1, List.of()),
            new VcpuExit.KvmInternalError(3, List.of(0x10L, 0xffL)),
            new VcpuExit.Other(42)));
    Golden.check(
        "vm/ends.txt",
        all.stream().map(e -> GuestEnd.told(e) + "\n").collect(Collectors.joining()));
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
