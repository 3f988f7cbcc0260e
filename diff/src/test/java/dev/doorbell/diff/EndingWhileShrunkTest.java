package dev.doorbell.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.qemu.QemuBinary;
import dev.doorbell.qemu.QemuVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@DisplayName(
    "a difference is reported, whatever becomes of the other machine while its scenario is made smaller")
class EndingWhileShrunkTest {
  /// Loses interrupts, and ends at its third reset.
  private static final class Ending implements Rig {
    private final IommuRig model = (IommuRig) Hardware.AMDVI.twin();
    private final QemuBinary old;
    private int resets;

    /// @param old a program too old, which is one way to end
    Ending(QemuBinary old) {
      this.old = old;
    }

    @Override
    public String name() {
      return "one that ends";
    }

    @Override
    public void reset() {
      if (++resets > 2) {
        old.requireAtLeast(new QemuVersion(10, 0, 0));
      }
      model.reset();
    }

    @Override
    public PhysicalMemory memory() {
      return model.memory();
    }

    @Override
    public void write(long address, long value, int bytes) {
      model.write(address, value, bytes);
    }

    @Override
    public void store(long address, List<Long> words) {
      model.store(address, words);
    }

    @Override
    public long[] ask(List<Place> places) {
      return model.ask(places);
    }

    @Override
    public void settle() {}

    @Override
    public void message(int requester, long address, int data) {
      model.message(requester, address, data);
    }

    @Override
    public long fetch(int requester, long address) {
      return model.fetch(requester, address);
    }

    @Override
    public List<String> interrupts() {
      assertTrue(model.interrupts().size() < 100);
      return List.of();
    }

    @Override
    public void close() {}
  }

  @Test
  @DisplayName("the finding has the scenario as far as it was made smaller")
  void reported(@TempDir Path folder) throws IOException {
    Path old =
        Files.createFile(
            folder.resolve("qemu-system-x86_64"),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Files.writeString(old, "#!/bin/sh\necho QEMU emulator version 9.2.4\n");
    Ending ending = new Ending(new QemuBinary(old));
    try (Differential d = Differential.with(Hardware.AMDVI, QemuVersion.LEAST, ending)) {
      Differential.Report report = d.run(1, 50, 40, _ -> {});
      assertTrue(report.finding().isPresent());
      assertFalse(report.finding().orElseThrow().script().isEmpty());
      assertEquals(3, ending.resets);
    }
  }
}
