package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.linux.Errno;
import dev.doorbell.testkit.Golden;
import dev.doorbell.testkit.Json;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("issue 4.5: assign --on linux, over a kernel in memory")
class AssignOnLinuxTest {
  @TempDir Path root;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          linux-msix      | 0 | 0000:00:06.0 --yes --loopback --count 5
          linux-two       | 0 | 0000:00:05.0 0000:00:06.0 --yes --max 2 --access container --loopback --count 3
          linux-in-use    | 1 | 0000:00:06.0
          linux-window    | 1 | 0000:00:06.0 --yes --window 0x8000000-0x8ffffff
          linux-few       | 1 | 0000:00:06.0 --yes --min 6
          """)
  @DisplayName("what is printed, for people and as JSON, and nothing is left behind")
  void printed(String name, int status, String line) throws IOException {
    FakeHost host = new FakeHost(root);
    Run text = host.run("assign " + line);
    assertEquals("", text.err());
    Golden.check("assign/" + name + ".txt", text.out().replace(root.toString(), "ROOT"));
    assertEquals(status, text.status());
    assertEquals("", host.changed());
    Run json = host.run("assign " + line + " --json");
    Golden.check("assign/" + name + ".json", json.out().replace(root.toString(), "ROOT"));
    assertEquals(status, json.status());
    assertEquals("", host.changed());
  }

  @Test
  @DisplayName("interrupts that the device raises are counted until the user ends the command")
  void untilEnded() throws InterruptedException {
    FakeHost host = new FakeHost(root);
    Ending ending = Ending.byHand();
    Thread device =
        new Thread(() -> {
          while (!host.kernel.driver(FakeHost.NIC).equals("vfio-pci")
              || !host.kernel.isBusMaster(FakeHost.NIC)) {
            Thread.onSpinWait();
          }
          for (int i = 0; i < 20; i++) {
            host.kernel.raise(FakeHost.NIC, 2);
          }
          ending.ask();
        });
    device.start();
    Run run =
        host.run(
            ending,
            "assign",
            "00:06.0",
            "--yes",
            "--json",
            "--on",
            "linux",
            "--root",
            root.toString());
    device.join();
    assertEquals(0, run.status(), run::toString);
    List<Json.Node> vectors = Json.parse(run.out()).get("vectors").list();
    assertEquals(5, vectors.size());
    assertTrue(vectors.get(2).get("delivered").isTrue());
    assertEquals(20, vectors.get(2).get("count").number());
    // Counted from the first look on, before which the device may have begun.
    long kernels = vectors.get(2).get("kernelCount").number();
    assertTrue(kernels >= 0 && kernels <= 20, () -> "the kernel counted " + kernels);
    assertEquals("", host.changed());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "00:06.0 --count 0",
        "00:06.0 --for 0",
        "00:06.0 --max 0",
        "00:06.0 --min 3 --max 2",
        "00:06.0 --window 0x8000000",
        "00:06.0 --stage 1",
        "here",
        ""
      })
  @DisplayName("arguments that make no sense anywhere are told before the host is looked at")
  void beforeTheHost(String line) {
    String gone = root + "/gone";
    FakeHost host = new FakeHost(root);
    Run run =
        host.run(
            Ending.byHand(),
            ("assign %s --json --on linux --root %s".formatted(line, gone))
                .replace("  ", " ")
                .split(" ", -1));
    assertEquals(2, run.status(), run::toString);
    assertEquals("BadArguments", Json.parse(run.out()).get("error").get("type").text());
    assertFalse(run.out().contains(gone), run.out());
  }

  @Test
  @DisplayName("a host without an IOMMU: what messages meet is told, and what to do")
  void noIommu() {
    FakeHost host = new FakeHost(root);
    host.kernel.remove("sys/class/iommu");
    host.kernel.remove("sys/kernel/iommu_groups");
    host.kernel.remove("sys/bus/pci/devices/" + FakeHost.NIC + "/iommu_group");
    Run run = host.run("assign 00:06.0 --yes");
    assertEquals(1, run.status(), run::toString);
    assertFalse(run.out().contains("does not show"), run.out());
    assertTrue(
        run.out()
            .contains(
                "messages go to memory as they are, and so would its DMA: this kernel drives no IOMMU"),
        run.out());
    assertTrue(run.out().contains("turn the IOMMU on in firmware"), run.out());
    assertEquals("", host.changed());
  }

  @Test
  @DisplayName("fewer interrupts than were waited for: exit status 1, and how many came")
  void tooFew() {
    FakeHost host = new FakeHost(root);
    Ending ending = Ending.byHand();
    ending.ask();
    Run run =
        host.run(
            ending,
            "assign",
            "00:06.0",
            "--yes",
            "--count",
            "3",
            "--on",
            "linux",
            "--root",
            root.toString());
    assertEquals(1, run.status(), run::toString);
    assertTrue(run.out().contains("fewer than the 3 that were waited for"), run.out());
    assertEquals("", host.changed());
  }

  @ParameterizedTest
  @CsvSource({"--loopback --count 5, 5, false", "--min 6, 0, true"})
  @DisplayName(
      "a driver that does not take its function back is told, with all else, and the status is 1")
  void notTakenBack(String more, int vectors, boolean refused) {
    FakeHost host = new FakeHost(root);
    String line = "assign 00:06.0 --yes --json " + more;
    host.calls.fail(-1, Errno.EIO);
    host.run(line);
    assertEquals("", host.changed());
    // The last call of all asks the driver to take the function.
    host.calls.fail(host.calls.made().size() - 1, Errno.EIO);
    Run run = host.run(line);
    assertEquals("", host.kernel.driver(FakeHost.NIC));
    assertEquals(1, run.status(), run::toString);
    Json.Node document = Json.parse(run.out());
    assertEquals(vectors, document.get("vectors").list().size());
    assertEquals(refused, run.out().contains("\"TooFewVectors\""), run::out);
    List<String> left = document.get("left").list().stream().map(Json.Node::text).toList();
    assertEquals(2, left.size(), left::toString);
    assertTrue(left.getFirst().contains("drivers_probe"), left::toString);
    assertEquals("driver of 0000:00:06.0 was e1000e and is none", left.getLast());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          assign --yes                                  | --on linux is not given
          assign --for 3 --loopback                     | --for, --loopback
          assign 00:06.0 --on linux --for 0             | --for 0
          assign 00:06.0 --on linux --with 1:0.0,msix=1 | --with
          assign 00:06.0 --on linux --qemu gicv2m       | --on qemu
          assign 00:06.0 --on linux --access mdev       | mdev
          assign 00:06.0 --on linux --stage 2           | --stage
          assign --on linux                             | no function is named
          assign 09:00.0 --on linux                     | 0000:09:00.0
          """)
  @DisplayName("arguments that do not fit together are unusable, and nothing is touched")
  void unusable(String line, String names) {
    FakeHost host = new FakeHost(root);
    String[] args = (line + " --root " + root).split(" ", -1);
    Run run = host.run(Ending.byHand(), args);
    assertEquals(2, run.status(), run::toString);
    assertTrue(run.err().contains(names), run.err());
    assertEquals("", host.changed());
  }
}
