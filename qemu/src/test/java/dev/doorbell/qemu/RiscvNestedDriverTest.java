package dev.doorbell.qemu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.doorbell.address.AddressRange;
import dev.doorbell.address.Granule;
import dev.doorbell.address.Iova;
import dev.doorbell.address.Pa;
import dev.doorbell.bus.PhysicalMemory;
import dev.doorbell.bus.RegisterBus;
import dev.doorbell.description.IommuDescription;
import dev.doorbell.host.Assignment;
import dev.doorbell.host.Host;
import dev.doorbell.host.HostFunction;
import dev.doorbell.host.HostOptions;
import dev.doorbell.hw.riscviommu.DirectoryLayout;
import dev.doorbell.hw.riscviommu.ProcessLayout;
import dev.doorbell.hw.riscviommu.RiscvIommuDriver;
import dev.doorbell.hw.riscviommu.RiscvIommuGuest;
import dev.doorbell.hw.riscviommu.RiscvIommuGuestCommand;
import dev.doorbell.hw.riscviommu.RiscvIommuGuestContext;
import dev.doorbell.hw.riscviommu.RiscvIommuRegisters;
import dev.doorbell.hw.riscviommu.SvPteLayout;
import dev.doorbell.iommu.AddressSpace;
import dev.doorbell.iommu.Protection;
import dev.doorbell.irq.LiveVector;
import dev.doorbell.machine.EmbeddedMachine;
import dev.doorbell.machine.Machine;
import dev.doorbell.vmsa.Stage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

/// Our driver owns the second stage and the MSI page table; the test plays a guest that has a process directory and tables of its own.
@DisplayName(
    "a guest's first stage and its interrupt files, and processes, as our driver sets them up, on QEMU 10's riscv-iommu with its IMSIC")
class RiscvNestedDriverTest {
  /// The interrupt file of hart 0 on QEMU's machine.
  private static final Pa HART = new Pa(0x2800_0000L);

  /// Where the guest has its interrupt file, and where its tables lead to it.
  private static final long FILE = 0x2400_0000L;

  private static final long GUESTS = 0x12_3456_7000L;

  private static final int PAGE = DirectoryLayout.PAGE_BYTES;
  private static final int PSCID = 7;
  private static final long LEAF =
      SvPteLayout.V.mask()
          | SvPteLayout.R.mask()
          | SvPteLayout.W.mask()
          | SvPteLayout.U.mask()
          | SvPteLayout.A.mask()
          | SvPteLayout.D.mask();

  private static Lab lab;

  @BeforeAll
  static void open() {
    lab = Lab.open(Qemus.riscvOrSkip(), Board.RISCV_IMSIC, Devices.of("edu,addr=1"));
  }

  @AfterAll
  static void close() {
    if (lab != null) {
      lab.close();
    }
  }

  @Test
  @DisplayName(
      "messages arrive by the guest's own address, at the file where the host has it, in memory with a notice, and end where the guest or the host ends them; as on our model")
  void guest() {
    lab.machine.reset();
    List<String> real = new Play(lab.machine).guest();
    try (EmbeddedMachine twin = EmbeddedMachine.of(lab.machine.description())) {
      assertEquals(new Play(twin).guest(), real);
    }
    assertEquals(
        List.of(
            "second stage true",
            "nested true",
            "unmapped by the guest false",
            "second stage alone true",
            "process 0 by default true",
            "guest's file true",
            "below the guest's tables true",
            "in memory true, pending 20000000000000",
            "ended by the host false",
            "led back true"),
        real);
  }

  @Test
  @DisplayName(
      "each process has its own address space, as the debug interface tells, and has it no more when it is taken away; as on our model")
  void processes() {
    lab.machine.reset();
    List<String> real = new Play(lab.machine).processes();
    try (EmbeddedMachine twin = EmbeddedMachine.of(lab.machine.description())) {
      assertEquals(new Play(twin).processes(), real);
    }
    assertEquals(List.of("200", "201", "fault", "200", "fault"), real);
  }

  /// What happens on one machine.
  private static final class Play {
    private final Machine machine;
    private final PhysicalMemory memory;
    private final List<String> told = new ArrayList<>();

    Play(Machine machine) {
      this.machine = machine;
      this.memory = machine.memory();
    }

    private RiscvIommuDriver driver(Host host) {
      return (RiscvIommuDriver)
          host.iommu(machine.description().iommus().getFirst().id()).orElseThrow();
    }

    List<String> guest() {
      Host host = Host.start(machine, HostOptions.USUAL.withStage(2));
      RiscvIommuDriver iommu = driver(host);
      Pa tables = machine.frames().allocate(5 * PAGE, PAGE);
      try (Assignment a = assign(host)) {
        HostFunction f = a.functions().getFirst();
        int device = f.sbdf().requesterId();
        LiveVector v = a.vectors(f).getFirst();
        long window = v.message().address();
        a.domain().map(new Iova(tables.value()), tables, 5 * PAGE, Protection.READ_WRITE);
        map(tables, window);
        tell("second stage", arrives(a, f, v, window));
        iommu.nest(device, one(tables));
        tell("nested", arrives(a, f, v, GUESTS));
        write(leaf(tables), 0);
        iommu.guestInvalidates(device, List.of(drop()));
        tell("unmapped by the guest", arrives(a, f, v, GUESTS));
        iommu.nest(device, context(SvPteLayout.V.mask(), 0, 0));
        tell("second stage alone", arrives(a, f, v, window));
        map(tables, window);
        iommu.nest(device, directory(tables));
        tell("process 0 by default", arrives(a, f, v, GUESTS));
        files(iommu, a, tables);
        iommu.block(device);
      }
      machine.frames().free(tables, 5 * PAGE);
      return told;
    }

    private void files(RiscvIommuDriver iommu, Assignment a, Pa tables) {
      HostFunction f = a.functions().getFirst();
      int device = f.sbdf().requesterId();
      LiveVector v = a.vectors(f).getFirst();
      RiscvIommuGuest guest = iommu.createGuest(new RiscvIommuGuest.Files(new Iova(FILE), 0));
      guest.memory().map(new Iova(tables.value()), tables, 5 * PAGE, Protection.READ_WRITE);
      iommu.attach(device, guest.memory());
      guest.lead(0, HART);
      tell("guest's file", arrives(a, f, v, FILE));
      map(tables, FILE);
      iommu.nest(device, one(tables));
      tell("below the guest's tables", arrives(a, f, v, GUESTS));
      // What the device sends is identity 53 of the guest's; its hart runs nowhere, and the host is
      // told by its own vector.
      Pa file = new Pa(tables.value() + 4 * PAGE);
      write(file.value() + 8, -1);
      guest.lead(0, new RiscvIommuGuest.Resident(file, HART, v.message().data()));
      boolean noticed = arrives(a, f, v, GUESTS, 53);
      told.add("in memory %s, pending %x".formatted(noticed, memory.read64(file.value())));
      guest.end(0);
      tell("ended by the host", arrives(a, f, v, GUESTS));
      guest.lead(0, HART);
      tell("led back", arrives(a, f, v, GUESTS));
      iommu.block(device);
      guest.memory().close();
    }

    private Assignment assign(Host host) {
      return Assignment.of(
          host,
          List.of(lab.edu(0)),
          new Assignment.Request(Granule.K4, Optional.of(Lab.WINDOW), 1, 1, true));
    }

    private void tell(String what, boolean arrived) {
      told.add(what + " " + arrived);
    }

    private boolean arrives(Assignment a, HostFunction f, LiveVector v, long address) {
      return arrives(a, f, v, address, v.message().data());
    }

    private boolean arrives(Assignment a, HostFunction f, LiveVector v, long address, int datum) {
      Lab.messages(machine, f).write(0, address, datum);
      return a.fire(f, v).arrivals().size() == 1;
    }

    /// Sv39 in three pages, and a process directory of one level in the fourth.
    private void map(Pa tables, long gpa) {
      long root = tables.value();
      write(root + slot(2), pointer(root + PAGE));
      write(root + PAGE + slot(1), pointer(root + 2 * PAGE));
      write(leaf(tables), LEAF | SvPteLayout.PPN.place(DirectoryLayout.ppn(gpa)));
      long directory = root + 3 * PAGE;
      write(directory + ProcessLayout.FSC_AT, fsc(root));
      write(directory, ProcessLayout.TA_V.mask() | ProcessLayout.TA_PSCID.place(PSCID));
    }

    private static long slot(int level) {
      return SvPteLayout.index(GUESTS, level, 0) * SvPteLayout.BYTES;
    }

    private static long leaf(Pa tables) {
      return tables.value() + 2 * PAGE + slot(0);
    }

    private static long pointer(long table) {
      return SvPteLayout.V.mask() | SvPteLayout.PPN.place(DirectoryLayout.ppn(table));
    }

    private static long fsc(long root) {
      return DirectoryLayout.FSC_MODE.place(DirectoryLayout.SV39)
          | DirectoryLayout.FSC_PPN.place(DirectoryLayout.ppn(root));
    }

    private void write(long at, long value) {
      memory.write64(at, value);
      memory.publish();
    }

    private static RiscvIommuGuestContext one(Pa tables) {
      return context(
          DirectoryLayout.TC_V.mask(), DirectoryLayout.TA_PSCID.place(PSCID), fsc(tables.value()));
    }

    private static RiscvIommuGuestContext directory(Pa tables) {
      return context(
          DirectoryLayout.TC_V.mask()
              | DirectoryLayout.TC_PDTV.mask()
              | DirectoryLayout.TC_DPE.mask(),
          0,
          ProcessLayout.PDTP_MODE.place(ProcessLayout.PD8)
              | ProcessLayout.PDTP_PPN.place(DirectoryLayout.ppn(tables.value() + 3 * PAGE)));
    }

    private static RiscvIommuGuestContext context(long tc, long ta, long fsc) {
      return new RiscvIommuGuestContext(List.of(tc, 0L, ta, fsc));
    }

    /// {@return the guest's IOTINVAL.VMA of its PSCID}
    private static RiscvIommuGuestCommand drop() {
      return new RiscvIommuGuestCommand(List.of(1L | 1L << 32 | PSCID << 12, 0L));
    }

    List<String> processes() {
      Host host = Host.start(machine, HostOptions.USUAL);
      RiscvIommuDriver iommu = driver(host);
      int device = lab.edu(0).requesterId();
      AddressSpace one = space(iommu, 0x8000_0000L);
      AddressSpace other = space(iommu, 0x8040_0000L);
      iommu.attach(device, 3, one);
      iommu.attach(device, 200, other);
      ask(device, 3);
      ask(device, 200);
      ask(device, 4);
      iommu.attach(device, 200, one);
      ask(device, 200);
      iommu.detach(device, 3);
      ask(device, 3);
      iommu.block(device);
      one.close();
      other.close();
      assertFalse(iommu.substreamIdBits() < 8);
      return told;
    }

    private static AddressSpace space(RiscvIommuDriver iommu, long pa) {
      AddressSpace space = iommu.createAddressSpace(Granule.K4, Stage.STAGE1);
      space.map(new Iova(0x10_0000), new Pa(pa), PAGE, Protection.READ_WRITE);
      return space;
    }

    private void ask(int device, int process) {
      RegisterBus registers =
          machine.registers(
              machine.description().iommus().getFirst() instanceof IommuDescription.RiscvIommu r
                  ? r.registers().orElseThrow()
                  : AddressRange.ALL);
      registers.write64(RiscvIommuRegisters.TR_REQ_IOVA.offset(), 0x10_0000);
      registers.write64(
          RiscvIommuRegisters.TR_REQ_CTL.offset(),
          RiscvIommuRegisters.TR_GO.mask()
              | RiscvIommuRegisters.TR_PV.mask()
              | RiscvIommuRegisters.TR_PID.place(process)
              | RiscvIommuRegisters.TR_DID.place(device));
      long answer = registers.read64(RiscvIommuRegisters.TR_RESPONSE.offset());
      long page = RiscvIommuRegisters.TR_PPN.get(answer);
      // QEMU 10.0 leaves the number of the page where it is in the register's bits: its upper part
      // is seen.
      long upper = machine == lab.machine ? page : page >>> RiscvIommuRegisters.TR_PPN.lsb();
      told.add(RiscvIommuRegisters.TR_FAULT.isSet(answer) ? "fault" : Long.toHexString(upper));
    }
  }
}
