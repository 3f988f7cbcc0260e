package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Assignment.Arrival;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.hw.gicits.ItsDriver;
import dev.doorbell.hw.gicv3.GicrRegisters;
import dev.doorbell.irq.InterruptDispatch;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.irq.MsiFunction;
import dev.doorbell.irq.MsiSource;
import dev.doorbell.irq.VectorBlock;
import dev.doorbell.pci.MessageTable;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("IHI 0069 MOVI on QEMU's ITS with four Redistributors: a vector goes where it is sent")
class RetargetTest {
  private static final int CPUS = 4;
  private static final long FIRST_REDISTRIBUTOR = 0x080a_0000L;
  private static final long REDISTRIBUTOR_BYTES = 0x2_0000L;

  private static Lab lab;

  private Host host;

  @BeforeAll
  static void open() {
    lab =
        Lab.open(
            Board.GICV3,
            Devices.of(
                    "pcie-root-port,id=port0,chassis=1,addr=1",
                    "nvme,serial=a,bus=port0,max_ioqpairs=8,msix_qsize=9")
                .and("-smp", Integer.toString(CPUS)));
  }

  @AfterAll
  static void close() {
    if (lab != null) {
      lab.close();
    }
  }

  @BeforeEach
  void start() {
    host = lab.fresh();
  }

  @Test
  @DisplayName(
      "every vector to every CPU: it becomes pending there and nowhere else, its message unchanged")
  void everyVectorToEveryCpu() {
    try (Assignment a = Lab.assign(host, Granule.K4, lab.nvme(0))) {
      HostFunction f = a.functions().getFirst();
      NvmeStimulus nvme = lab.startNvme(a, f, 0x1_0000_0000L);
      assertEquals(0, collectAll());
      MsiFunction vectors = f.vectors().orElseThrow();
      List<LiveVector> before = a.vectors(f);
      assertEquals(9, before.size());
      for (LiveVector v : before) {
        assertEquals(v.index() % CPUS, v.cpu(), "spread over the CPUs");
      }
      for (int turn = 1; turn <= CPUS; turn++) {
        for (LiveVector v : before) {
          int cpu = (v.index() + turn) % CPUS;
          vectors.retarget(v.index(), cpu);
          assertEquals(v.message(), vectors.compose(v.index()), "an ITS's message names no CPU");
          assertEquals(v.message().data(), Lab.messages(lab.machine, f).data(v.index()));
          var unused = nvme.raise(v.index());
          assertEquals(List.of(cpu), pendingAt(v.intid()));
          assertEquals(List.of(new Arrival(v.intid(), cpu)), collect(v));
          assertEquals(List.of(), pendingAt(v.intid()));
        }
      }
    }
  }

  @Test
  @DisplayName("IHI 0069 MOVI: what is pending moves with its vector, and arrives once")
  void pendingMoves() {
    try (Assignment a = Lab.assign(host, Granule.K4, lab.nvme(0))) {
      HostFunction f = a.functions().getFirst();
      NvmeStimulus nvme = lab.startNvme(a, f, 0x1_0000_0000L);
      assertEquals(0, collectAll());
      LiveVector v = a.vectors(f).get(5);
      var unused = nvme.raise(5);
      assertEquals(List.of(1), pendingAt(v.intid()));
      f.vectors().orElseThrow().retarget(5, 3);
      assertEquals(List.of(3), pendingAt(v.intid()));
      assertEquals(List.of(new Arrival(v.intid(), 3)), collect(v));
      assertEquals(List.of(), collect(v));
    }
  }

  @Test
  @DisplayName(
      "IHI 0069 MOVALL: a CPU that stops gives away its vectors with what is pending, and whatever else is pending there")
  void evacuated() {
    try (Assignment a = Lab.assign(host, Granule.K4, lab.nvme(0))) {
      HostFunction f = a.functions().getFirst();
      NvmeStimulus nvme = lab.startNvme(a, f, 0x1_0000_0000L);
      assertEquals(0, collectAll());
      List<LiveVector> vectors = a.vectors(f);
      assertEquals(List.of(1, 1), List.of(vectors.get(1).cpu(), vectors.get(5).cpu()));
      var unused = nvme.raise(1);
      var unusedToo = nvme.raise(2);
      int stray = 8192 + 0x4000;
      makePending(1, stray);
      ItsDriver its = (ItsDriver) host.msiController(vectors.getFirst().controller()).orElseThrow();
      ItsDriver.evacuate(List.of(its), 1, 3);
      assertEquals(List.of(3), pendingAt(vectors.get(1).intid()));
      assertEquals(List.of(2), pendingAt(vectors.get(2).intid()));
      assertEquals(List.of(3), pendingAt(stray));
      assertEquals(List.of(new Arrival(vectors.get(1).intid(), 3)), collect(vectors.get(1)));
      var after = nvme.raise(5);
      assertEquals(List.of(new Arrival(vectors.get(5).intid(), 3)), collect(vectors.get(5)));
    }
  }

  @Test
  @DisplayName("a masked vector is retargeted too: it waits in the PBA, and comes at the new CPU")
  void maskedMoves() {
    try (Assignment a = Lab.assign(host, Granule.K4, lab.nvme(0))) {
      HostFunction f = a.functions().getFirst();
      NvmeStimulus nvme = lab.startNvme(a, f, 0x1_0000_0000L);
      assertEquals(0, collectAll());
      MsiFunction vectors = f.vectors().orElseThrow();
      MessageTable table = Lab.messages(lab.machine, f);
      LiveVector v = a.vectors(f).get(2);
      vectors.mask(2, true);
      var unused = nvme.raise(2);
      vectors.retarget(2, 1);
      assertEquals(List.of(), collect(v));
      assertTrue(table.isPending(2));
      vectors.mask(2, false);
      assertEquals(List.of(new Arrival(v.intid(), 1)), collect(v));
    }
  }

  @Test
  @DisplayName(
      "IHI 0069 INT and CLEAR: a vector is pending by order and moves along, and is not by order")
  void pendingByOrder() {
    try (Assignment a = Lab.assign(host, Granule.K4, lab.nvme(0))) {
      HostFunction f = a.functions().getFirst();
      assertEquals(0, collectAll());
      MsiFunction vectors = f.vectors().orElseThrow();
      LiveVector v = a.vectors(f).get(5);
      vectors.setPending(5, true);
      assertEquals(List.of(1), pendingAt(v.intid()));
      vectors.setPending(5, false);
      assertEquals(List.of(), pendingAt(v.intid()));
      assertEquals(List.of(), collect(v));
      vectors.setPending(5, true);
      vectors.retarget(5, 3);
      assertEquals(List.of(3), pendingAt(v.intid()));
      assertEquals(List.of(new Arrival(v.intid(), 3)), collect(v));
      assertEquals(List.of(), collect(v));
    }
  }

  @Test
  @DisplayName("IHI 0069 MAPI: an LPI is raised, moved and cleared by its own number")
  void byOwnNumber() {
    try (Assignment a = Lab.assign(host, Granule.K4, lab.nvme(0))) {
      HostFunction f = a.functions().getFirst();
      ItsDriver its =
          (ItsDriver) host.msiController(a.vectors(f).getFirst().controller()).orElseThrow();
      VectorBlock direct = its.allocateByIntid(new MsiSource("0000:07:08.2", 0x742), 2);
      assertEquals(direct.intid(1), direct.data(1));
      direct.activate(1, 2);
      direct.raise(1);
      assertEquals(List.of(2), pendingAt(direct.intid(1)));
      direct.retarget(1, 0);
      assertEquals(List.of(0), pendingAt(direct.intid(1)));
      direct.clearPending(1);
      assertEquals(List.of(), pendingAt(direct.intid(1)));
      direct.free();
    }
  }

  @Test
  @DisplayName("a CPU that there is not is refused, and the vector stays where it was")
  void noSuchCpu() {
    try (Assignment a = Lab.assign(host, Granule.K4, lab.nvme(0))) {
      HostFunction f = a.functions().getFirst();
      NvmeStimulus nvme = lab.startNvme(a, f, 0x1_0000_0000L);
      assertEquals(0, collectAll());
      MsiFunction vectors = f.vectors().orElseThrow();
      LiveVector v = a.vectors(f).get(6);
      for (int cpu : new int[] {CPUS, -1, Integer.MAX_VALUE}) {
        assertThrows(IllegalArgumentException.class, () -> vectors.retarget(6, cpu));
      }
      var unused = nvme.raise(6);
      assertEquals(List.of(new Arrival(v.intid(), 2)), collect(v));
    }
  }

  /// Takes what the controller's own start has made pending.
  ///
  /// {@return what is pending afterwards}
  private int collectAll() {
    host.poll();
    return host.poll();
  }

  private List<Arrival> collect(LiveVector v) {
    List<Arrival> out = new ArrayList<>();
    InterruptDispatch dispatch = Lab.dispatch(host, v);
    dispatch.add(v.intid(), (intid, cpu) -> out.add(new Arrival(intid, cpu)));
    host.poll();
    dispatch.remove(v.intid());
    return out;
  }

  /// {@return the CPUs in whose pending table, as QEMU keeps it in memory, an LPI's bit is set}
  ///
  /// **Source**: IHI 0069, LPI Pending tables: one bit for each INTID.
  private static List<Integer> pendingAt(int intid) {
    return IntStream.range(0, CPUS)
        .filter(cpu -> {
          long bits = lab.machine.memory().read(pendingTable(cpu) + intid / Byte.SIZE, 1);
          return (bits >> intid % Byte.SIZE & 1) != 0;
        })
        .boxed()
        .toList();
  }

  private static long pendingTable(int cpu) {
    RegisterBus gicr =
        lab.machine.registers(
            AddressRange.ofSize(
                FIRST_REDISTRIBUTOR + cpu * REDISTRIBUTOR_BYTES, REDISTRIBUTOR_BYTES));
    return GicrRegisters.PEND_ADDRESS.get(gicr.read64(GicrRegisters.PENDBASER.offset()));
  }

  /// Sets an LPI's bit that no vector has, as one of another ITS would be.
  private static void makePending(int cpu, int intid) {
    long at = pendingTable(cpu) + intid / Byte.SIZE;
    long bits = lab.machine.memory().read(at, 1);
    lab.machine.memory().write(at, bits | 1L << intid % Byte.SIZE, 1);
  }
}
