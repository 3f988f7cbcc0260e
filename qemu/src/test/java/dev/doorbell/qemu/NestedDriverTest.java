package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bits.BitKind;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.host.HostOptions;
import dev.doorbell.hw.smmuv3.CdLayout;
import dev.doorbell.hw.smmuv3.CommandLayout;
import dev.doorbell.hw.smmuv3.EventLayout;
import dev.doorbell.hw.smmuv3.SmmuDriver;
import dev.doorbell.hw.smmuv3.SmmuGuestCommand;
import dev.doorbell.hw.smmuv3.SmmuGuestEntry;
import dev.doorbell.hw.smmuv3.SteLayout;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.machine.Machine;
import dev.doorbell.vmsa.Stage;
import dev.doorbell.vmsa.VmsaGeometry;
import dev.doorbell.vmsa.VmsaTable;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// Our driver owns stage 2, with the doorbell in it; the test plays a guest that has a context descriptor and tables of its own.
@DisplayName(
    "a guest's stage 1 that our driver puts above its stage 2, on QEMU 10's SMMUv3 with its ITS")
class NestedDriverTest {
  private static final AddressRange RAM = AddressRange.ofSize(0x4000_0000L, 512L << 20);
  private static final int ASID = 3;

  /// Where the guest has the doorbell.
  private static final long GUESTS = 0x12_3456_7000L;

  private static Lab lab;

  @BeforeAll
  static void open() {
    lab = Lab.open(Qemus.tenOrSkip(), Board.GICV3, Devices.of("edu,addr=1"));
  }

  @AfterAll
  static void close() {
    if (lab != null) {
      lab.close();
    }
  }

  @Test
  @DisplayName(
      "messages arrive by the guest's own address, end when the guest takes it away and says so, and arrive again without the guest's stage 1, as on our model")
  void doorbell() {
    lab.machine.reset();
    List<List<Long>> real = play(lab.machine);
    try (EmbeddedMachine twin = EmbeddedMachine.of(lab.machine.description())) {
      assertEquals(play(twin), real);
    }
    assertEquals(1, real.size(), "one message was lost, after the guest's unmapping");
    List<Long> event = real.getFirst();
    assertEquals(EventLayout.F_TRANSLATION, EventLayout.EVENT_ID.getInt(event.getFirst()));
    assertEquals(0, EventLayout.S2.get(event.get(1)), "the guest's fault, not the host's");
    assertEquals(GUESTS | 0x40, EventLayout.INPUT_ADDR.get(event.get(2)));
  }

  /// {@return the events, their documented fields}
  private static List<List<Long>> play(Machine machine) {
    Host host = Host.start(machine, HostOptions.USUAL.withStage(2));
    SmmuDriver smmu =
        (SmmuDriver) host.iommu(machine.description().iommus().getFirst().id()).orElseThrow();
    VmsaGeometry geometry = VmsaGeometry.of(Granule.K4, Stage.STAGE1, 39, 44);
    try (Assignment a = Lab.assign(host, Granule.K4, lab.edu(0));
        VmsaTable tables = VmsaTable.create(geometry, machine.memory(), machine.frames(), false)) {
      HostFunction f = a.functions().getFirst();
      int stream = f.sbdf().requesterId();
      LiveVector v = a.vectors(f).getFirst();
      long host1 = v.message().address();
      // The guest's memory is where it is; its doorbell is the host's IPA.
      a.domain()
          .map(new Iova(RAM.start()), new Pa(RAM.start()), RAM.bytes(), Protection.READ_WRITE);
      tables.map(
          new Iova(GUESTS), new Pa(host1 & -0x1000L), 0x1000, Protection.READ_WRITE, (_, _) -> {});
      Pa context = context(machine, tables);
      assertTrue(arrives(a, machine, f, v, host1), "by stage 2 alone");
      smmu.nest(stream, entry(SteLayout.CONFIG_S1_TRANS, context));
      assertTrue(arrives(a, machine, f, v, GUESTS | 0x40), "by both stages");
      tables.unmap(
          new Iova(GUESTS),
          0x1000,
          (range, leafOnly) ->
              smmu.guestInvalidates(
                  stream,
                  List.of(
                      new SmmuGuestCommand(
                          List.of(
                              CommandLayout.TLBI_OPCODE.place(CommandLayout.CMD_TLBI_NH_VA)
                                  | CommandLayout.TLBI_ASID.place(ASID),
                              CommandLayout.TLBI_ADDRESS.place(range.start())
                                  | CommandLayout.TLBI_LEAF.place(leafOnly ? 1 : 0))))));
      assertTrue(!arrives(a, machine, f, v, GUESTS | 0x40), "unmapped by the guest");
      smmu.nest(stream, entry(SteLayout.CONFIG_BYPASS, context));
      assertTrue(arrives(a, machine, f, v, host1), "by stage 2 alone again");
      machine.frames().free(context, CdLayout.BYTES);
      return events(machine);
    }
  }

  private static SmmuGuestEntry entry(int config, Pa context) {
    return new SmmuGuestEntry(
        List.of(
            SteLayout.V.place(1)
                | SteLayout.CONFIG.place(config)
                | SteLayout.S1_CONTEXT_PTR.place(context.value()),
            0L));
  }

  private static Pa context(Machine machine, VmsaTable tables) {
    VmsaGeometry g = tables.geometry();
    Pa at = machine.frames().allocate(CdLayout.BYTES, CdLayout.BYTES);
    machine.memory().write64(at.value() + Long.BYTES, CdLayout.TTB0.place(tables.root().value()));
    machine.memory().write64(at.value() + 3L * Long.BYTES, 0xff04L);
    machine
        .memory()
        .write64(
            at.value(),
            CdLayout.T0SZ.place(g.t0sz())
                | CdLayout.TG0.place(g.tg0())
                | CdLayout.EPD1.place(1)
                | CdLayout.V.place(1)
                | CdLayout.IPS.place(VmsaGeometry.encodeSize(g.outputBits()))
                | CdLayout.AA64.place(1)
                | CdLayout.R.place(1)
                | CdLayout.A.place(1)
                | CdLayout.ASID.place(ASID));
    machine.memory().publish();
    return at;
  }

  private static boolean arrives(
      Assignment a, Machine machine, HostFunction f, LiveVector v, long address) {
    Lab.messages(machine, f).write(0, address, v.message().data());
    return a.fire(f, v).arrivals().size() == 1;
  }

  private static List<List<Long>> events(Machine machine) {
    List<List<Long>> out = new ArrayList<>();
    for (List<Long> e : Lab.events(machine)) {
      out.add(
          List.of(e.get(0), e.get(1) & ~EventLayout.W1.mask(BitKind.IMPDEF), e.get(2), e.get(3)));
    }
    return out;
  }
}
