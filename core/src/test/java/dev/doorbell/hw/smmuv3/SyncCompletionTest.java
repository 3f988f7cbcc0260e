package dev.doorbell.hw.smmuv3;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName(
    "IHI 0070 4.7.3, 7.5: the driver waits for CMD_SYNC in memory where the SMMU can write there")
class SyncCompletionTest {
  private static final int SID = 0x108;

  private final DriverBench bench = new DriverBench();
  private final SmmuModel model =
      bench.model(SmmuFeatures.qemu10().withIdr0(SmmuRegisters.IDR0_MSI, 1));

  private long write(long iova) {
    return model.translate(SID, -1, iova, Translator.WRITE);
  }

  @Test
  @DisplayName(
      "each completion is a message of its own, and nothing is kept when the driver is closed")
  void inMemory() {
    try (SmmuDriver smmu = bench.open(model)) {
      int opened = bench.messages;
      assertTrue(opened > 0);
      AddressSpace space = smmu.createAddressSpace(Granule.K4);
      smmu.attach(SID, space);
      space.map(new Iova(0x1000), new Pa(0x9000), 0x1000, Protection.READ_WRITE);
      assertEquals(0x9000, write(0x1000));
      int before = bench.messages;
      space.unmap(new Iova(0x1000), 0x1000);
      assertEquals(before + 1, bench.messages, "one CMD_SYNC");
      assertEquals(Translator.FAULT, write(0x1000));
      smmu.block(SID);
      space.close();
    }
    assertEquals(0, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName(
      "an older number in memory is not taken for the awaited one: the driver waits for the last")
  void ownNumber() {
    boolean[] late = {false};
    RegisterBus window = DriverBench.window(model);
    RegisterBus slow =
        new RegisterBus() {
          private int held;
          private long prod;

          @Override
          public long read(long offset, int bytes) {
            // The queue goes on only after the driver looked a few times.
            if (late[0] && offset == SmmuRegisters.GERROR.offset() && ++held % 5 == 0) {
              window.write(SmmuRegisters.CMDQ_PROD.offset(), prod, 4);
            }
            return window.read(offset, bytes);
          }

          @Override
          public void write(long offset, long value, int bytes) {
            if (late[0] && offset == SmmuRegisters.CMDQ_PROD.offset()) {
              prod = value;
              return;
            }
            window.write(offset, value, bytes);
          }
        };
    SmmuDriver smmu =
        SmmuDriver.open("slow", slow, bench.memory, bench.frames, SmmuSettings.of(bench.tags));
    AddressSpace space = smmu.createAddressSpace(Granule.K4);
    space.map(new Iova(0x1000), new Pa(0x9000), 0x1000, Protection.READ_WRITE);
    smmu.attach(SID, space);
    assertEquals(0x9000, write(0x1000));
    late[0] = true;
    space.unmap(new Iova(0x1000), 0x1000);
    assertEquals(Translator.FAULT, write(0x1000));
  }

  @Test
  @DisplayName(
      "GERROR.MSI_CMDQ_ABT_ERR: the register tells from then on, and the error is acknowledged")
  void lostMessages() {
    SmmuDriver smmu = bench.open(model);
    AddressSpace space = smmu.createAddressSpace(Granule.K4);
    space.map(new Iova(0x1000), new Pa(0x9000), 0x1000, Protection.READ_WRITE);
    bench.messagesFail = true;
    smmu.attach(SID, space);
    assertEquals(0x9000, write(0x1000));
    int lost = bench.messages;
    bench.messagesFail = false;
    space.unmap(new Iova(0x1000), 0x1000);
    assertEquals(Translator.FAULT, write(0x1000));
    assertEquals(lost, bench.messages, "no more messages are asked for");
    assertEquals(List.of(), smmu.drainEvents().globalErrors());
  }

  @Test
  @DisplayName("a refused command is named, and the wait that it took the CMD_SYNC's place of ends")
  void refused() {
    SmmuDriver smmu = bench.open(model);
    AddressSpace space = smmu.createAddressSpace(Granule.K4);
    boolean[] spoil = {true};
    bench.memory.onWrite((pa, before, after) -> {
      // A fault in memory: the first CMD_SYNC becomes a command that there is not.
      if (spoil[0]
          && CommandLayout.SYNC_OPCODE.get(after) == CommandLayout.CMD_SYNC
          && CommandLayout.SYNC_CS.get(after) == CommandLayout.SIG_IRQ) {
        spoil[0] = false;
        bench.memory.write64(pa, after | 0xff);
      }
    });
    SmmuCommandException refused =
        assertThrows(SmmuCommandException.class, () -> smmu.attach(SID, space));
    assertEquals("command 0xff", refused.command());
    smmu.attach(SID, space);
    space.map(new Iova(0x1000), new Pa(0x9000), 0x1000, Protection.READ_WRITE);
    assertEquals(0x9000, write(0x1000));
  }
}
