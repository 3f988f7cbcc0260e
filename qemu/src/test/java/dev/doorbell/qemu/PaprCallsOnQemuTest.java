package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.address.AddressRange;
import dev.doorbell.hw.papr.Calls;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("hypervisor calls of QEMU's pseries machine, made by a guest that does nothing else")
class PaprCallsOnQemuTest {
  @Test
  @DisplayName("a TCE is put, read back, and refused beyond the window")
  void tce() {
    try (Pseries machine = Pseries.startOrSkip()) {
      long[] put = {Calls.H_PUT_TCE, Pseries.LIOBN, 0x1000, 0x40_0003};
      machine.hcall(0, put);
      assertEquals(Calls.H_SUCCESS, put[0]);
      long[] get = {Calls.H_GET_TCE, Pseries.LIOBN, 0x1000};
      machine.hcall(0, get);
      assertEquals(Calls.H_SUCCESS, get[0]);
      assertEquals(0x40_0003, get[1]);
      long[] beyond = {Calls.H_PUT_TCE, Pseries.LIOBN, 0x4000_0000L, 3};
      machine.hcall(0, beyond);
      assertEquals(Calls.H_PARAMETER, beyond[0]);
    }
  }

  @Test
  @DisplayName("XIVE: a source that ibm,change-msi gave tells where it is managed")
  void source() {
    try (Pseries machine = Pseries.startOrSkip(Pseries.Presentation.XIVE)) {
      int[] told = new int[4];
      machine.rtas(
          Calls.CHANGE_MSI,
          new int[] {0, (int) (Pseries.BUID >>> 32), (int) Pseries.BUID, Calls.CHANGE_MSIX, 5, 1},
          told);
      assertEquals(5, told[1]);
      long[] info = {0x3a8, 0, 0x1300, 0, 0};
      machine.hcall(0, info);
      assertEquals(Calls.H_SUCCESS, info[0]);
      assertEquals(16, info[4], "pages of 64 KiB");
      assertEquals(
          0x1_0000, info[2] - info[3], "the page that manages follows the one that triggers");
      assertEquals(
          1,
          machine.registers(AddressRange.ofSize(info[2], 0x1_0000)).read(0x800, 8),
          "PQ 01: off");
    }
  }
}
