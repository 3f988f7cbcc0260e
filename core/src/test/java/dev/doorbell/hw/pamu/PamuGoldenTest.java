package dev.doorbell.hw.pamu;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.simple.CountedFrames;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.simple.PlainMemory;
import dev.doorbell.testkit.Golden;
import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// The tables of two LIODNs, word by word: nothing else has a PAMU that could be asked.
///
/// The golden text was compared by hand with Linux 6.12 `drivers/iommu/fsl_pamu.h` and `fsl_pamu.c` (`map_addrspace_size_to_wse`,
/// `map_subwindow_cnt_to_wce`, `pamu_init_ppaace`, `pamu_init_spaace`, `setup_omt`, `setup_qbman_paace`).
@DisplayName("PAMU: entries in memory, as the driver leaves them")
class PamuGoldenTest {
  private static final long BASE = 0x1000_0000L;
  private static final int LIODNS = 64;
  private static final List<Layout> PRIMARY =
      List.of(
          PaaceLayout.HIGH_LAYOUT,
          PaaceLayout.PRIMARY_LAYOUT,
          PaaceLayout.DA_LAYOUT,
          PaaceLayout.IA_LAYOUT,
          PaaceLayout.HIGH_LAYOUT,
          PaaceLayout.WIN_LAYOUT,
          PaaceLayout.INDEX_LAYOUT,
          OmtLayout.OP_LAYOUT);
  private static final List<Layout> SECONDARY =
      List.of(
          PaaceLayout.INDEX_LAYOUT,
          PaaceLayout.SECONDARY_LAYOUT,
          PaaceLayout.DA_LAYOUT,
          PaaceLayout.IA_LAYOUT,
          PaaceLayout.HIGH_LAYOUT,
          PaaceLayout.WIN_LAYOUT,
          PaaceLayout.INDEX_LAYOUT,
          OmtLayout.OP_LAYOUT);

  private final PlainMemory memory = new PlainMemory(BASE, 0x100_0000);
  private final CountedFrames frames = new CountedFrames(memory, BASE, 0x100_0000);
  private final ModelRegisters registers = new ModelRegisters(new PamuModel(memory, LIODNS - 1));
  private final PamuDriver driver =
      PamuDriver.open("pamu", List.of(registers), memory, frames, LIODNS);
  private final StringBuilder text = new StringBuilder();

  @Test
  @DisplayName(
      "RAM beside a bank's page, in sub-windows; one window; a LIODN that is blocked; operations that are mapped")
  void tables() throws IOException {
    AddressSpace both = driver.createAddressSpace(Granule.K4);
    both.map(new Iova(0), new Pa(0x4000_0000L), 0x1000_0000L, Protection.READ_WRITE);
    both.map(new Iova(0x1000_0000L), new Pa(0xf_fe04_4000L), 0x1000, Protection.DOORBELL);
    driver.attach(5, both);
    AddressSpace one = driver.createAddressSpace(Granule.K4);
    one.map(new Iova(0x8000_0000L), new Pa(0x2_0000_0000L), 0x4000_0000L, Protection.READ_ONLY);
    driver.attach(9, one);
    driver.attach(11, one);
    driver.block(11);
    driver.operations(13, OperationMapping.indexed(OperationMapping.QMAN).stashing(0x42));
    driver.bypass(13);
    driver.operations(
        14, OperationMapping.immediate(OmtLayout.EOE_RWNITC, OmtLayout.EOE_WWSA).stashing(3));
    driver.attach(14, both);
    for (Register r :
        List.of(
            PamuRegisters.PPBAH,
            PamuRegisters.PPBAL,
            PamuRegisters.PPLAH,
            PamuRegisters.PPLAL,
            PamuRegisters.SPBAH,
            PamuRegisters.SPBAL,
            PamuRegisters.SPLAH,
            PamuRegisters.SPLAL,
            PamuRegisters.OBAH,
            PamuRegisters.OBAL,
            PamuRegisters.OLAH,
            PamuRegisters.OLAL,
            PamuRegisters.PC)) {
      text.append("%s 0x%08x%n".formatted(r.name(), registers.read32(r.offset())));
    }
    table(
        "PPAACT",
        Integer.toUnsignedLong(registers.read32(PamuRegisters.PPBAL.offset())),
        LIODNS,
        PRIMARY);
    table(
        "SPAACT",
        Integer.toUnsignedLong(registers.read32(PamuRegisters.SPBAL.offset())),
        16,
        SECONDARY);
    mappings();
    Golden.check("pamu/tables.txt", text.toString());
  }

  private void table(String name, long base, int entries, List<Layout> layouts) {
    for (int i = 0; i < entries; i++) {
      for (int w = 0; w < PaaceLayout.BYTES / Integer.BYTES; w++) {
        long at = base + (long) i * PaaceLayout.BYTES + (long) w * Integer.BYTES;
        long word = PaaceLayout.swapped(Integer.toUnsignedLong(memory.read32(at)));
        if (word != 0) {
          boolean indexed = w == PaaceLayout.OP && word <= OmtLayout.OMI.max();
          String meaning =
              indexed ? OmtLayout.OMI_LAYOUT.decode(word).toString() : told(layouts, w, word);
          text.append("%s %d, word %d: 0x%08x %s%n".formatted(name, i, w, word, meaning));
        }
      }
    }
  }

  private void mappings() {
    long base = Integer.toUnsignedLong(registers.read32(PamuRegisters.OBAL.offset()));
    for (int omi = 0; omi < OmtLayout.ENTRIES; omi++) {
      for (int operation = 0; operation < OmtLayout.BYTES; operation++) {
        long moe = memory.read(base + (long) omi * OmtLayout.BYTES + operation, Byte.BYTES);
        if (moe != 0) {
          text.append(
              "OMT %d, operation %d: 0x%02x %s%n"
                  .formatted(omi, operation, moe, OmtLayout.MOE_LAYOUT.decode(moe)));
        }
      }
    }
  }

  private static String told(List<Layout> layouts, int word, long value) {
    return word < layouts.size()
        ? layouts.get(word).decode(value).stream()
            .map(Object::toString)
            .collect(Collectors.joining(" "))
        : "unused";
  }
}
