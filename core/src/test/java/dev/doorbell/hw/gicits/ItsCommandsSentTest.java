package dev.doorbell.hw.gicits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.bus.BusOutcome;
import dev.doorbell.bus.BusRead;
import dev.doorbell.bus.MmioDevice;
import dev.doorbell.bus.OutOfFramesException;
import dev.doorbell.irq.VectorBlock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("ITS driver: the commands of each change, in order")
class ItsCommandsSentTest {
  private static final int DEVICE = 0x100;
  private static final Map<Integer, String> NAMES =
      Map.ofEntries(
          Map.entry(ItsCommandLayout.MOVI, "MOVI"),
          Map.entry(ItsCommandLayout.SYNC, "SYNC"),
          Map.entry(ItsCommandLayout.MAPD, "MAPD"),
          Map.entry(ItsCommandLayout.MAPTI, "MAPTI"),
          Map.entry(ItsCommandLayout.MAPI, "MAPI"),
          Map.entry(ItsCommandLayout.INV, "INV"),
          Map.entry(ItsCommandLayout.INT, "INT"),
          Map.entry(ItsCommandLayout.CLEAR, "CLEAR"),
          Map.entry(ItsCommandLayout.MOVALL, "MOVALL"),
          Map.entry(ItsCommandLayout.DISCARD, "DISCARD"));

  /// An ITS of which each command is noted as the queue is given it.
  private static final class Noted implements MmioDevice {
    private final MmioDevice its;
    private final DrivenIts machine;
    private final List<String> commands = new ArrayList<>();
    private long offset;

    Noted(DrivenIts machine) {
      this.machine = machine;
      this.its = machine.itsModel;
    }

    @Override
    public BusRead read(long at, int bytes) {
      return its.read(at, bytes);
    }

    @Override
    public BusOutcome write(long at, long value, int bytes, int requester) {
      if (at == GitsRegisters.CWRITER.offset()) {
        long base =
            GitsRegisters.CBASER_ADDRESS.get(its.read(GitsRegisters.CBASER.offset(), 8).value());
        long to = GitsRegisters.CWRITER_OFFSET.get(value);
        for (; offset < to; offset += ItsCommandLayout.BYTES) {
          commands.add(name(base + offset));
        }
      }
      return its.write(at, value, bytes, requester);
    }

    private String name(long at) {
      int code = ItsCommandLayout.CODE.getInt(machine.memory.read64(at));
      String name = NAMES.getOrDefault(code, "0x%x".formatted(code));
      return code == ItsCommandLayout.SYNC
          ? name + " " + ItsCommandLayout.RDBASE.get(machine.memory.read64(at + 16))
          : name;
    }

    List<String> take() {
      List<String> out = List.copyOf(commands);
      commands.clear();
      return out;
    }
  }

  @Test
  @DisplayName(
      "IHI 0069 5.3: what changed is made known (INV), and waited for at each CPU that it concerns (SYNC)")
  void commands() {
    DrivenIts m = new DrivenIts(2, true);
    Noted noted = new Noted(m);
    ItsDriver its = ItsDriver.open(m.itsHardware("its@0x8080000", noted), m.gic);
    noted.take();
    VectorBlock v = its.allocate(DrivenIts.source(DEVICE), 1, false);
    assertEquals(List.of("MAPD", "SYNC 0"), noted.take());
    v.activate(0, 1);
    assertEquals(List.of("MAPTI", "INV", "SYNC 1"), noted.take());
    v.raise(0);
    assertEquals(List.of("INT", "SYNC 1"), noted.take());
    v.clearPending(0);
    assertEquals(List.of("CLEAR", "SYNC 1"), noted.take());
    v.retarget(0, 0);
    assertEquals(List.of("MOVI", "INV", "SYNC 0", "SYNC 1"), noted.take());
    v.mask(0);
    assertEquals(List.of("INV", "SYNC 0"), noted.take());
    ItsDriver.evacuate(List.of(its), 0, 1);
    assertEquals(List.of("MOVI", "INV", "SYNC 1", "SYNC 0", "MOVALL", "SYNC 1"), noted.take());
    v.deactivate(0);
    assertEquals(List.of("INV", "DISCARD", "SYNC 1"), noted.take());
    v.free();
    assertEquals(List.of("MAPD", "SYNC 0"), noted.take());
    VectorBlock direct = its.allocateByIntid(DrivenIts.source(DEVICE), 1);
    assertEquals(List.of("MAPD", "SYNC 0"), noted.take());
    direct.activate(0, 0);
    assertEquals(List.of("MAPI", "INV", "SYNC 0"), noted.take());
  }

  @Test
  @DisplayName(
      "IHI 0069 5.3.13: what is pending at a CPU that stops is taken along, whoever it is for")
  void others() {
    DrivenIts m = new DrivenIts(2, false);
    int nobodys = 8192 + 100;
    m.gicModel.setPending(1, nobodys);
    ItsDriver.evacuate(List.of(m.its), 1, 0);
    assertTrue(m.gic.isPending(0, nobodys));
    assertFalse(m.gic.isPending(1, nobodys));
  }

  @Test
  @DisplayName(
      "a DeviceID whose page of the device table finds no memory keeps no translation table")
  void noPage() {
    DrivenIts m = new DrivenIts(1, false, new ItsConfig(20, 16, false, true, 0b001, 0), 16);
    long before = m.frames.bytesInUse();
    m.frames.limit(before + 2048 * 12);
    assertThrows(OutOfFramesException.class, () -> m.allocate(0xf_f234, 1));
    assertEquals(before, m.frames.bytesInUse());
    m.frames.limit(Long.MAX_VALUE);
    m.allocate(0xf_f234, 1).free();
  }
}
