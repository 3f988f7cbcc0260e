package dev.doorbell.examples;

import dev.doorbell.description.MachineDescription;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostVfio;
import dev.doorbell.machine.DemoEndpoint;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.machine.Machine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Vfio;
import java.nio.file.Path;

/// Runs {@link DemoDriver} on a machine of models: a capture, with `doorbell-demo` plugged into its first root bus.
public final class OnModels {
  private static final Sbdf PLACE = Sbdf.parse("0000:00:1f.0");
  private static final int VECTORS = 8;

  private OnModels() {}

  /// {@return what the driver did on a captured machine}
  ///
  /// @param sysroot a capture, such as a folder of `samples`
  public static DemoDriver.Outcome run(Path sysroot) throws InterruptedException {
    MachineDescription captured = Firmware.read(Sysroot.open(sysroot));
    try (Machine machine = EmbeddedMachine.of(DemoEndpoint.plug(captured, PLACE, VECTORS));
        Vfio vfio = HostVfio.open(Host.start(machine))) {
      return new DemoDriver(vfio, DemoProgram::new).run(PLACE);
    }
  }

  /// @param args the sysroot
  public static void main(String[] args) throws InterruptedException {
    DemoDriver.Outcome done = run(Path.of(args[0]));
    System.out.printf(
        "needed an MSI window of 0x%x bytes for %s, had %s%n",
        done.need().bytes(),
        String.join(", ", done.need().doorbells()),
        done.window().map(Object::toString).orElse("none"));
    System.out.printf("%d vectors arrived, %d bytes copied%n", done.vectors(), done.copied());
  }
}
