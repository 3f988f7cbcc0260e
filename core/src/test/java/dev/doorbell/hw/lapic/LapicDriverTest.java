package dev.doorbell.hw.lapic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.explain.Source;
import dev.doorbell.irq.DestinationOutOfReach;
import dev.doorbell.irq.InterruptRemapper;
import dev.doorbell.irq.MsiController;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.RemapEntries;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.irq.VectorsExhausted;
import dev.doorbell.irq.VectorsShareMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class LapicDriverTest {
  private static final MsiSource SOURCE = new MsiSource("0000:01:00.0", 0x100);

  private final LapicModel model = new LapicModel(LongStream.of(0, 2, 4, 6).boxed().toList());
  private final MsiController controller =
      LapicDriver.open(
              new LapicHardware(
                  "lapic@0xfee00000",
                  List.of(0L, 2L, 4L, 6L),
                  Optional.of(model),
                  Optional.of(model)))
          .unremapped();

  private void ring(long address, int data) {
    model.write(address - 0xfee0_0000L, data, 4, 0x100);
  }

  private List<Integer> collect() {
    List<Integer> out = new ArrayList<>();
    controller.collect((number, cpu) -> {
      out.add(number);
      out.add(cpu);
    });
    return out;
  }

  @Test
  @DisplayName(
      "each CPU has 224 vectors; more are refused with both figures, and freed ones come back")
  void exhaustion() {
    assertEquals(4 * 224, controller.vectorsFree());
    VectorBlock all = controller.allocate(SOURCE, 4 * 224, false);
    assertEquals(0, controller.vectorsFree());
    VectorsExhausted e =
        assertThrows(VectorsExhausted.class, () -> controller.allocate(SOURCE, 3, false));
    assertEquals(3, e.refusal().needed().orElseThrow().value());
    assertEquals(0, e.refusal().available().orElseThrow().value());
    all.free();
    assertEquals(4 * 224, controller.vectorsFree());
  }

  @Test
  @DisplayName("a message names processor and vector, and arrives by the vector's number")
  void arrives() {
    VectorBlock block = controller.allocate(SOURCE, 2, false);
    block.activate(0, 0);
    block.activate(1, 3);
    assertEquals(0xfee0_6000L, block.doorbell(1));
    ring(block.doorbell(1), block.data(1));
    assertEquals(List.of(block.number(1), 3), collect());
    block.deactivate(1);
    ring(block.doorbell(1), block.data(1));
    assertEquals(List.of(), collect());
  }

  @Test
  @DisplayName("a retargeted vector still arrives by the message that the function held before")
  void retarget() {
    VectorBlock block = controller.allocate(SOURCE, 1, false);
    block.activate(0, 0);
    long before = block.doorbell(0);
    int data = block.data(0);
    block.retarget(0, 2);
    ring(before, data);
    assertEquals(List.of(block.number(0), 0), collect());
    ring(block.doorbell(0), block.data(0));
    assertEquals(List.of(block.number(0), 2), collect());
    ring(before, data);
    assertEquals(List.of(), collect());
    block.free();
    assertEquals(4 * 224, controller.vectorsFree());
  }

  @Test
  @DisplayName("a full CPU refuses a vector that would move there, which stays where it was")
  void fullCpu() {
    VectorBlock mine = controller.allocate(SOURCE, 1, false);
    mine.activate(0, 0);
    List<VectorBlock> others = new ArrayList<>();
    for (int i = 0; i < 224; i++) {
      VectorBlock b = controller.allocate(SOURCE, 1, false);
      b.activate(0, 1);
      others.add(b);
    }
    assertEquals(0, others.stream().filter(b -> b.cpu(0) != 1).count());
    assertThrows(VectorsExhausted.class, () -> mine.retarget(0, 1));
    ring(mine.doorbell(0), mine.data(0));
    assertEquals(List.of(mine.number(0), 0), collect());
  }

  @Test
  @DisplayName("multi-message MSI gets an aligned run of vectors on one CPU, and cannot be parted")
  void run() {
    controller.allocate(SOURCE, 1, false);
    VectorBlock block = controller.allocate(SOURCE, 32, true);
    for (int i = 0; i < 32; i++) {
      block.activate(i, i % 4);
      assertEquals(block.doorbell(0), block.doorbell(i));
      assertEquals(block.data(0) + i, block.data(i));
    }
    assertEquals(0, block.data(0) % 32);
    assertThrows(VectorsShareMessage.class, () -> block.retarget(3, block.cpu(3) + 1));
    ring(block.doorbell(7), block.data(7));
    assertEquals(List.of(block.number(7), block.cpu(7)), collect());
  }

  @Test
  @DisplayName("a vector that arrives while it is masked is told when it is unmasked")
  void masked() {
    VectorBlock block = controller.allocate(SOURCE, 1, false);
    block.activate(0, 1);
    block.mask(0);
    ring(block.doorbell(0), block.data(0));
    assertEquals(List.of(), collect());
    block.unmask(0);
    assertEquals(List.of(block.number(0), 1), collect());
    assertEquals(List.of(), collect());
    assertFalse(controller.isolated());
  }

  private static final class Wide implements InterruptRemapper {
    private final DirectMessages messages = new DirectMessages("vt-d@0xfed90000");

    @Override
    public String id() {
      return messages.id();
    }

    @Override
    public boolean isolated() {
      return true;
    }

    @Override
    public long lastDestination() {
      return 0xffff_fffeL;
    }

    @Override
    public int free() {
      return messages.free();
    }

    @Override
    public RemapEntries allocate(MsiSource source, int count, boolean contiguous) {
      return messages.allocate(source, count, contiguous);
    }
  }

  @Test
  @DisplayName(
      "where firmware asks to stay out of x2APIC mode, a CPU with a wide id gets no vector, and is refused with both ids")
  void optedOut() {
    List<Long> ids = List.of(0L, 0x100L);
    LapicModel cpus = new LapicModel(ids);
    Source flag = Source.at("sys/firmware/acpi/tables/DMAR", 0x25);
    LapicDriver driver =
        LapicDriver.open(
            new LapicHardware(
                "lapic@0xfee00000", ids, Optional.of(cpus), Optional.of(cpus), Optional.of(flag)));
    assertFalse(driver.isX2Apic());
    MsiController through = driver.behind(new Wide());
    assertEquals(224, through.vectorsFree());
    VectorBlock block = through.allocate(SOURCE, 1, false);
    block.activate(0, 1);
    assertEquals(0, block.cpu(0), "the CPU that can be named");
    DestinationOutOfReach e = assertThrows(DestinationOutOfReach.class, () -> block.retarget(0, 1));
    assertTrue(
        e.refusal().message().contains("APIC id is 256")
            && e.refusal().message().contains("ids up to 254"),
        e.refusal().message());
    assertEquals(flag, e.refusal().source());
    assertEquals(0, block.cpu(0));
    LapicDriver without =
        LapicDriver.open(
            new LapicHardware("lapic@0xfee00000", ids, Optional.of(cpus), Optional.of(cpus)));
    assertTrue(without.isX2Apic());
    assertEquals(2 * 224, without.behind(new Wide()).vectorsFree());
  }
}
