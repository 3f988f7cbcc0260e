package dev.doorbell.hw.riscviommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.BusErrorException;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.bus.Translator;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.vmsa.Stage;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@DisplayName(
    "RISC-V IOMMU 1.0, 2.2: processes of a device, as the driver gives them address spaces of their own")
class RiscvProcessDriverTest {
  private static final int DEVICE = 0x1_0428;
  private static final long AT = 0x10_0000;
  private static final long FAULT = Translator.FAULT;
  private static final long PD17 = 1L << 39;
  private static final long PD20 = 1L << 40;

  private static AddressSpace space(RiscvIommuDriver iommu, long pa) {
    AddressSpace space = iommu.createAddressSpace(Granule.K4);
    space.map(new Iova(AT), new Pa(pa), 0x1000, Protection.READ_WRITE);
    return space;
  }

  @ParameterizedTest(name = "{0} bits of process_id")
  @CsvSource({"8, 255", "17, 131071", "17, 256", "20, 1048575", "20, 131072"})
  @DisplayName(
      "each process reaches its own, others and accesses without one what they did, in directories of each depth")
  void ownAddressSpaces(int bits, int far) {
    long without = bits == 8 ? PD17 | PD20 : bits == 17 ? PD20 : 0;
    RiscvBench bench = new RiscvBench(RiscvIommuFeatures.usual(48).without(without));
    RiscvIommuDriver iommu = bench.iommu;
    assertEquals(bits, iommu.substreamIdBits());
    AddressSpace whole = space(iommu, 0x9000_a000L);
    AddressSpace one = space(iommu, 0x9000_b000L);
    iommu.attach(DEVICE, whole);
    iommu.attach(DEVICE, far, one);
    assertEquals(0x9000_a000L, bench.write(DEVICE, -1, AT));
    assertEquals(0x9000_b000L, bench.write(DEVICE, far, AT));
    assertEquals(FAULT, bench.write(DEVICE, far - 1, AT), "one that has nothing");
    iommu.attach(DEVICE, far, whole);
    assertEquals(0x9000_a000L, bench.write(DEVICE, far, AT), "led elsewhere");
    one.close();
    iommu.detach(DEVICE, far);
    assertEquals(FAULT, bench.write(DEVICE, far, AT));
    assertEquals(0x9000_a000L, bench.write(DEVICE, -1, AT));
    iommu.detach(DEVICE, far);
    iommu.block(DEVICE);
    whole.close();
    iommu.close();
    assertEquals(0, bench.frames.bytesInUse());
  }

  @Test
  @DisplayName(
      "2.1.3 DPE: a device that is blocked or passes stays so for accesses without a process_id")
  void others() {
    RiscvBench bench = new RiscvBench();
    RiscvIommuDriver iommu = bench.iommu;
    AddressSpace own = space(iommu, 0x9000_b000L);
    iommu.attach(DEVICE, 3, own);
    assertEquals(FAULT, bench.write(DEVICE, -1, AT));
    assertEquals(266, iommu.drainFaults().getFirst().cause());
    assertEquals(0x9000_b000L, bench.write(DEVICE, 3, AT));
    iommu.bypass(DEVICE);
    assertEquals(AT, bench.write(DEVICE, -1, AT));
    assertEquals(FAULT, bench.write(DEVICE, 3, AT), "a change of the whole device ends processes");
    iommu.attach(DEVICE, 3, own);
    assertEquals(AT, bench.write(DEVICE, -1, AT));
    assertEquals(0x9000_b000L, bench.write(DEVICE, 3, AT));
    iommu.detach(DEVICE, 3);
    assertEquals(AT, bench.write(DEVICE, -1, AT));
    own.close();
  }

  @Test
  @DisplayName(
      "attaching, blocking and passing the device end its processes, whose spaces can be closed; what comes next finds none of them")
  void ended() {
    RiscvBench bench = new RiscvBench();
    RiscvIommuDriver iommu = bench.iommu;
    AddressSpace whole = space(iommu, 0x9000_a000L);
    for (Runnable end :
        List.<Runnable>of(
            () -> iommu.attach(DEVICE, whole),
            () -> iommu.block(DEVICE),
            () -> iommu.bypass(DEVICE))) {
      AddressSpace own = space(iommu, 0x9000_b000L);
      iommu.attach(DEVICE, whole);
      iommu.attach(DEVICE, 7, own);
      iommu.attach(DEVICE, 700, whole);
      assertEquals(0x9000_b000L, bench.write(DEVICE, 7, AT));
      assertThrows(IllegalStateException.class, own::close);
      end.run();
      assertEquals(FAULT, bench.write(DEVICE, 7, AT));
      assertEquals(FAULT, bench.write(DEVICE, 700, AT));
      own.close();
      iommu.attach(DEVICE, 9, whole);
      iommu.drainFaults();
      assertEquals(FAULT, bench.write(DEVICE, 7, AT));
      assertEquals(
          266, iommu.drainFaults().getFirst().cause(), "its context is in the directory no more");
    }
    iommu.block(DEVICE);
    whole.close();
  }

  @Test
  @DisplayName("what is unmapped is gone for the processes, too")
  void unmapped() {
    RiscvBench bench = new RiscvBench();
    AddressSpace own = space(bench.iommu, 0x9000_b000L);
    bench.iommu.attach(DEVICE, 3, own);
    assertEquals(0x9000_b000L, bench.write(DEVICE, 3, AT));
    own.unmap(new Iova(AT), 0x1000);
    assertEquals(FAULT, bench.write(DEVICE, 3, AT));
  }

  @Test
  @DisplayName(
      "7.3.2: a process context that changes is not valid, and dropped by IODIR.INVAL_PDT, before its words change; then its PSCID is")
  void order() {
    RiscvBench bench = new RiscvBench();
    RiscvIommuDriver iommu = bench.iommu;
    AddressSpace one = space(iommu, 0x9000_b000L);
    AddressSpace other = space(iommu, 0x9000_c000L);
    iommu.attach(DEVICE, 3, one);
    StringBuilder story = new StringBuilder();
    bench.commands.clear();
    long[] directory = {-1};
    bench.memory.onWrite((pa, before, after) -> {
      boolean ends = (before & 0xfff) == 1 && before >>> 12 == 1 && after == 0;
      directory[0] = ends && directory[0] < 0 ? pa : directory[0];
      if (directory[0] >= 0 && pa >>> 4 == directory[0] >>> 4) {
        story.append(pa == directory[0] ? after == 0 ? "v" : "V" : "f");
        story.append(bench.commands.size());
      }
    });
    iommu.attach(DEVICE, 3, other);
    bench.failNever();
    String pdt = "%x 0".formatted(3L | 1 << 7 | 3 << 12 | 1L << 33 | (long) DEVICE << 40);
    String ddt = "%x 0".formatted(3L | 1L << 33 | (long) DEVICE << 40);
    String vma = "%x 0".formatted(1L | 1L << 12 | 1L << 32);
    assertEquals(List.of(pdt, ddt, vma), bench.commands);
    assertEquals("v0f1V1", story.toString(), "with so many commands before each");
    assertEquals(0x9000_c000L, bench.write(DEVICE, 3, AT));
  }

  @Test
  @DisplayName(
      "a process that comes or goes is not noticed by the others: the device's context stays")
  void neighbours() {
    RiscvBench bench = new RiscvBench();
    RiscvIommuDriver iommu = bench.iommu;
    AddressSpace one = space(iommu, 0x9000_b000L);
    AddressSpace other = space(iommu, 0x9000_c000L);
    iommu.attach(DEVICE, one);
    iommu.attach(DEVICE, 3, one);
    bench.memory.onWrite((pa, before, after) -> {
      assertEquals(0x9000_b000L, bench.write(DEVICE, 3, AT));
      assertEquals(0x9000_b000L, bench.write(DEVICE, -1, AT));
    });
    iommu.attach(DEVICE, 0x4_0000, other);
    iommu.attach(DEVICE, 4, other);
    iommu.attach(DEVICE, 4, one);
    iommu.detach(DEVICE, 4);
    bench.failNever();
    assertEquals(0x9000_c000L, bench.write(DEVICE, 0x4_0000, AT));
  }

  @Test
  @DisplayName(
      "what an IOMMU or a device cannot use is refused with both figures, and nothing changes")
  void refusals() {
    RiscvBench bench = new RiscvBench(RiscvIommuFeatures.usual(48).without(PD17 | PD20));
    RiscvIommuDriver iommu = bench.iommu;
    AddressSpace first = space(iommu, 0x9000_b000L);
    AddressSpace second = iommu.createAddressSpace(Granule.K4, Stage.STAGE2);
    assertEquals(
        "process_id 0x100 is not from 1 on and within the 8 bits of riscv-iommu@0",
        assertThrows(IllegalArgumentException.class, () -> iommu.attach(DEVICE, 0x100, first))
            .getMessage());
    assertThrows(IllegalArgumentException.class, () -> iommu.attach(DEVICE, 0, first));
    assertThrows(IllegalArgumentException.class, () -> iommu.detach(DEVICE, -1));
    assertEquals(
        "riscv-iommu@0 cannot use RISC-V IOMMU address space of GSCID 1 for a process: process contexts lead to first stages",
        assertThrows(IllegalArgumentException.class, () -> iommu.attach(DEVICE, 1, second))
            .getMessage());
    iommu.attach(DEVICE, second);
    assertEquals(
        "device 0x10428 of riscv-iommu@0 translates by RISC-V IOMMU address space of GSCID 1: only first stages are told apart by processes; attach it elsewhere first",
        assertThrows(IllegalStateException.class, () -> iommu.attach(DEVICE, 1, first))
            .getMessage());
    RiscvIommuDriver without = new RiscvBench(RiscvIommuFeatures.usual(48).without(7L << 38)).iommu;
    assertEquals(0, without.substreamIdBits());
    AddressSpace own = space(without, 0x9000_b000L);
    assertThrows(IllegalArgumentException.class, () -> without.attach(DEVICE, 1, own));
    first.close();
    assertThrows(IllegalArgumentException.class, () -> iommu.attach(1, 1, first));
  }

  @Test
  @DisplayName(
      "without memory for a directory, or with a write that fails, everything is as before")
  void failures() {
    RiscvBench bench = new RiscvBench();
    RiscvIommuDriver iommu = bench.iommu;
    AddressSpace whole = space(iommu, 0x9000_a000L);
    AddressSpace own = space(iommu, 0x9000_b000L);
    iommu.attach(DEVICE, whole);
    bench.frames.limit(bench.frames.bytesInUse() + 0x1000);
    assertThrows(OutOfFramesException.class, () -> iommu.attach(DEVICE, 3, own));
    bench.frames.limit(Long.MAX_VALUE);
    boolean failed = true;
    for (int at = 0; failed; at++) {
      assertTrue(at < 1000);
      bench.failAt(at, () -> {});
      try {
        iommu.attach(DEVICE, 3, own);
        failed = false;
      } catch (BusErrorException expected) {
        bench.failNever();
        assertEquals(FAULT, bench.write(DEVICE, 3, AT));
        assertEquals(0x9000_a000L, bench.write(DEVICE, -1, AT));
      }
    }
    bench.failNever();
    assertEquals(0x9000_b000L, bench.write(DEVICE, 3, AT));
    iommu.block(DEVICE);
    own.close();
    whole.close();
  }
}
