package dev.doorbell.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.linux.LinuxAssignment;
import dev.doorbell.linux.LinuxAssignment.Request;
import dev.doorbell.testkit.Golden;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName("issue 4.6: trace --on linux, over a kernel in memory")
class TraceOnLinuxTest {
  private static final Request TAKE = new Request(1, 3, false, true, Optional.empty());
  private static final String LINE = "trace 0000:00:06.0 --vector %d%s";

  @TempDir Path root;

  private Run ended(FakeHost host, String line) {
    Ending ending = Ending.byHand();
    ending.ask();
    return host.run(ending, (line + " --on linux --root " + root).split(" ", -1));
  }

  private void printed(FakeHost host, String name, int vector) throws IOException {
    Run text = ended(host, LINE.formatted(vector, ""));
    assertEquals("", text.err());
    assertEquals(1, text.status());
    Golden.check("trace/" + name + ".txt", text.out().replace(root.toString(), "ROOT"));
    Run json = ended(host, LINE.formatted(vector, " --json"));
    assertEquals(1, json.status());
    Golden.check("trace/" + name + ".json", json.out().replace(root.toString(), "ROOT"));
  }

  @Test
  @DisplayName("a masked vector and a silent one: what is printed, for people and as JSON")
  void stops() throws IOException {
    FakeHost host = new FakeHost(root);
    try (LinuxAssignment a = LinuxAssignment.of(host.options(), List.of(FakeHost.NIC), TAKE)) {
      host.kernel.mask(FakeHost.NIC, 1, true);
      host.kernel.raise(FakeHost.NIC, 1);
      printed(host, "linux-masked", 1);
      printed(host, "linux-silent", 0);
      assertFalse(a.functions().isEmpty());
    }
    assertEquals("", host.changed());
  }

  @Test
  @DisplayName("a vector that works, watched until the user ends it: exit status 0")
  void works() throws InterruptedException {
    FakeHost host = new FakeHost(root);
    try (LinuxAssignment a = LinuxAssignment.of(host.options(), List.of(FakeHost.NIC), TAKE)) {
      Ending ending = Ending.byHand();
      Thread device =
          new Thread(() -> {
            for (int i = 0; !ending.isAsked(); i++) {
              host.kernel.raise(FakeHost.NIC, 2);
              if (i == 2000) {
                ending.ask();
              }
            }
          });
      device.start();
      Run run =
          host.run(
              ending,
              "trace",
              "00:06.0",
              "--vector",
              "2",
              "--watch",
              "--on",
              "linux",
              "--root",
              root.toString());
      device.join();
      assertEquals(0, run.status(), run::toString);
      assertTrue(run.out().contains("delivered: the kernel counted"), run.out());
      assertFalse(a.functions().isEmpty());
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          trace 00:06.0 --watch                       | --on linux is not given
          trace 00:06.0 --for 3                       | --on linux is not given
          trace 00:06.0 --on linux --for 0            | --for 0
          trace 00:06.0 --on linux --tables .         | --tables
          trace 09:00.0 --on linux                    | 0000:09:00.0
          trace nonsense --on linux                   | nonsense
          trace 00:06.0 --on linux --vector 5         | 0000:00:06.0 has 5 vectors and no vector 5
          trace 00:05.0 --on linux --vector 99999     | 0000:00:05.0 has 1 vector and no vector 99999
          trace ioapic:0 --on linux                   | --on linux watches a vector of a function, and ioapic:0 is an I/O APIC
          trace hpet:0 --on linux --json              | --on linux watches a vector of a function, and hpet:0 is an HPET
          """)
  @DisplayName("arguments that do not fit together are unusable")
  void unusable(String line, String names) {
    FakeHost host = new FakeHost(root);
    String[] args = (line + " --root " + root).split(" ", -1);
    Run run = host.run(Ending.byHand(), args);
    assertEquals(2, run.status(), run::toString);
    assertTrue((run.err() + run.out()).contains(names), run::toString);
  }
}
