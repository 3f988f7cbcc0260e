package dev.doorbell.examples;

import dev.doorbell.description.MachineDescription;
import dev.doorbell.explain.Refusal;
import dev.doorbell.explain.Refused;
import dev.doorbell.firmware.Firmware;
import dev.doorbell.firmware.Sysroot;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostVfio;
import dev.doorbell.machine.DemoEndpoint;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.machine.Machine;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Vfio;
import java.io.PrintStream;
import java.nio.file.Path;

/// Runs {@link DemoDriver} on a machine of models: a capture, with `doorbell-demo` plugged into its first root bus.
public final class OnModels {
  private static final Sbdf PLACE = Sbdf.parse("0000:00:1f.0");
  private static final int VECTORS = 8;

  private OnModels() {}

  /// Runs the driver on a captured machine.
  ///
  /// {@return how many vectors arrived}
  ///
  /// @param sysroot a capture, such as a folder of `samples`
  /// @param out where the driver says what it does
  public static int run(Path sysroot, PrintStream out) throws InterruptedException {
    MachineDescription captured = Firmware.read(Sysroot.open(sysroot));
    try (Machine machine = EmbeddedMachine.of(DemoEndpoint.plug(captured, PLACE, VECTORS));
        Vfio vfio = HostVfio.open(Host.start(machine))) {
      return new DemoDriver(vfio, DemoProgram::new, out).run(PLACE);
    }
  }

  /// @param args the sysroot
  public static void main(String[] args) throws InterruptedException {
    try {
      run(Path.of(args[0]), System.out);
    } catch (RuntimeException e) {
      if (!(e instanceof Refused refused)) {
        throw e;
      }
      Refusal r = refused.refusal();
      System.out.printf("refused: %s: %s%n%s%n", r.type(), r.message(), r.advice());
      System.exit(1);
    }
  }
}
