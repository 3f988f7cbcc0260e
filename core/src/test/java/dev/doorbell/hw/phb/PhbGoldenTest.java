package dev.doorbell.hw.phb;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.Layout;
import dev.doorbell.bits.Register;
import dev.doorbell.bits.RegisterMap;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.simple.ModelRegisters;
import dev.doorbell.testkit.Golden;
import java.io.IOException;
import java.util.List;
import java.util.function.LongUnaryOperator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// What the driver leaves in a bridge and in memory, word by word, after one function has two windows, another none, a third all memory, and vectors are on,
/// masked and given back.
///
/// The golden texts were compared by hand with skiboot 7.1 `hw/phb3.c` (`phb3_map_pe_dma_window`, `phb3_map_pe_dma_window_real`, `phb3_set_pe`,
/// `phb3_set_ive_pe`, `phb3_msi_set_xive`), `hw/phb4.c` (the same functions of a PHB4) and Linux 6.12 `arch/powerpc/platforms/powernv/pci-ioda-tce.c`
/// (`pnv_pci_ioda2_table_do_alloc_pages`, `pnv_tce_build`); words of the same kinds that these programs themselves wrote are compared by
/// {@link PhbLinuxTablesTest}.
@DisplayName(
    "PHB3 and PHB4: registers, tables in the bridge and tables in memory, as the driver leaves them")
class PhbGoldenTest {
  private static final int TRANSLATED = 0x100;
  private static final int BLOCKED = 0x200;
  private static final int UNTRANSLATED = 0x300;
  private static final long SECOND = 1L << 59;

  private final StringBuilder text = new StringBuilder();

  @Test
  @DisplayName("PHB4")
  void phb4() throws IOException {
    Phb4Bench bench = new Phb4Bench();
    program(bench.driver);
    vectors(bench.driver);
    registers(new ModelRegisters(bench.model), Phb4Registers.MAP);
    own(bench.driver);
    memory(bench.memory, new ModelRegisters(bench.model), Phb4Bench.PES, bench.driver);
    Golden.check("phb/phb4.txt", text.toString());
  }

  @Test
  @DisplayName("PHB3, with entries of 128 bytes, as firmware asks for")
  void phb3() throws IOException {
    Phb3Bench bench = new Phb3Bench(true);
    program(bench.driver);
    vectors(bench.driver);
    ModelRegisters registers = new ModelRegisters(bench.model);
    registers(registers, Phb3Registers.MAP);
    own(bench.driver);
    memory(bench.memory, registers, Phb3Model.PES, bench.driver);
    long ivt = Phb3Registers.IVT_BASE.get(registers.read64(Phb3Registers.IVT_BAR.offset()));
    long off =
        IveLayout.PRIORITY.place(IveLayout.MASKED) | IveLayout.PE.place(bench.driver.nobody());
    words(bench.memory, "IVE", ivt, 128, Phb3Tables.ENTRIES, IveLayout.LAYOUT, off);
    Golden.check("phb/phb3.txt", text.toString());
  }

  private static void program(PhbDriver driver) {
    AddressSpace both =
        driver.createAddressSpace(
            Granule.K4,
            List.of(AddressRange.ofSize(0, 1L << 31), AddressRange.ofSize(SECOND, 1L << 54)));
    both.map(new Iova(0x1000), new Pa(0x2000_0000L), 0x2000, Protection.READ_WRITE);
    both.map(new Iova(0x7fff_f000L), new Pa(0x1_2345_6000L), 0x1000, Protection.READ_ONLY);
    both.map(new Iova(SECOND | 1L << 53), new Pa(0x3000_0000L), 0x1000, Protection.DOORBELL);
    driver.attach(TRANSLATED, both);
    driver.attach(BLOCKED, both);
    driver.block(BLOCKED);
    driver.bypass(UNTRANSLATED);
  }

  private static void vectors(PhbDriver driver) {
    VectorBlock b = driver.messages().allocate(new MsiSource("f", TRANSLATED), 4, false);
    for (int i = 0; i < b.count(); i++) {
      b.activate(i, i % 2);
    }
    b.mask(2);
    driver.messages().allocate(new MsiSource("gone", UNTRANSLATED), 2, false).free();
  }

  private void registers(ModelRegisters registers, RegisterMap map) {
    for (Register r : map.registers()) {
      long value = registers.read64(r.offset());
      text.append("%s 0x%x%s%n".formatted(r.name(), value, told(r.layout(), value)));
    }
  }

  private void own(PhbDriver driver) {
    driver
        .own()
        .forEach((name, value) -> {
          Layout layout =
              name.startsWith("TVT")
                  ? TveLayout.IO_PSIZE.get(value) == 0 ? TveLayout.REAL_LAYOUT : TveLayout.LAYOUT
                  : name.startsWith("MIST") ? MistLayout.LAYOUT : Phb4Registers.WORD_LAYOUT;
          text.append("%s 0x%x%s%n".formatted(name, value, told(layout, value)));
        });
  }

  private void memory(PhysicalMemory memory, ModelRegisters registers, int pes, PhbDriver driver) {
    long rtt = Phb4Registers.RTT_BASE.get(registers.read64(Phb4Registers.RTT_BAR.offset()));
    for (int rid = 0; rid < RttLayout.ENTRIES; rid++) {
      long pe = RttLayout.swapped(memory.read(rtt + (long) rid * RttLayout.BYTES, 2));
      if (pe != driver.nobody()) {
        text.append("RTE 0x%x: 0x%04x%n".formatted(rid, pe));
      }
    }
    long peltv = Phb4Registers.PELTV_BASE.get(registers.read64(Phb4Registers.PELTV_BAR.offset()));
    words(memory, "PELT-V word", peltv, 8, pes * pes / 64, Phb4Registers.WORD_LAYOUT, 0);
    long pest = Phb4Registers.PEST_BASE.get(registers.read64(Phb4Registers.PEST_BAR.offset()));
    words(memory, "PEST word", pest, 8, 2 * pes, Phb4Registers.WORD_LAYOUT, 0);
    for (int window = 0; window < TveLayout.PER_PE; window++) {
      long tve = driver.own().get("TVT" + TveLayout.index(1, window * SECOND));
      tables(memory, tve, TveLayout.table(tve), TveLayout.NUM_LEVELS.getInt(tve));
    }
  }

  private void tables(PhysicalMemory memory, long tve, long table, int level) {
    LongUnaryOperator tce = i -> TceLayout.swapped(memory.read64(table + i * TceLayout.BYTES));
    words(
        memory,
        "TCE of level " + level,
        table,
        8,
        1 << TveLayout.entriesShift(tve),
        TceLayout.LAYOUT,
        0);
    for (long i = 0; level > 0 && i < 1L << TveLayout.entriesShift(tve); i++) {
      if (TceLayout.isValid(tce.applyAsLong(i))) {
        tables(memory, tve, TceLayout.RPN.get(tce.applyAsLong(i)), level - 1);
      }
    }
  }

  private void words(
      PhysicalMemory memory,
      String name,
      long base,
      int step,
      int count,
      Layout layout,
      long idle) {
    for (int i = 0; i < count; i++) {
      long at = base + (long) i * step;
      long word = Long.reverseBytes(memory.read64(at));
      if (word != idle) {
        text.append("%s %d at 0x%x: 0x%016x%s%n".formatted(name, i, at, word, told(layout, word)));
      }
    }
  }

  private static String told(Layout layout, long value) {
    return layout.decode(value).stream()
        .filter(d -> d.raw() != 0 && !d.toString().startsWith("value"))
        .map(d -> " " + d)
        .collect(Collectors.joining());
  }
}
