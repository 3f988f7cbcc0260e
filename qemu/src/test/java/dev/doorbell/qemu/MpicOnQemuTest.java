package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.address.Pa;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.explain.Source;
import dev.doorbell.hw.mpic.MpicMsiBank;
import dev.doorbell.hw.mpic.MpicMsiDriver;
import dev.doorbell.hw.mpic.MpicMsiModel;
import dev.doorbell.hw.mpic.MpicMsiRegisters;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.pci.MsiCapability;
import dev.doorbell.pci.PciFunction;
import dev.doorbell.pci.Sbdf;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("our MPIC driver and model, and the bank of QEMU's ppce500 machine")
class MpicOnQemuTest {
  private static final long BANK = 0x4_1600L;
  private static final Pa DOORBELL =
      new Pa(Ppce500.CCSR_AS_SEEN + BANK + MpicMsiRegisters.MSIIR.offset());
  private static final int REQUESTER = 0x88;
  private static final MsiSource CARD = new MsiSource("edu", Ppce500.EDU);

  private static RegisterBus bank(Ppce500 machine) {
    return machine.registers(BANK, MpicMsiRegisters.BYTES);
  }

  private static MpicMsiDriver driver(Ppce500 machine) {
    return MpicMsiDriver.open(
        new MpicMsiBank("mpic-msi", bank(machine), DOORBELL, false, Source.rule("test")));
  }

  private static MsiCapability msi(Ppce500 machine) {
    return PciFunction.of(Sbdf.of(0, Ppce500.EDU), machine.config(Ppce500.EDU), "QEMU")
        .msi()
        .thing()
        .orElseThrow();
  }

  private static List<Integer> collected(MpicMsiDriver driver) {
    List<Integer> out = new ArrayList<>();
    driver.collect((number, _) -> out.add(number));
    return out;
  }

  @Test
  @DisplayName(
      "a card's message reaches the driver as the vector it was given; held back while masked; each of the 256")
  void messages() {
    try (Ppce500 machine = Ppce500.startOrSkip()) {
      assertEquals(0x11e8_1234, machine.config(Ppce500.EDU).read(0, 4));
      MpicMsiDriver driver = driver(machine);
      EduStimulus edu = new EduStimulus("edu", machine.edu());
      MsiCapability msi = msi(machine);
      VectorBlock all = driver.allocate(CARD, driver.vectorsFree(), false);
      assertEquals(MpicMsiRegisters.REGISTERS * MpicMsiRegisters.PER_REGISTER, all.count());
      for (int i = 0; i < all.count(); i++) {
        all.activate(i, 0);
        msi.write(0, all.doorbell(i), all.data(i));
        msi.enable(1);
        edu.raise(0);
        assertEquals(List.of(all.intid(i)), collected(driver), "vector " + i);
        assertEquals(List.of(), collected(driver), "taken once");
      }
      int last = all.count() - 1;
      all.mask(last);
      edu.raise(0);
      assertEquals(List.of(), collected(driver));
      all.unmask(last);
      assertEquals(List.of(all.intid(last)), collected(driver));
      all.free();
    }
  }

  @Test
  @DisplayName("whatever a card writes, MSISR and the MSIRs are the same in QEMU and in the model")
  void data() {
    try (Ppce500 machine = Ppce500.startOrSkip()) {
      RegisterBus theirs = bank(machine);
      MpicMsiModel ours = new MpicMsiModel(false);
      EduStimulus edu = new EduStimulus("edu", machine.edu());
      MsiCapability msi = msi(machine);
      for (int data = 0; data < 0x1_0000; data = data < 0x100 ? data + 1 : data + 0x6f7) {
        msi.write(0, DOORBELL.value(), data);
        msi.enable(1);
        edu.raise(0);
        ours.write(MpicMsiRegisters.MSIIR.offset(), data, Integer.BYTES, REQUESTER);
        if (data % 3 == 0) {
          String what = "after datum 0x%x".formatted(data);
          long status = MpicMsiRegisters.MSISR.offset();
          assertEquals(ours.read(status, 4).value(), theirs.read(status, 4), what);
          for (int i = 0; i < MpicMsiRegisters.REGISTERS; i++) {
            long msir = MpicMsiRegisters.MSIR.offset(i);
            assertEquals(ours.read(msir, 4).value(), theirs.read(msir, 4), what);
          }
        }
      }
    }
  }
}
