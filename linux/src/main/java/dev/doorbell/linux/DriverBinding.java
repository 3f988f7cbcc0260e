package dev.doorbell.linux;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.doorbell.bus.Rollback;
import dev.doorbell.pci.Sbdf;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Optional;

/// A function taken from its driver and given to another one, until this is closed.
///
/// `driver_override` is used and never `new_id`, which would take every function of the same kind, and fails for the second one.
///
/// **Source**: Linux `Documentation/ABI/testing/sysfs-bus-pci` (`driver_override`, `drivers_probe`, `unbind`)
public final class DriverBinding implements AutoCloseable {
  private static final String VFIO = "vfio-pci";
  private static final String NONE = "\n";

  private final Kernel kernel;
  private final HostFiles files;
  private final Path root;
  private final Sbdf function;
  private final Optional<String> before;
  private boolean closed;

  private DriverBinding(LinuxOptions options, Sbdf function) {
    this.kernel = new Kernel(options.calls());
    this.files = new HostFiles(options.root());
    this.root = options.root();
    this.function = function;
    this.before = files.driver(function);
  }

  /// {@return the function bound to vfio-pci}
  ///
  /// @throws ErrnoException when the kernel refuses; the function is back with its driver then
  public static DriverBinding toVfio(LinuxOptions options, Sbdf function) {
    DriverBinding b = new DriverBinding(options, function);
    try (Rollback rollback = new Rollback()) {
      rollback.add(b::giveBack);
      b.write(b.file("driver_override"), VFIO + "\n");
      b.unbind();
      b.write(Path.of("sys/bus/pci/drivers_probe"), function + "\n");
      if (!b.files.driver(function).equals(Optional.of(VFIO))) {
        throw new ErrnoException(
            "drivers_probe",
            function.toString(),
            Errno.ENODEV,
            new Because(
                "the driver vfio-pci did not take it",
                "`modprobe vfio-pci`, and look at the end of `dmesg`"));
      }
      rollback.commit();
    }
    return b;
  }

  /// {@return the driver that it had; empty when it had none}
  public Optional<String> before() {
    return before;
  }

  private void unbind() {
    if (files.driver(function).isPresent()) {
      write(file("driver/unbind"), function + "\n");
    }
  }

  private Path file(String name) {
    return Path.of(HostFiles.device(function), name);
  }

  private void giveBack() {
    if (files.driver(function).equals(before)) {
      write(file("driver_override"), NONE);
      return;
    }
    unbind();
    write(file("driver_override"), NONE);
    if (before.isPresent()) {
      write(Path.of("sys/bus/pci/drivers_probe"), function + "\n");
    }
  }

  private void write(Path path, String text) {
    String full = root.resolve(path).toString();
    byte[] bytes = text.getBytes(UTF_8);
    try (Arena arena = Arena.ofConfined();
        Descriptor d = kernel.open(full, KernelConstants.O_WRONLY, Because::general)) {
      MemorySegment m = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
      Kernel.check(d.tryWrite(m), "write of '" + text.strip() + "'", full);
    }
  }

  /// Takes the function from vfio-pci and gives it back to the driver that it had. Nobody has it open any more.
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      giveBack();
    }
  }
}
