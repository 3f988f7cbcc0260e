package dev.doorbell.diff;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.doorbell.qemu.QemuBinary;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("issue 3, differential test: scenarios that once showed a difference, settled since")
class SettledScenariosTest {
  @ParameterizedTest(name = "{0}")
  @ValueSource(
      strings = {
        // A table pointer to the start of RAM, where QEMU keeps its device tree: no difference of
        // SMMUs.
        "smmuv3-101317",
        // AF = 0 leads a message into the command queue, where the comparison did not look.
        "smmuv3-105025",
        // The ASID in memory is not that of the cached CD, whose older translations may be cached.
        "smmuv3-115116",
        // `smmu-block-level` with CD.R = 0, where the model leaves no record.
        "smmuv3-5649",
        // `smmu-ttb1` where the CD's own T0SZ is ILLEGAL, which comes first.
        "smmuv3-31426",
        // The upper half of an address in an event record is the datum of the next message.
        "smmuv3-81560",
        // Two streams have one CD: translations by the one that still has it cached serve both.
        "smmuv3-130791",
        // CMD_TLBI_NH_ASID leaves a global block cached, where a table is now.
        "smmuv3-257560",
        // AF = 0 leads a message behind the event queue, where the comparison did not look.
        "smmuv3-288588",
        // A CD with R = 0 uses a table pointer that a CD before it, with R = 1 and the same ASID,
        // left cached.
        "smmuv3-443503",
        // A tag above the address, which the CD ignores now and did not when the translation was
        // cached.
        "smmuv3-507040",
        // AF = 0 leads a message into a table, which the next message's walk reads.
        "smmuv3-688766",
        // TTB0 is the stream table: its words are descriptors, too.
        "smmuv3-722694",
        // A global page, cached by another CD with another ASID.
        "smmuv3-940164",
        // A read of the board's flash, which a message had put into another mode.
        "smmuv3-full-10351",
        // A page table that cannot be read, which SSPTPTR names: ours was 7h.
        "vtd-10",
        // Bit 62 of a second-stage entry, which ours passed over.
        "vtd-34",
        // `apic-redirection-hint` while interrupts are not remapped.
        "vtd-905",
        // `gicv2-subpriority` because the binary point changed under an active interrupt.
        "gicv2m-37004"
      })
  @DisplayName("they show none")
  void none(String name) throws IOException {
    none(name, QemuDifferentialTest.usual(hardware(name)));
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(
      strings = {
        // S1ContextPtr of a nested stream beyond every address: QEMU does not cut it there.
        "smmuv3-nested-99",
        // A leaf of stage 1 alone beyond CD.IPS, which is recorded, by a stream that QEMU's Span
        // takes.
        "smmuv3-10-20610",
        // A table of a nested stream beyond the SMMU's own size, which is below CD.IPS.
        "smmuv3-full-nested-456"
      })
  @DisplayName("nor on QEMU 10, whose SMMU has two stages")
  void noneOnTen(String name) throws IOException {
    none(name, QemuDifferentialTest.ten());
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(
      strings = {
        // S1ContextPtr of a nested stream beyond every address: QEMU 11 takes all of it.
        "smmuv3-nested-99",
        // The same with stage 1 alone: F_CD_FETCH with all of it.
        "smmuv3-11-160",
        // TTB0 with a bit above 51, which QEMU 11 cuts off.
        "smmuv3-11-334"
      })
  @DisplayName("nor on QEMU 11, which does not cut S1ContextPtr")
  void noneOnEleven(String name, @TempDir Path folder) throws IOException {
    none(name, QemuDifferentialTest.eleven(folder));
  }

  private static Hardware hardware(String name) throws IOException {
    return Script.parse(read(name), name).scenario().hardware();
  }

  private static void none(String name, QemuBinary binary) throws IOException {
    Recording recording = Script.parse(read(name), name);
    try (Differential d = Differential.start(recording.scenario().hardware(), binary)) {
      assertEquals(Optional.empty(), d.replay(recording).finding());
    }
  }

  private static String read(String name) throws IOException {
    try (InputStream in =
        SettledScenariosTest.class.getResourceAsStream("settled/%s.txt".formatted(name))) {
      assertNotNull(in, name);
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
