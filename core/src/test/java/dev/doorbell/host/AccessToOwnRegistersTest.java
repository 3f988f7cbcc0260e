package dev.doorbell.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.SystemBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.hw.amdvi.AmdViFeatures;
import dev.doorbell.hw.amdvi.AmdViModel;
import dev.doorbell.hw.pamu.PamuModel;
import dev.doorbell.hw.riscviommu.RiscvIommuFeatures;
import dev.doorbell.hw.riscviommu.RiscvIommuModel;
import dev.doorbell.hw.vtd.VtdFeatures;
import dev.doorbell.hw.vtd.VtdModel;
import dev.doorbell.simple.PlainMemory;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@DisplayName("a device's access to the registers of the IOMMU that it came through")
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AccessToOwnRegistersTest {
  private final PlainMemory memory = new PlainMemory(0x1000_0000L, 0x10_0000);

  /// A CPU turns translation off, and waits for the access; the access reads until that is done.
  private static <T extends MmioDevice & Translator> void readsWhileDrained(
      T iommu, long register, int bytes, long on) throws InterruptedException {
    assertEquals(BusOutcome.OK, iommu.write(register, on, bytes, SystemBus.CPU));
    AtomicReference<BusOutcome> written = new AtomicReference<>();
    iommu.begin();
    Thread cpu =
        Thread.ofPlatform()
            .daemon()
            .start(() -> written.set(iommu.write(register, 0, bytes, SystemBus.CPU)));
    while (cpu.isAlive()) {
      assertEquals(BusOutcome.OK, iommu.read(register, bytes).outcome());
    }
    iommu.end();
    cpu.join();
    assertEquals(BusOutcome.OK, written.get());
  }

  @Test
  @DisplayName("VT-d: a read ends while GCMD_REG.TE = 0 waits for it")
  void vtd() throws InterruptedException {
    VtdModel unit = new VtdModel(VtdFeatures.of(48, true), memory, (_, _, _) -> true);
    readsWhileDrained(unit, 0x18, 4, 1L << 31);
  }

  @Test
  @DisplayName("AMD-Vi: a read ends while IommuEn = 0 waits for it")
  void amdVi() throws InterruptedException {
    AmdViModel iommu = new AmdViModel(AmdViFeatures.all(), memory, (_, _, _) -> true, _ -> {});
    readsWhileDrained(iommu, 0x18, 8, 1);
  }

  @Test
  @DisplayName("RISC-V: a read ends while ddtp.iommu_mode = Off waits for it")
  void riscv() throws InterruptedException {
    SystemBus bus =
        new SystemBus() {
          @Override
          public BusOutcome write(long pa, long value, int bytes, int requester) {
            return BusOutcome.ERROR;
          }

          @Override
          public BusRead read(long pa, int bytes) {
            return BusRead.error(bytes);
          }
        };
    readsWhileDrained(new RiscvIommuModel(RiscvIommuFeatures.usual(48), memory, bus), 0x10, 8, 1);
  }

  @Test
  @DisplayName("PAMU: two accesses that write PC do not wait for each other")
  void pamu() throws InterruptedException, BrokenBarrierException {
    PamuModel pamu = new PamuModel(memory, 63);
    CyclicBarrier both = new CyclicBarrier(2);
    AtomicReference<Throwable> failed = new AtomicReference<>();
    Thread other =
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              try {
                writePc(pamu, both);
              } catch (InterruptedException | BrokenBarrierException | AssertionError e) {
                failed.set(e);
              }
            });
    writePc(pamu, both);
    other.join();
    assertNull(failed.get());
  }

  private static void writePc(PamuModel pamu, CyclicBarrier both)
      throws InterruptedException, BrokenBarrierException {
    pamu.begin();
    both.await();
    assertEquals(BusOutcome.OK, pamu.write(0xc10, 0, 4, 7));
    pamu.end();
  }
}
