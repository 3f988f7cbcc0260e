import dev.doorbell.linux.DriverBinding;
import dev.doorbell.linux.LinuxDevice;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.linux.LinuxVfio;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Container;
import dev.doorbell.vfio.ContainerOptions;
import dev.doorbell.vfio.Group;

/// A function bound to vfio-pci, its group in a container, opened, and allowed to master the bus. Closing gives all of it back.
final class Assigned implements AutoCloseable {
  private final Sbdf function;
  private final DriverBinding binding;
  private final LinuxVfio vfio;
  private final Container container;
  private final LinuxDevice device;

  private Assigned(Sbdf function, DriverBinding binding, LinuxVfio vfio, Container container, LinuxDevice device) {
    this.function = function;
    this.binding = binding;
    this.vfio = vfio;
    this.container = container;
    this.device = device;
  }

  static ContainerOptions containerOptions() {
    return Lab.MACHINE.equals("arm64-v2m") ? ContainerOptions.USUAL.withUnsafeInterrupts() : ContainerOptions.USUAL;
  }

  static Assigned of(Access access, Sbdf function) {
    LinuxOptions options = LinuxOptions.USUAL.with(access);
    DriverBinding binding = DriverBinding.toVfio(options, function);
    LinuxVfio vfio = null;
    Container container = null;
    try {
      vfio = LinuxVfio.open(options);
      container = vfio.open(containerOptions());
      Group group = vfio.group(function);
      container.attach(group);
      LinuxDevice device = (LinuxDevice) group.open(function);
      master(device);
      return new Assigned(function, binding, vfio, container, device);
    } catch (RuntimeException | Error e) {
      if (container != null) {
        container.close();
      }
      if (vfio != null) {
        vfio.close();
      }
      binding.close();
      throw e;
    }
  }

  /// Lets a function read its registers and send: Memory Space Enable, Bus Master Enable.
  static void master(LinuxDevice d) {
    d.config().write(4, d.config().read16(4) | 6, 2);
  }

  Sbdf function() {
    return function;
  }

  String before() {
    return binding.before().orElse("");
  }

  DriverBinding binding() {
    return binding;
  }

  LinuxVfio vfio() {
    return vfio;
  }

  Group group() {
    return vfio.group(function);
  }

  Container container() {
    return container;
  }

  LinuxDevice device() {
    return device;
  }

  /// Gives back all but the binding, as a process does whose function is taken from it.
  void letGo() {
    device.close();
    container.close();
    vfio.close();
  }

  @Override
  public void close() {
    letGo();
    binding.close();
  }
}
