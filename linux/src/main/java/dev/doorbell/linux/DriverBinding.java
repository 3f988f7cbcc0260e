package dev.doorbell.linux;

import dev.doorbell.bus.Rollback;
import dev.doorbell.pci.Sbdf;
import java.util.Optional;

/// A function taken from its driver and given to another one, until this is closed.
///
/// `driver_override` is used and never `new_id`, which would take every function of the same kind, and fails for the second one. A function
/// that vfio-pci has already is left alone, now and at the end.
///
/// **Source**: Linux `Documentation/ABI/testing/sysfs-bus-pci` (`driver_override`, `drivers_probe`, `unbind`)
public final class DriverBinding implements AutoCloseable {
  private static final String VFIO = "vfio-pci";

  private final Kernel kernel;
  private final HostFiles files;
  private final Sbdf function;
  private final Optional<String> before;
  private final Optional<String> override;
  private boolean closed;

  private DriverBinding(LinuxOptions options, Sbdf function) {
    this.kernel = new Kernel(options.calls());
    this.files = new HostFiles(options.root());
    this.function = function;
    this.before = files.driver(function);
    this.override = files.driverOverride(function);
  }

  /// {@return the function bound to vfio-pci}
  ///
  /// @throws ErrnoException when the kernel refuses; the function is back with its driver then
  public static DriverBinding toVfio(LinuxOptions options, Sbdf function) {
    DriverBinding b = new DriverBinding(options, function);
    if (b.before.equals(Optional.of(VFIO))) {
      return b;
    }
    try (Rollback rollback = new Rollback()) {
      b.write(b.file("driver_override"), VFIO);
      rollback.add(b::giveBack);
      b.unbind();
      b.probe();
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

  /// Refuses a function that works for the host.
  ///
  /// @throws DriverInUse when a driver other than one for users has it
  public static void requireFree(LinuxOptions options, Sbdf function) {
    new HostFiles(options.root()).requireFree(function);
  }

  public Sbdf function() {
    return function;
  }

  /// {@return the driver that it had; empty when it had none}
  public Optional<String> before() {
    return before;
  }

  private void unbind() {
    if (files.driver(function).isPresent()) {
      write(file("driver/unbind"), function.toString());
    }
  }

  private void probe() {
    write("sys/bus/pci/drivers_probe", function.toString());
  }

  private String file(String name) {
    return HostFiles.device(function) + "/" + name;
  }

  private void giveBack() {
    if (!files.exists(function)) {
      // Unplugged meanwhile: there is nothing to give back, and whoever comes to its place has
      // settings of its own.
      return;
    }
    boolean moved = !files.driver(function).equals(before);
    try {
      if (moved) {
        unbind();
      }
    } finally {
      write(file("driver_override"), override.orElse(""));
    }
    if (moved && before.isPresent()) {
      probe();
      if (!files.driver(function).equals(before)) {
        throw new ErrnoException(
            "drivers_probe",
            function.toString(),
            Errno.ENODEV,
            new Because(
                "driver %s did not take it back; it has %s"
                    .formatted(before.get(), files.driver(function).orElse("none")),
                "look at the end of `dmesg`, then write %s to /sys/bus/pci/drivers_probe"
                    .formatted(function)));
      }
    }
  }

  private void write(String path, String line) {
    new Attribute(kernel, files.resolve(path).toString(), DriverBinding::notWritable).write(line);
  }

  private static Because notWritable(Errno e) {
    return switch (e.name()) {
      case "EACCES", "EPERM" -> new Because("this user may not bind drivers", "run as root");
      case "EROFS" ->
          new Because(
              "sysfs is mounted for reading alone, as containers have it",
              "bind the function to vfio-pci outside, or run on the host itself");
      case "ENOENT" ->
          new Because(
              "the function is gone, or this kernel knows no driver_override",
              "see whether the function is still there; the kernel must be 3.16 or later");
      default -> Because.general(e);
    };
  }

  /// Takes the function from vfio-pci and gives it back to the driver that it had. Nobody has it open any more.
  ///
  /// @throws ErrnoException when the kernel refuses, or the driver does not take it back
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      if (!before.equals(Optional.of(VFIO))) {
        giveBack();
      }
    }
  }
}
