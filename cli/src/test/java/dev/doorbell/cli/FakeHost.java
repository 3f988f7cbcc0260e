package dev.doorbell.cli;

import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.hw.pcie.EndpointSpec.Msi;
import dev.doorbell.linux.FailingCalls;
import dev.doorbell.linux.FakeKernel;
import dev.doorbell.linux.Held;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.pci.Sbdf;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// A host whose kernel is in memory: an ITS behind an SMMUv3 by the sample's firmware, a network card that the host works with, and an edu that it
/// does not.
final class FakeHost {
  static final Sbdf NIC = Sbdf.parse("0000:00:06.0");
  static final Sbdf EDU = Sbdf.parse("0000:00:05.0");

  final FakeKernel kernel;

  /// Between the commands and the kernel.
  final FailingCalls calls;

  private final Path root;
  private final Map<String, Integer> held = Held.now();

  FakeHost(Path root) {
    this.root = root;
    kernel = new FakeKernel(root);
    calls = new FailingCalls(kernel.calls());
    kernel.add(NIC, EndpointSpec.demo(5), "e1000e", true);
    kernel.add(EDU, EndpointSpec.demoMsi(new Msi(1, true, false)), "", false);
    kernel.write("sys/bus/pci/devices/" + NIC + "/net/eth0/x", "");
    copy(Path.of(Run.ITS).resolve("sys/firmware"), root.resolve("sys/firmware"));
  }

  private static void copy(Path from, Path to) {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path p : all.toList()) {
        Path target = to.resolve(from.relativize(p).toString());
        Files.createDirectories(target.getParent());
        if (Files.isRegularFile(p)) {
          Files.copy(p, target);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// {@return a command line run on it}
  Run run(Ending ending, String... args) {
    return Run.of(new Surroundings(at -> options(), ending), args);
  }

  Run run(String line) {
    return run(Ending.byHand(), (line + " --on linux --root " + root).split(" ", -1));
  }

  LinuxOptions options() {
    return new LinuxOptions(calls.calls(), root, Access.CONTAINER, false, f -> List.of());
  }

  Path root() {
    return root;
  }

  /// {@return what is otherwise than at the beginning; empty when nothing is}
  String changed() {
    String state =
        "%s %s %s %s"
            .formatted(
                kernel.driver(NIC),
                kernel.driver(EDU),
                kernel.read("sys/bus/pci/devices/" + NIC + "/driver_override").strip(),
                Held.now().equals(held));
    return state.equals("e1000e  (null) true") ? "" : state;
  }
}
