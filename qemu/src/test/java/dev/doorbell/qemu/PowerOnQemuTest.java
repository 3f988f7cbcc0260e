package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.hw.phb.Phb4Registers;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@DisplayName(
    "our drivers of PHB3 and XICS on QEMU's powernv8, of PHB4 and XIVE on powernv9, of PHB5 and XIVE2 on powernv10")
class PowerOnQemuTest {
  private static final int VECTORS = 4;
  private static final int MSIX = 0x11;
  private static final Iova WORK = new Iova(0x4000_0000L);
  private static final long SECOND = 1L << 59;

  /// All vectors of the controller, active at the first processor.
  private static VectorBlock activated(PowerNv machine) {
    VectorBlock vectors =
        machine.phb.messages().allocate(new MsiSource("nvme", PowerNv.RID), VECTORS, false);
    for (int i = 0; i < VECTORS; i++) {
      vectors.activate(i, 0);
    }
    return vectors;
  }

  @ParameterizedTest
  @CsvSource({"POWER8, 12", "POWER8, 16", "POWER9, 12", "POWER9, 16", "POWER10, 12", "POWER10, 16"})
  @DisplayName(
      "an NVMe controller reads its queues through our TCEs, and its messages pass IVE and ICP, or ESB, EAS, END and queue; masked ones are kept")
  void nvme(PowerNv.Chip chip, int shift) {
    try (PowerNv machine = PowerNv.startOrSkip(chip)) {
      VectorBlock vectors = activated(machine);
      RegisterBus bar0 = machine.bar0();
      program(machine, bar0, vectors);
      NvmeStimulus nvme = NvmeStimulus.open("nvme", bar0, work(machine, shift), VECTORS);
      collected(machine);
      for (int i = 1; i < VECTORS; i++) {
        raise(nvme, i);
        assertTrue(collected(machine).contains(i + "@0"), "vector " + i);
      }
      vectors.mask(1);
      raise(nvme, 1);
      raise(nvme, 2);
      assertEquals(List.of("2@0"), collected(machine));
      vectors.unmask(1);
      assertEquals(List.of("1@0"), collected(machine));
      vectors.free();
      raise(nvme, 3);
      assertEquals(List.of(), collected(machine), "given back");
    }
  }

  @ParameterizedTest
  @EnumSource(PowerNv.Chip.class)
  @DisplayName(
      "both windows of a PE, with tables of one to five levels, and untranslated with and without bit 59, are what QEMU walks too")
  void windows(PowerNv.Chip chip) {
    try (PowerNv machine = PowerNv.startOrSkip(chip)) {
      VectorBlock vectors = activated(machine);
      RegisterBus bar0 = machine.bar0();
      program(machine, bar0, vectors);
      Granule large = machine.phb.capabilities().granules().get(2);
      for (long start : new long[] {0, SECOND}) {
        for (int bits : new int[] {21, 22, 31, 48, 54}) {
          AddressSpace space =
              machine.phb.createAddressSpace(
                  Granule.K4, List.of(AddressRange.ofSize(start, 1L << bits)));
          works(machine, bar0, mapped(machine, space, start + 0x10_0000L));
        }
        AddressSpace space =
            machine.phb.createAddressSpace(large, List.of(AddressRange.ofSize(start, 1L << 40)));
        works(machine, bar0, mapped(machine, space, start + large.bytes()));
        machine.phb.bypass(PowerNv.RID);
        long bytes = Granule.K64.alignDown(NvmeStimulus.memoryBytes(VECTORS) + 0xffff);
        Pa memory = machine.frames.allocate(bytes, Granule.K64.bytes());
        works(
            machine,
            bar0,
            new DmaArea(machine.memory(), new Iova(start + memory.value()), memory, bytes));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(value = PowerNv.Chip.class, names = "POWER8", mode = EnumSource.Mode.EXCLUDE)
  @DisplayName(
      "a PE that somebody stopped in QEMU's bridge is told to be stopped, and is let go on: both bits are where QEMU has them")
  void stopped(PowerNv.Chip chip) {
    try (PowerNv machine = PowerNv.startOrSkip(chip)) {
      machine.phb.bypass(PowerNv.RID);
      assertTrue(machine.phb.stopped(PowerNv.RID).isEmpty());
      assertFalse(machine.phb.isFenced());
      for (int table : new int[] {Phb4Registers.PESTA, Phb4Registers.PESTB}) {
        select(machine, table);
        machine.registers().write64(Phb4Registers.IODA_DATA0.offset(), 1L << 63);
        assertEquals(1, machine.phb.stopped(PowerNv.RID).orElseThrow().pe(), "table " + table);
        machine.phb.thaw(PowerNv.RID);
        assertTrue(machine.phb.stopped(PowerNv.RID).isEmpty());
        select(machine, table);
        assertEquals(0, machine.registers().read64(Phb4Registers.IODA_DATA0.offset()));
      }
    }
  }

  /// The first PE is that of who came first.
  private static void select(PowerNv machine, int table) {
    machine
        .registers()
        .write64(
            Phb4Registers.IODA_ADDR.offset(),
            Phb4Registers.IODA_TSEL.place(table) | Phb4Registers.IODA_TADR.place(1));
  }

  private static void works(PowerNv machine, RegisterBus bar0, DmaArea work) {
    NvmeStimulus nvme = NvmeStimulus.open("nvme", bar0, work, VECTORS);
    collected(machine);
    raise(nvme, 2);
    assertTrue(collected(machine).contains("2@0"), work.toString());
  }

  private static void raise(NvmeStimulus nvme, int vector) {
    var unused = nvme.raise(vector);
  }

  private static DmaArea work(PowerNv machine, int shift) {
    Granule granule = new Granule(shift);
    return mapped(machine, machine.phb.createAddressSpace(granule), WORK.value());
  }

  private static DmaArea mapped(PowerNv machine, AddressSpace space, long at) {
    machine.phb.attach(PowerNv.RID, space);
    Granule granule = space.granule();
    long bytes = granule.alignDown(NvmeStimulus.memoryBytes(VECTORS) + granule.bytes() - 1);
    Pa memory = machine.frames.allocate(bytes, granule.bytes());
    space.map(new Iova(at), memory, bytes, Protection.READ_WRITE);
    return new DmaArea(machine.memory(), new Iova(at), memory, bytes);
  }

  /// What the irq room does on a machine of its own, with MSI-X in BAR 0.
  private static void program(PowerNv machine, RegisterBus bar0, VectorBlock vectors) {
    int at = machine.config(0x34) & 0xff;
    while ((machine.config(at) & 0xff) != MSIX) {
      at = machine.config(at) >>> 8 & 0xff;
    }
    int table = machine.config(at + 4) & -8;
    for (int i = 0; i < VECTORS; i++) {
      bar0.write32(table + 16L * i, (int) vectors.doorbell(i));
      bar0.write32(table + 16L * i + 4, (int) (vectors.doorbell(i) >>> 32));
      bar0.write32(table + 16L * i + 8, vectors.data(i));
      bar0.write32(table + 16L * i + 12, 0);
    }
    machine.config(at, machine.config(at) | 1 << 31);
  }

  private static List<String> collected(PowerNv machine) {
    List<String> out = new ArrayList<>();
    machine.phb.messages().collect((number, cpu) -> out.add(number + "@" + cpu));
    return out;
  }
}
