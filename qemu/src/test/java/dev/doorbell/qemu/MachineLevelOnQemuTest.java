package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import dev.doorbell.address.AddressRange;
import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.InterruptFiles;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.description.MsiControllerDescription.Imsic;
import dev.doorbell.hw.imsic.ImsicModel;
import dev.doorbell.hw.imsic.ImsicRegisters;
import dev.doorbell.testkit.SeededRandom;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("AIA 1.0 3: QEMU's interrupt files of machine level beside our model")
class MachineLevelOnQemuTest {
  private static final int[] SELECTS = {
    ImsicRegisters.EIDELIVERY,
    ImsicRegisters.EITHRESHOLD,
    ImsicRegisters.EIP0,
    ImsicRegisters.EIP0 + 2,
    ImsicRegisters.EIE0,
    ImsicRegisters.EIE0 + 2
  };

  @Test
  @DisplayName(
      "messages, enables, thresholds and claims at random: both say the same, and nothing of supervisor level moves")
  void alike() {
    try (QemuMachine machine =
        QemuMachine.start(Qemus.riscvOrSkip(), Board.RISCV_IMSIC, Devices.of())) {
      Imsic imsic = machine.description().firmwareImsic().orElseThrow();
      InterruptFiles theirs = machine.firmwareFiles().orElseThrow();
      InterruptFiles supervisor = machine.interruptFiles().orElseThrow();
      assertNotEquals(imsic.doorbell(), machine.description().imsic().orElseThrow().doorbell());
      RegisterBus page =
          machine.registers(AddressRange.ofSize(imsic.doorbell().orElseThrow(), Imsic.FILE_BYTES));
      ImsicModel ours = new ImsicModel(1, imsic.identities());
      SeededRandom dice = SeededRandom.of(11);
      long before = supervisor.read(0, ImsicRegisters.EIP0);
      int claimed = 0;
      for (int i = 0; i < 400; i++) {
        switch (dice.below(5)) {
          case 0, 1 -> {
            long value = dice.oneIn(8) ? dice.nextLong() & 0xffff_ffffL : dice.below(128);
            // QEMU has no seteipnum_be.
            page.write(0, value, Integer.BYTES);
            assertEquals(BusOutcome.OK, ours.page(0).write(0, value, Integer.BYTES, 0));
          }
          case 2 -> {
            int select = SELECTS[dice.below(SELECTS.length)];
            long value =
                switch (select) {
                  case ImsicRegisters.EIDELIVERY -> dice.below(2);
                  case ImsicRegisters.EITHRESHOLD -> dice.below(128);
                  default -> dice.nextLong();
                };
            theirs.write(0, select, value);
            ours.write(0, select, value);
          }
          default -> {
            int identity = ours.claim(0);
            assertEquals(identity, theirs.claim(0));
            claimed += identity == InterruptFiles.NONE ? 0 : 1;
          }
        }
        for (int select : SELECTS) {
          assertEquals(
              ours.read(0, select), theirs.read(0, select), "0x" + Integer.toHexString(select));
        }
      }
      assertNotEquals(0, claimed);
      assertEquals(before, supervisor.read(0, ImsicRegisters.EIP0));
    }
  }
}
