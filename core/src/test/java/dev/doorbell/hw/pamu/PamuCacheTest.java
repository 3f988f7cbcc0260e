package dev.doorbell.hw.pamu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.Register;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("PAMU: what a unit keeps, its gate, and entries that it cannot read")
class PamuCacheTest {
  private static final int LIODN = 5;
  private static final long DOORBELL = 0xf_fe04_4000L;
  private static final long ON = PamuRegisters.PE.mask();
  private static final long KEEPING =
      ON | PamuRegisters.OCE.mask() | PamuRegisters.PPCC.mask() | PamuRegisters.SPCC.mask();

  private final PamuRig rig = new PamuRig();

  /// Bases and control that were written, with what AVS1 held when it was written.
  private record Written(long offset, int value, int before) {}

  private final List<Written> written = new ArrayList<>();

  private RegisterBus watched() {
    return new RegisterBus() {
      @Override
      public long read(long offset, int bytes) {
        return rig.registers.read(offset, bytes);
      }

      @Override
      public void write(long offset, long value, int bytes) {
        written.add(new Written(offset, (int) value, rig.registers.read32(offset)));
        rig.registers.write(offset, value, bytes);
      }
    };
  }

  private void attached(PamuDriver driver) {
    AddressSpace s = driver.createAddressSpace(Granule.K4);
    s.map(new Iova(0), new Pa(0x4000_0000L), 0x10_0000, Protection.READ_WRITE);
    s.map(new Iova(0x10_0000), new Pa(DOORBELL), PamuRig.PAGE, Protection.DOORBELL);
    driver.attach(LIODN, s);
  }

  @Test
  @DisplayName("an entry that was used is kept until its table's base is written with OCE on")
  void primary() {
    attached(rig.driver());
    assertEquals(0x4000_0000L, rig.write(LIODN, 0));
    rig.entry(PamuRegisters.PPBAL, LIODN, PaaceLayout.AF, 0);
    assertEquals(0x4000_0000L, rig.write(LIODN, 0), "kept");
    rig.set(PamuRegisters.SPBAL, rig.get(PamuRegisters.SPBAL));
    rig.set(PamuRegisters.PC, ON);
    assertEquals(Translator.FAULT, rig.write(LIODN, 0), "PC.PPCC is 0: nothing kept is used");
    rig.set(PamuRegisters.PPBAL, rig.get(PamuRegisters.PPBAL));
    rig.set(PamuRegisters.PC, KEEPING);
    assertEquals(0x4000_0000L, rig.write(LIODN, 0), "A-005982: OCE was 0");
    rig.set(PamuRegisters.PPBAL, rig.get(PamuRegisters.PPBAL));
    assertEquals(Translator.FAULT, rig.write(LIODN, 0));
  }

  @Test
  @DisplayName("secondary entries and operations are kept, too")
  void others() {
    PamuDriver driver = rig.driver();
    attached(driver);
    driver.operations(LIODN, OperationMapping.indexed(OperationMapping.QMAN));
    assertEquals(DOORBELL, rig.write(LIODN, 0x10_0000));
    long first = rig.entry(PamuRegisters.PPBAL, LIODN, PaaceLayout.FSPI);
    rig.entry(PamuRegisters.SPBAL, first, PaaceLayout.WIN, 0);
    rig.moe(OperationMapping.QMAN, OmtLayout.WRITE, 0);
    assertEquals(DOORBELL, rig.write(LIODN, 0x10_0000), "kept");
    rig.set(PamuRegisters.OBAL, rig.get(PamuRegisters.OBAL));
    assertEquals(Translator.FAULT, rig.write(LIODN, 0x10_0000), "the write is mapped to nothing");
    rig.moe(OperationMapping.QMAN, OmtLayout.WRITE, OmtLayout.moe(OmtLayout.EOE_WRITE));
    rig.set(PamuRegisters.OBAL, rig.get(PamuRegisters.OBAL));
    assertEquals(DOORBELL, rig.write(LIODN, 0x10_0000));
    rig.set(PamuRegisters.PPBAL, rig.get(PamuRegisters.PPBAL));
    assertEquals(DOORBELL, rig.write(LIODN, 0x10_0000), "PPBA drops no secondary entries");
    rig.set(PamuRegisters.SPBAL, rig.get(PamuRegisters.SPBAL));
    assertEquals(0xf_0000_0000L, rig.write(LIODN, 0x10_0000));
  }

  @Test
  @DisplayName("an entry that was invalid is not kept: it may be made valid and told to nobody")
  void invalid() {
    attached(rig.driver());
    int other = LIODN + 1;
    assertEquals(Translator.FAULT, rig.write(other, 0));
    for (int word = 0; word < PaaceLayout.WORDS; word++) {
      rig.entry(PamuRegisters.PPBAL, other, word, rig.entry(PamuRegisters.PPBAL, LIODN, word));
    }
    assertEquals(0x4000_0000L, rig.write(other, 0));
  }

  @Test
  @DisplayName("more entries than lines: each is found again")
  void lines() {
    PamuDriver driver = rig.driver();
    for (int liodn = 0; liodn < PamuRig.LIODNS; liodn++) {
      AddressSpace s = driver.createAddressSpace(Granule.K4);
      for (int page = 0; page < 8; page++) {
        s.map(
            new Iova(page * PamuRig.PAGE),
            new Pa(((long) liodn << 20) + (page << 13)),
            PamuRig.PAGE,
            Protection.READ_WRITE);
      }
      driver.attach(liodn, s);
    }
    for (int round = 0; round < 3; round++) {
      for (int liodn = 0; liodn < PamuRig.LIODNS; liodn++) {
        for (int page = 0; page < 8; page++) {
          assertEquals(((long) liodn << 20) + (page << 13), rig.write(liodn, page << 12));
        }
      }
    }
  }

  @Test
  @DisplayName("PC.PGC refuses everything; without PGC and PE everything passes")
  void gate() {
    rig.set(PamuRegisters.PC, 0);
    assertEquals(0x1234, rig.write(LIODN, 0x1234));
    assertEquals(0x1234, rig.walked(LIODN, 0x1234));
    rig.set(PamuRegisters.PC, PamuRegisters.PGC.mask() | ON);
    assertEquals(Translator.FAULT, rig.write(LIODN, 0x1234));
    assertEquals(Translator.FAULT, rig.walked(LIODN, 0x1234));
    assertTrue(PamuRegisters.AVS1_GCV.isSet(rig.get(PamuRegisters.AVS1)));
  }

  @Test
  @DisplayName("a table that is not there: POES1 and POEA tell of the entry, once")
  void fetch() {
    attached(rig.driver());
    rig.set(PamuRegisters.PPBAL, 0x5000_0000L);
    rig.set(PamuRegisters.PPLAL, 0x5000_1000L);
    assertEquals(Translator.FAULT, rig.write(LIODN, 0));
    assertEquals(Translator.FAULT, rig.write(LIODN + 1, 0));
    assertEquals(1, rig.get(PamuRegisters.POES1));
    assertEquals(0, rig.get(PamuRegisters.POEAH));
    assertEquals(0x5000_0000L + LIODN * (long) PaaceLayout.BYTES, rig.get(PamuRegisters.POEAL));
    assertTrue(PamuRegisters.POE_STATUS.isSet(rig.get(PamuRegisters.PICS)));
    rig.set(PamuRegisters.POES1, 1);
    rig.set(PamuRegisters.PICS, PamuRegisters.POE_STATUS.mask());
    assertEquals(0, rig.get(PamuRegisters.POES1));
    assertFalse(PamuRegisters.POE_STATUS.isSet(rig.get(PamuRegisters.PICS)));
  }

  @Test
  @DisplayName(
      "a start keeps the gate closed until all tables are told, with OCE on when bases are, and writes ones over ones alone")
  void start() {
    rig.set(PamuRegisters.PC, ON);
    rig.write(LIODN, 0);
    assertTrue(PamuRegisters.AVS1_AV.isSet(rig.get(PamuRegisters.AVS1)));
    rig.driver(watched());
    long control = ON;
    for (Written w : written) {
      if (w.offset() == PamuRegisters.PC.offset()) {
        control = Integer.toUnsignedLong(w.value());
        continue;
      }
      assertTrue(PamuRegisters.PGC.isSet(control), () -> "%s with an open gate".formatted(w));
      if (w.offset() <= PamuRegisters.OLAL.offset()) {
        assertTrue(PamuRegisters.OCE.isSet(control), w::toString);
      }
      for (Register r : List.of(PamuRegisters.AVS1, PamuRegisters.POES1, PamuRegisters.PICS)) {
        if (w.offset() == r.offset()) {
          assertEquals(w.value(), w.value() & w.before(), () -> r.name() + " " + w);
        }
      }
    }
    assertEquals(KEEPING, control);
    assertEquals(0, rig.get(PamuRegisters.AVS1) & PamuRegisters.AV_MASK);
    assertEquals(0, rig.get(PamuRegisters.PICS));
  }

  @Test
  @DisplayName("sub-windows are those that the unit has (PC3.MWCE), and not 256")
  void fewWindows() {
    RegisterBus rev1 =
        new RegisterBus() {
          @Override
          public long read(long offset, int bytes) {
            return offset == PamuRegisters.PC3.offset()
                ? PamuRegisters.MWCE.place(3)
                : rig.registers.read(offset, bytes);
          }

          @Override
          public void write(long offset, long value, int bytes) {
            rig.registers.write(offset, value, bytes);
          }
        };
    PamuDriver driver = rig.driver(rev1);
    assertEquals(16, driver.mostWindows());
    AddressSpace s = driver.createAddressSpace(Granule.K4);
    assertEquals(0x2_0000, s.placing(0x10_0000), "16 windows to 2 MiB");
    assertEquals(256, rig.driver().mostWindows());
  }
}
