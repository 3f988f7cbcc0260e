package dev.doorbell.vfio;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.address.Iova;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.hw.pcie.DemoLayout;
import dev.doorbell.hw.pcie.EndpointSpec;
import dev.doorbell.hw.pcie.EndpointSpec.Msi;
import dev.doorbell.linux.FakeKernel;
import dev.doorbell.linux.FakePower;
import dev.doorbell.linux.Held;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LinuxVfio;
import dev.doorbell.pci.Sbdf;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// The kernel's implementation over a kernel in memory.
final class FakeKernelLab implements VfioLab {
  private static final Sbdf MSI = Sbdf.parse("00:04.0");
  private static final Sbdf USED = Sbdf.parse("00:05.0");
  final FakeKernel kernel;
  private final Path root;
  private final LinuxVfio vfio;
  private final boolean translates;
  private final Map<String, Integer> before;

  FakeKernelLab(LinuxOptions.Access access, boolean resizable) {
    this(access, resizable, FakePower.NONE);
  }

  /// @param power what POWER server the machine is, if one
  FakeKernelLab(LinuxOptions.Access access, boolean resizable, FakePower power) {
    before = Held.now();
    try {
      root = Files.createTempDirectory("doorbell-fake-kernel");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    kernel = new FakeKernel(root);
    if (power != FakePower.NONE) {
      kernel.makePower(power);
    }
    translates = power == FakePower.NONE;
    for (Sbdf f : msix()) {
      kernel.add(f, EndpointSpec.demo(8), "vfio-pci", resizable);
    }
    kernel.add(MSI, EndpointSpec.demoMsi(new Msi(8, true, true)), "vfio-pci", false);
    kernel.add(USED, EndpointSpec.demo(8), "nvme", resizable);
    vfio = LinuxVfio.open(new LinuxOptions(kernel.calls(), root, access, false, f -> List.of()));
  }

  @Override
  public LinuxVfio vfio() {
    return vfio;
  }

  @Override
  public WindowAnswer windowAnswer() {
    return WindowAnswer.FIXED;
  }

  @Override
  public boolean translatesMessages() {
    return translates;
  }

  @Override
  public List<Sbdf> msix() {
    return List.of(Sbdf.parse("00:01.0"), Sbdf.parse("00:02.0"), Sbdf.parse("00:03.0"));
  }

  @Override
  public Sbdf msi() {
    return MSI;
  }

  @Override
  public Sbdf usedByHost() {
    return USED;
  }

  /// Isolation is the whole machine's on Linux: from now on it has none.
  @Override
  public Optional<Sbdf> notIsolated() {
    if (!translates) {
      return Optional.empty();
    }
    kernel.makeUnsafe();
    return Optional.of(msix().getLast());
  }

  @Override
  public void raise(Device device, int vector) {
    device.region(RegionType.BAR0).write(DemoLayout.RING.offset(), vector, Integer.BYTES);
  }

  @Override
  public boolean copy(Device device, Iova from, Iova to, int bytes) {
    RegisterBus r = device.region(RegionType.BAR0);
    r.write(DemoLayout.SOURCE.offset(), from.value(), Long.BYTES);
    r.write(DemoLayout.DESTINATION.offset(), to.value(), Long.BYTES);
    r.write(DemoLayout.LENGTH.offset(), bytes, Integer.BYTES);
    r.write(DemoLayout.COPY.offset(), DemoLayout.START.place(1), Integer.BYTES);
    long done = r.read(DemoLayout.COPIED.offset(), Integer.BYTES);
    return DemoLayout.DONE.isSet(done)
        && !DemoLayout.READ_ERROR.isSet(done)
        && !DemoLayout.WRITE_ERROR.isSet(done);
  }

  @Override
  public boolean isBusMaster(Sbdf function) {
    return kernel.isBusMaster(function);
  }

  @Override
  public void close() {
    vfio.close();
    assertEquals(before, Held.now(), "every open file is given back");
    try (Stream<Path> all = Files.walk(root)) {
      for (Path p : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(p);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
