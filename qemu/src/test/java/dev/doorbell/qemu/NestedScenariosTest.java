package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.BitKind;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.hw.smmuv3.EventLayout;
import dev.doorbell.hw.smmuv3.SmmuRegisters;
import dev.doorbell.hw.smmuv3.SteLayout;
import dev.doorbell.hw.smmuv3.StreamTableLayout;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.machine.Machine;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaGeometry;
import dev.doorbell.vmsa.VmsaTable;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Our drivers play the guest: they know stage 1 alone. The test plays the hypervisor and puts a stage 2 below their STEs, through which then go
/// their context descriptor, their tables, and the doorbell.
@DisplayName("our drivers' stage 1 above a stage 2 (nested), on QEMU 10's SMMUv3 with its ITS")
class NestedScenariosTest {
  private static final AddressRange RAM = AddressRange.ofSize(0x4000_0000L, 512L << 20);
  private static final long DOORBELL_PAGE = 0x0809_0000L;
  private static final long ELSEWHERE = 0x3_0000_0000L;

  /// Where no machine has anything.
  private static final long IPA = 0x7_0000_0000L;

  private static final int INPUT_BITS = 40;
  private static final int OUTPUT_BITS = 44;
  private static final int VMID = 7;

  private static Lab lab;

  @BeforeAll
  static void open() {
    lab =
        Lab.open(
            Qemus.tenOrSkip(),
            Board.GICV3,
            Devices.of(
                "edu,addr=1",
                "pcie-root-port,id=port0,chassis=1,addr=2",
                "e1000e,romfile=,bus=port0"));
  }

  @AfterAll
  static void close() {
    if (lab != null) {
      lab.close();
    }
  }

  /// The tables of a stage 2 that leads RAM to itself.
  private static VmsaTable memoryAlone(Machine machine, Granule granule) {
    VmsaTable out =
        VmsaTable.create(
            VmsaGeometry.of(granule, Stage.STAGE2, INPUT_BITS, OUTPUT_BITS),
            machine.memory(),
            machine.frames(),
            false);
    map(out, RAM.start(), RAM.start(), RAM.bytes());
    return out;
  }

  private static void map(VmsaTable table, long ipa, long pa, long bytes) {
    table.map(new Iova(ipa), new Pa(pa), bytes, Protection.READ_WRITE, (range, leafOnly) -> {});
  }

  /// Puts a stage 2 below a function whose device has not made an access yet.
  private static void below(Machine machine, HostFunction f, VmsaTable table) {
    long ste = ste(machine, f.sbdf().requesterId());
    VmsaGeometry g = table.geometry();
    long first = machine.memory().read64(ste);
    machine.memory().write64(ste + 3L * Long.BYTES, SteLayout.S2_TTB.place(table.root().value()));
    machine
        .memory()
        .write64(
            ste + 2L * Long.BYTES,
            SteLayout.S2_VMID.place(VMID)
                | SteLayout.S2_T0SZ.place(g.t0sz())
                | SteLayout.S2_SL0.place(g.sl0())
                | SteLayout.S2_TG.place(g.tg0())
                | SteLayout.S2_PS.place(VmsaGeometry.encodeSize(g.outputBits()))
                | SteLayout.S2_AA64.place(1)
                | SteLayout.S2_R.place(1));
    machine.memory().write64(ste, SteLayout.CONFIG.with(first, SteLayout.CONFIG_NESTED));
    machine.memory().publish();
  }

  private static long ste(Machine machine, int stream) {
    RegisterBus smmu = Lab.smmu(machine);
    long base = SmmuRegisters.STRTAB_BASE_ADDR.get(smmu.read64(SmmuRegisters.STRTAB_BASE.offset()));
    long config = Integer.toUnsignedLong(smmu.read32((int) SmmuRegisters.STRTAB_BASE_CFG.offset()));
    if (SmmuRegisters.STRTAB_BASE_CFG_FMT.get(config) == SmmuRegisters.FMT_LINEAR) {
      return base + (long) stream * SteLayout.BYTES;
    }
    int split = SmmuRegisters.STRTAB_BASE_CFG_SPLIT.getInt(config);
    long descriptor =
        machine.memory().read64(base + (long) (stream >>> split) * StreamTableLayout.L1_BYTES);
    return StreamTableLayout.L2_PTR.get(descriptor)
        + (long) (stream & ((1 << split) - 1)) * SteLayout.BYTES;
  }

  @ParameterizedTest(name = "stage 1 {0}, stage 2 {1}")
  @CsvSource({"12, 12", "12, 16", "14, 14", "16, 12", "16, 16"})
  @DisplayName("every vector arrives through both, with granules of 4, 16 and 64 KiB at either")
  void everyVector(int granule, int outer) {
    Host host = lab.fresh();
    try (Assignment a = Lab.assign(host, new Granule(granule), lab.edu(0), lab.e1000e(0));
        VmsaTable table = memoryAlone(lab.machine, new Granule(outer))) {
      map(table, DOORBELL_PAGE, DOORBELL_PAGE, 0x1_0000);
      for (HostFunction f : a.functions()) {
        below(lab.machine, f, table);
        ItsScenariosTest.everyVectorArrives(a, f);
      }
      assertEquals(List.of(), Lab.events(lab.machine));
    }
  }

  @Test
  @DisplayName("the doorbell's IPA need not be its PA: stage 2 leads another page to it")
  void doorbellElsewhere() {
    Host host = lab.fresh();
    try (Assignment a = Lab.assign(host, Granule.K4, lab.edu(0));
        VmsaTable table = memoryAlone(lab.machine, Granule.K4)) {
      HostFunction f = a.functions().getFirst();
      map(table, IPA, DOORBELL_PAGE, 0x1000);
      a.domain().map(new Iova(ELSEWHERE), new Pa(IPA), 0x1000, Protection.READ_WRITE);
      below(lab.machine, f, table);
      LiveVector v = a.vectors(f).getFirst();
      Lab.messages(lab.machine, f).write(0, ELSEWHERE | 0x40, v.message().data());
      Assignment.Fired fired = a.fire(f, v);
      assertEquals(1, fired.arrivals().size(), fired::toString);
      assertEquals(List.of(), Lab.events(lab.machine));
    }
  }

  @Test
  @DisplayName(
      "IHI 0070 7.3.13: a doorbell that stage 1 maps and stage 2 does not leaves F_TRANSLATION with S2, CLASS IN and the IPA, as our model does")
  void unmappedAtStage2() {
    Host host = lab.fresh();
    List<Long> real = miss(lab.machine, host);
    List<Long> ours;
    try (EmbeddedMachine twin = EmbeddedMachine.of(lab.machine.description())) {
      ours = miss(twin, Host.start(twin));
    }
    assertEquals(EventLayout.F_TRANSLATION, EventLayout.EVENT_ID.getInt(ours.getFirst()));
    assertEquals(EventLayout.CLASS_IN, EventLayout.CLASS.getInt(ours.get(1)));
    assertEquals(1, EventLayout.S2.get(ours.get(1)));
    assertEquals(IPA, EventLayout.IPA.get(ours.get(3)));
    assertEquals(ours, real);
  }

  /// {@return the one record, its documented fields; of IPA the page (`smmu-ipa`)}
  private static List<Long> miss(Machine machine, Host host) {
    try (Assignment a = Lab.assign(host, Granule.K4, lab.edu(0));
        VmsaTable table = memoryAlone(machine, Granule.K4)) {
      HostFunction f = a.functions().getFirst();
      a.domain().map(new Iova(ELSEWHERE), new Pa(IPA), 0x1000, Protection.READ_WRITE);
      below(machine, f, table);
      LiveVector v = a.vectors(f).getFirst();
      Lab.messages(machine, f).write(0, ELSEWHERE | 0x40, v.message().data());
      assertEquals(List.of(), a.fire(f, v).arrivals());
      List<List<Long>> events = Lab.events(machine);
      assertEquals(1, events.size());
      List<Long> e = events.getFirst();
      return List.of(
          e.get(0),
          e.get(1) & ~EventLayout.W1.mask(BitKind.IMPDEF),
          e.get(2),
          e.get(3) & EventLayout.IPA.mask());
    }
  }
}
