import dev.doorbell.examples.DemoDriver;
import dev.doorbell.examples.EduProgram;
import dev.doorbell.linux.DriverBinding;
import dev.doorbell.linux.LinuxOptions;
import dev.doorbell.linux.LinuxOptions.Access;
import dev.doorbell.linux.LinuxVfio;
import dev.doorbell.pci.Sbdf;
import dev.doorbell.vfio.Vfio;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/// The user-space driver of `examples`, unchanged, on the running kernel.
final class Example {
  private Example() {}

  static void all(Access access) throws Exception {
    for (Sbdf f : Lab.find(Kind.EDU)) {
      if (Lab.isAlone(f)) {
        Lab.guarded("%s example %s".formatted(access, f), () -> one(access, f));
      }
    }
  }

  private static void one(Access access, Sbdf f) throws Exception {
    LinuxOptions options = LinuxOptions.USUAL.with(access);
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    try (DriverBinding bound = DriverBinding.toVfio(options, f);
        Vfio vfio = LinuxVfio.open(options)) {
      PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8);
      int vectors = new DemoDriver(vfio, EduProgram::new, out).run(f);
      Lab.check(vectors == 1, "%s example %s: vectors: %d".formatted(access, f, vectors));
    } finally {
      said.toString(StandardCharsets.UTF_8).lines().forEach(Lab::say);
    }
  }
}
